"""A quality report in words: what was measured, and what it means."""

from collections.abc import Mapping
from typing import Any

DELIVERY = {
    "frames": "number of frames",
    "timestamps": "timestamps",
    "frame_rate": "frame rate",
    "duration": "duration",
    "audio": "sound",
}


def report_rows(figures: Mapping[str, Any]) -> list[dict[str, str]]:
    """``label``, ``value`` and ``meaning`` of each figure; those that could not be measured say so."""
    kept = [word for name, word in DELIVERY.items() if figures["delivery"][name]]
    lost = [word for name, word in DELIVERY.items() if not figures["delivery"][name]]
    rows = [
        ("Kept exactly", ", ".join(kept) or "nothing", f"Changed: {', '.join(lost)}" if lost else "As in the source."),
        (
            "Background",
            _number(figures["background_psnr_mean_db"], 1, " dB"),
            f"Around the person, against the source; {_number(figures['background_psnr_min_db'], 1, ' dB')} in the "
            "worst frame. Above 40 dB nobody sees a difference.",
        ),
        ("Pose", _percent(figures["pck_20"]), "Joints where the source has them, within a fifth of the torso."),
        (
            "Likeness",
            _number(figures["face_texture_output"], 2),
            f"The face against the picture's, −1 to 1; the actor's own is {_number(figures['face_texture_actor'], 2)}.",
        ),
        ("Mouth", _number(figures["mouth_correlation"], 2), "How its opening follows the actor's, up to 1."),
        (
            "Flicker",
            _number(figures["flicker_output"], 2),
            "Change from frame to frame that no motion explains; "
            f"the source has {_number(figures['flicker_source'], 2)}.",
        ),
        ("Residue", _percent(figures["residue"]), "Of the actor that is still to be seen."),
    ]
    return [{"label": label, "value": value, "meaning": meaning} for label, value, meaning in rows]


def _number(value: float | None, digits: int, unit: str = "") -> str:
    return "not measured" if value is None else f"{value:.{digits}f}{unit}".replace("-", "−")


def _percent(value: float | None) -> str:
    return "not measured" if value is None else f"{100 * value:.1f} %"
