"""The measurements of an evaluation as values, JSON and a plain text table."""

import dataclasses
import json
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class MediaIntegrity:
    """Whether the output keeps what must be the source's own."""

    frames: bool
    timestamps: bool  # of each frame, to the microsecond
    frame_rate: bool
    duration: bool  # to a tenth of a frame
    audio: bool  # the packets byte for byte; also where neither has sound


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Measurements of one result. None: could not be measured (no face, no person, too few frames)."""

    width: int
    height: int
    frames: int  # compared
    background_psnr_mean_db: float | None
    background_psnr_min_db: float | None  # of the worst frame
    pck_10: float | None  # share of joints within 0.1 torso lengths of the source's
    pck_20: float | None
    pck_10_driving: float | None  # the same by the driving network: more accurate, not independent
    pck_20_driving: float | None
    pck_20_by_joint: dict[str, float]
    bone_direction_share: float | None  # share of limbs that point as the actor's do, within 20 degrees
    bone_direction_degrees: float | None  # median angle
    bone_length_share: float | None  # share of frontal bones within 0.9 to 1.1 of the character's own length
    bone_length_ratios: dict[str, float]  # median ratio by bone, at one scale a shot
    foot_slide: float | None  # speed of resting feet beyond the actor's, pixels a frame at 480P
    face_texture_output: float | None  # -1 to 1, aligned face of the output against the reference's
    face_texture_actor: float | None  # the same for the replaced person, for comparison
    face_colour_output: float | None  # 0-1, overlap of the face's Lab histogram with the reference's
    face_colour_actor: float | None
    clothes_output: float | None  # 0-1, overlap of the colours of body parts with the reference's
    clothes_actor: float | None
    clothes_by_part: dict[str, float]
    face_found: float | None  # share of the frames with the actor's face in which the output's was found
    mouth_correlation: float | None
    yaw_gain: float | None  # degrees of the output's head for each of the actor's
    flicker_output: float | None  # 0-255, error after motion compensation in the person's region
    flicker_source: float | None
    residue: float | None  # share of the actor's core that is still visible
    torn_frames: float | None  # share of frames whose character has a hole or a detached piece
    holes: float | None  # largest hole over the body's core, mean over the frames
    detached_pieces: float | None  # largest piece over the silhouette, mean over the frames
    plate_error: float | None  # 0-255, against the true background, where it is given
    plate_residue: float | None  # share of the actor that shows instead of the true background
    delivery: MediaIntegrity

    def to_json(self) -> str:
        """One line; the keys are the names of the fields."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)


def _number(value: float | None, digits: int, unit: str = "") -> str:
    return "not measured" if value is None else f"{value:.{digits}f}{unit}"


def _percent(value: float | None) -> str:
    return "not measured" if value is None else f"{100 * value:.2f} %"


def format_table(evaluation: Evaluation) -> str:
    """Two aligned columns of plain text for a terminal."""
    rows = [*_scene_rows(evaluation), *_body_rows(evaluation), *_likeness_rows(evaluation), *_media_rows(evaluation)]
    wide = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{wide}}  {value}" for name, value in rows)


def _scene_rows(e: Evaluation) -> list[tuple[str, str]]:
    rows = [
        ("compared", f"{e.frames} frames of {e.width}x{e.height}"),
        ("background PSNR, mean", _number(e.background_psnr_mean_db, 1, " dB")),
        ("background PSNR, worst frame", _number(e.background_psnr_min_db, 1, " dB")),
        ("flicker (source's)", f"{_number(e.flicker_output, 2)} ({_number(e.flicker_source, 2)})"),
        ("residue of the actor", _percent(e.residue)),
    ]
    if e.plate_error is not None:
        rows += [
            ("error against the true background", _number(e.plate_error, 2)),
            ("residue against the true background", _percent(e.plate_residue)),
        ]
    return rows


def _body_rows(e: Evaluation) -> list[tuple[str, str]]:
    return [
        ("pose PCK@0.1 / @0.2 of the torso", f"{_number(e.pck_10, 3)} / {_number(e.pck_20, 3)}"),
        ("  by the driving network", f"{_number(e.pck_10_driving, 3)} / {_number(e.pck_20_driving, 3)}"),
        *[(f"  {joint}", _number(share, 3)) for joint, share in e.pck_20_by_joint.items()],
        ("limb directions as the actor's (median)", _directions(e)),
        ("bone lengths as the character's", _percent(e.bone_length_share)),
        *[(f"  {bone}", f"x {ratio:.2f}") for bone, ratio in e.bone_length_ratios.items()],
        ("foot slide beyond the actor's", _number(e.foot_slide, 2, " px/frame at 480P")),
        ("frames with holes or detached pieces", _percent(e.torn_frames)),
        ("  largest hole / piece, mean", f"{_percent(e.holes)} / {_percent(e.detached_pieces)}"),
    ]


def _directions(e: Evaluation) -> str:
    return f"{_percent(e.bone_direction_share)} ({_number(e.bone_direction_degrees, 1, '°')})"


def _likeness_rows(e: Evaluation) -> list[tuple[str, str]]:
    return [
        (
            "face texture to reference (actor's)",
            f"{_number(e.face_texture_output, 2)} ({_number(e.face_texture_actor, 2)})",
        ),
        (
            "face colour to reference (actor's)",
            f"{_number(e.face_colour_output, 2)} ({_number(e.face_colour_actor, 2)})",
        ),
        (
            "clothes colour to reference (actor's)",
            f"{_number(e.clothes_output, 2)} ({_number(e.clothes_actor, 2)})",
        ),
        *[(f"  {part}", _number(likeness, 2)) for part, likeness in e.clothes_by_part.items()],
        ("face found in the output", _percent(e.face_found)),
        ("mouth opening, correlation", _number(e.mouth_correlation, 2)),
        ("head yaw, gain", _number(e.yaw_gain, 2)),
    ]


def _media_rows(e: Evaluation) -> list[tuple[str, str]]:
    return [
        (f"{name.replace('_', ' ')} as in the source", "yes" if equal else "NO")
        for name, equal in dataclasses.asdict(e.delivery).items()
    ]
