"""The text of ``eval``: every measure with its value and its meaning."""

import dataclasses

from bodydouble.evaluation import Evaluation

NOT_MEASURED = "not measured"
Row = tuple[str, str, str]


def report_rows(evaluation: Evaluation) -> list[Row]:
    """Name, value and meaning of each measure."""
    return [
        *_scene_rows(evaluation),
        *_pose_rows(evaluation),
        *_body_rows(evaluation),
        *_likeness_rows(evaluation),
        *_media_rows(evaluation),
    ]


def _scene_rows(e: Evaluation) -> list[Row]:
    rows = [
        ("compared", f"{e.frames} frames, {e.width} × {e.height}", "all frames that result and source share"),
        ("background, mean", _number(e.background_psnr_mean_db, 1, " dB"), "PSNR outside the person; higher is better"),
        ("background, worst frame", _number(e.background_psnr_min_db, 1, " dB"), "PSNR of the worst frame"),
        ("flicker", _number(e.flicker_output, 2), "change between frames after motion compensation, 0 to 255"),
        ("  of the source", _number(e.flicker_source, 2), "the same for the source: the result should not exceed it"),
        ("residue", _percent(e.residue), "visible part of the actor; 0 % is best"),
        ("  kept things", _percent(e.kept_things), "hands of others and balls before the actor, which have to stay"),
    ]
    if e.unencoded_background_exact is not None:
        rows += [
            (
                "background unencoded",
                _number(e.unencoded_background_psnr_db, 1, " dB"),
                "PSNR of the lossless export's samples; 100 dB: identical",
            ),
            ("  samples kept", _percent(e.unencoded_background_exact), "samples that are the source's own"),
        ]
    if e.plate_error is not None:
        rows += [
            ("background error", _number(e.plate_error, 2), "difference from the true background, 0 to 255"),
            ("background residue", _percent(e.plate_residue), "part of the actor that shows instead of it"),
        ]
    return rows


def _pose_rows(e: Evaluation) -> list[Row]:
    return [
        ("pose within 0.1", _percent(e.pck_10), "joints within 0.1 torso lengths of the source's (PCK)"),
        ("pose within 0.2", _percent(e.pck_20), "joints within 0.2 torso lengths"),
        *((f"  {joint}", _percent(share), "this joint, within 0.2") for joint, share in e.pck_20_by_joint.items()),
        ("tracked pose within 0.1", _percent(e.pck_10_driving), "by the network that drives the character:"),
        ("tracked pose within 0.2", _percent(e.pck_20_driving), "more accurate, but not independent"),
    ]


def _body_rows(e: Evaluation) -> list[Row]:
    ratios = e.bone_length_ratios.items()
    return [
        ("limb directions", _percent(e.bone_direction_share), "limbs within 20° of the actor's"),
        ("  median angle", _number(e.bone_direction_degrees, 1, "°"), "between the character's limbs and the actor's"),
        ("bone lengths", _percent(e.bone_length_share), "bones within 10 % of the character's own length"),
        ("  neck and limbs", _percent(e.limb_length_share), "the same of neck, arms and legs alone"),
        ("  judged", _percent(e.limb_lengths_judged), "frames in which neck or limbs are seen well enough"),
        *(
            (f"  {bone}", f"× {ratio:.2f}", "length of this bone over the character's; 1 is best")
            for bone, ratio in ratios
        ),
        ("foot slide", _number(e.foot_slide, 2, " pixels/frame"), "speed of resting feet beyond the actor's, at 480P"),
        ("torn frames", _percent(e.torn_frames), "frames with a hole or a detached piece; 0 % is best"),
        ("  largest hole", _percent(e.holes), "of the body's core, mean over the frames"),
        ("  largest piece", _percent(e.detached_pieces), "of the silhouette, mean over the frames"),
    ]


def _likeness_rows(e: Evaluation) -> list[Row]:
    parts = e.clothes_by_part.items()
    return [
        ("face texture", _number(e.face_texture_output, 2), "similarity to the picture's face, -1 to 1"),
        ("  of the actor", _number(e.face_texture_actor, 2), "the same for the actor's face, for comparison"),
        ("face colour", _number(e.face_colour_output, 2), "overlap with the colours of the picture's face, 0 to 1"),
        ("  of the actor", _number(e.face_colour_actor, 2), "the same for the actor's face"),
        ("clothes", _number(e.clothes_output, 2), "overlap with the colours of the picture's clothes, 0 to 1"),
        ("  of the actor", _number(e.clothes_actor, 2), "the same for the actor's clothes"),
        *((f"  {part}", _number(likeness, 2), "the colours of this part") for part, likeness in parts),
        ("face found", _percent(e.face_found), "frames with a detected face, of those with the actor's"),
        ("mouth", _number(e.mouth_correlation, 2), "correlation of the mouth's opening with the actor's; 1 is best"),
        ("head turn", _number(e.yaw_gain, 2), "degrees of yaw for one of the actor's; 1 is best"),
    ]


def _media_rows(e: Evaluation) -> list[Row]:
    return [
        (name.replace("_", " "), "unchanged" if equal else "CHANGED", "compared with the source")
        for name, equal in dataclasses.asdict(e.delivery).items()
    ]


def _number(value: float | None, digits: int, unit: str = "") -> str:
    return NOT_MEASURED if value is None else f"{value:.{digits}f}{unit}"


def _percent(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{100 * value:.1f} %"
