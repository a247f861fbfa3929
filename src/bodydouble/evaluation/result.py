"""What an evaluation measured, as values, JSON and a plain text table."""

import dataclasses
import json
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class MediaIntegrity:
    """Whether the output keeps what has to be the source's own."""

    frames: bool
    timestamps: bool  # each frame is shown at the source's time, to the microsecond
    frame_rate: bool
    duration: bool  # to a tenth of a frame
    audio: bool  # the packets byte for byte; both without sound is equal too


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Figures of one replacement. None: could not be measured (no face, nobody, too few frames)."""

    width: int
    height: int
    frames: int  # compared
    background_psnr_mean_db: float | None
    background_psnr_min_db: float | None  # of the worst frame
    pck_10: float | None  # share of joints within 0.1 torso lengths of the source's
    pck_20: float | None
    pck_10_driving: float | None  # the same as the driving network sees the output: surer, not independent
    pck_20_driving: float | None
    pck_20_by_joint: dict[str, float]
    face_texture_output: float | None  # -1 to 1, aligned face of the output against the reference's
    face_texture_actor: float | None  # the same for the person who was replaced: what it has to be told from
    face_colour_output: float | None  # 0-1, overlap of the face's Lab histogram with the reference's
    face_colour_actor: float | None
    face_found: float | None  # share of the frames with the actor's face in which the output's was found
    mouth_correlation: float | None
    yaw_gain: float | None  # degrees of the output's head for each of the actor's
    flicker_output: float | None  # 0-255, error after motion compensation in the person's region
    flicker_source: float | None
    residue: float | None  # share of the actor's core that is still to be seen
    delivery: MediaIntegrity

    def to_json(self) -> str:
        """One line; the names are those of the fields."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)


def format_table(evaluation: Evaluation) -> str:
    """Two aligned columns of plain text for a terminal."""
    e = evaluation

    def number(value: float | None, digits: int, unit: str = "") -> str:
        return "not measured" if value is None else f"{value:.{digits}f}{unit}"

    def percent(value: float | None) -> str:
        return "not measured" if value is None else f"{100 * value:.2f} %"

    rows = [
        ("compared", f"{e.frames} frames of {e.width}x{e.height}"),
        ("background PSNR, mean", number(e.background_psnr_mean_db, 1, " dB")),
        ("background PSNR, worst frame", number(e.background_psnr_min_db, 1, " dB")),
        ("pose PCK@0.1 / @0.2 of the torso", f"{number(e.pck_10, 3)} / {number(e.pck_20, 3)}"),
        ("  by the driving network", f"{number(e.pck_10_driving, 3)} / {number(e.pck_20_driving, 3)}"),
        *[(f"  {joint}", number(share, 3)) for joint, share in e.pck_20_by_joint.items()],
        (
            "face texture to reference (actor's)",
            f"{number(e.face_texture_output, 2)} ({number(e.face_texture_actor, 2)})",
        ),
        ("face colour to reference (actor's)", f"{number(e.face_colour_output, 2)} ({number(e.face_colour_actor, 2)})"),
        ("face found in the output", percent(e.face_found)),
        ("mouth opening, correlation", number(e.mouth_correlation, 2)),
        ("head yaw, gain", number(e.yaw_gain, 2)),
        ("flicker (source's)", f"{number(e.flicker_output, 2)} ({number(e.flicker_source, 2)})"),
        ("residue of the actor", percent(e.residue)),
        *[
            (f"{name.replace('_', ' ')} as in the source", "yes" if equal else "NO")
            for name, equal in dataclasses.asdict(e.delivery).items()
        ],
    ]
    wide = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{wide}}  {value}" for name, value in rows)
