"""The quality report as text: each measurement with its meaning."""

import math
from collections.abc import Mapping
from typing import Any

DELIVERY = {
    "frames": "number of frames",
    "timestamps": "timestamps",
    "frame_rate": "frame rate",
    "duration": "duration",
    "audio": "sound",
}
RATIO_MIN, RATIO_MAX = 0.9, 1.1
"""Bone lengths over the character's own that look right."""
BONES_NAMED_MAX = 3
Row = tuple[str, str, str]
"""Label, value, meaning."""


def report_rows(figures: Mapping[str, Any]) -> list[dict[str, str]]:
    """``label``, ``value`` and ``meaning`` of each measurement. Missing values read "not measured"."""
    rows = [*_motion_rows(figures), *_appearance_rows(figures)]
    return [{"label": label, "value": value, "meaning": meaning} for label, value, meaning in rows]


def _motion_rows(figures: Mapping[str, Any]) -> list[Row]:
    """Rows on the parts of the video that are kept, and on the character's motion."""
    kept = [word for name, word in DELIVERY.items() if figures["delivery"][name]]
    lost = [word for name, word in DELIVERY.items() if not figures["delivery"][name]]
    return [
        (
            "Kept exactly",
            ", ".join(kept) or "nothing",
            f"Changed: {', '.join(lost)}" if lost else "Same as the source.",
        ),
        (
            "Background",
            _number(figures["background_psnr_mean_db"], 1, " dB"),
            f"PSNR outside the person; {_number(figures['background_psnr_min_db'], 1, ' dB')} in the worst frame. "
            "Above 40 dB the difference is not visible.",
        ),
        (
            "Pose",
            _percent(figures["pck_20"]),
            "Joints at the same position as in the source, within 20 % of the torso length.",
        ),
        (
            "Limb directions",
            _percent(figures["bone_direction_share"]),
            "Limbs that point as the actor's do, within 20°.",
        ),
        (
            "Proportions",
            _percent(figures["bone_length_share"]),
            "Bones seen from the front that have the character's own length, within 10 %; neck, arms and legs alone "
            + _percent(figures.get("limb_length_share"))
            + ". "
            + _unusual(figures["bone_length_ratios"]),
        ),
        (
            "Feet",
            _number(figures["foot_slide"], 2, " px/frame"),
            "Sliding of resting feet beyond the actor's, at 480P. Above 0.3 it is visible.",
        ),
        (
            "Whole body",
            _percent(None if figures["torn_frames"] is None else 1 - figures["torn_frames"]),
            "Frames without holes in the character or detached pieces.",
        ),
    ]


def _appearance_rows(figures: Mapping[str, Any]) -> list[Row]:
    """How much the character looks like the picture, and how steadily."""
    return [
        (
            "Likeness",
            _number(figures["face_texture_output"], 2),
            f"Similarity to the picture's face, −1 to 1; the actor has {_number(figures['face_texture_actor'], 2)}.",
        ),
        (
            "Clothes",
            _number(figures["clothes_output"], 2),
            "Similarity of colours to the picture's by body part, 0 to 1; "
            f"the actor has {_number(figures['clothes_actor'], 2)}.",
        ),
        (
            "Mouth",
            _number(figures["mouth_correlation"], 2),
            "Correlation of the mouth opening with the actor's, up to 1.",
        ),
        (
            "Flicker",
            _number(figures["flicker_output"], 2),
            "Change between frames that motion does not explain; "
            f"the source has {_number(figures['flicker_source'], 2)}.",
        ),
        (
            "Residue",
            _percent(figures["residue"]),
            "Share of the actor that is still visible. Hands of others and balls before the actor have to stay, "
            f"and are not counted: {_percent(figures['kept_things'])}.",
        ),
    ]


def _unusual(ratios: Mapping[str, float]) -> str:
    """The bones that are too short or too long, the worst first."""
    wrong = {name: ratio for name, ratio in ratios.items() if not RATIO_MIN <= ratio <= RATIO_MAX}
    worst = sorted(wrong, key=lambda name: -abs(math.log(max(wrong[name], 1e-3))))[:BONES_NAMED_MAX]
    return "Largest deviations: " + ", ".join(f"{name} × {wrong[name]:.2f}" for name in worst) + "." if worst else ""


def _number(value: float | None, digits: int, unit: str = "") -> str:
    return "not measured" if value is None else f"{value:.{digits}f}{unit}".replace("-", "−")


def _percent(value: float | None) -> str:
    return "not measured" if value is None else f"{100 * value:.1f} %"
