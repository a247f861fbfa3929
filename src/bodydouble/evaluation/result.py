"""The measurements of an evaluation as values and JSON."""

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
    audio: bool  # the packets byte for byte, in time with the picture; also where neither has sound


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Measurements of one result. None: could not be measured (no face, no person, too few frames)."""

    width: int
    height: int
    frames: int  # compared
    background_psnr_mean_db: float | None
    background_psnr_min_db: float | None  # of the worst frame
    unencoded_background_psnr_db: float | None  # of Y'CbCr samples of a lossless export, where it is given
    unencoded_background_exact: float | None  # share of those samples that are the source's own
    pck_10: float | None  # share of joints within 0.1 torso lengths of the source's
    pck_20: float | None
    pck_10_driving: float | None  # the same by the driving network: more accurate, not independent
    pck_20_driving: float | None
    pck_20_by_joint: dict[str, float]
    bone_direction_share: float | None  # share of limbs that point as the actor's do, within 20 degrees
    bone_direction_degrees: float | None  # median angle
    bone_length_share: float | None  # share of frontal bones within 0.9 to 1.1 of the character's own length
    limb_length_share: float | None  # the same of neck, arms and legs alone; None if judged in under half of the frames
    limb_lengths_judged: float | None  # share of the character's frames in which neck or limbs are judged
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
    residue: float | None  # share of the actor's core that is still visible, without kept things
    kept_things: float | None  # other people's hands and things in play within it, which have to stay
    torn_frames: float | None  # share of frames whose character has a hole or a detached piece
    holes: float | None  # largest hole over the body's core, mean over the frames
    detached_pieces: float | None  # largest piece over the silhouette, mean over the frames
    plate_error: float | None  # 0-255, against the true background, where it is given
    plate_residue: float | None  # share of the actor that shows instead of the true background
    delivery: MediaIntegrity

    def to_json(self) -> str:
        """One line; the keys are the names of the fields."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)
