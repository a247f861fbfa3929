"""What ``eval`` prints."""

import dataclasses

from bodydouble.cli.evaluation_report import report_rows
from bodydouble.evaluation import Evaluation, MediaIntegrity

EVALUATION = Evaluation(
    width=640,
    height=360,
    frames=48,
    background_psnr_mean_db=41.2,
    background_psnr_min_db=38.0,
    unencoded_background_psnr_db=None,
    unencoded_background_exact=None,
    pck_10=0.8,
    pck_20=0.95,
    pck_10_driving=None,
    pck_20_driving=None,
    pck_20_by_joint={"right wrist": 0.0},
    face_texture_output=0.5,
    face_texture_actor=0.1,
    face_colour_output=0.6,
    face_colour_actor=0.3,
    face_found=1.0,
    mouth_correlation=0.9,
    yaw_gain=0.7,
    flicker_output=2.5,
    flicker_source=2.4,
    residue=0.0123,
    kept_things=0.15,
    bone_direction_share=0.9,
    bone_direction_degrees=8.0,
    bone_length_share=0.8,
    limb_length_share=0.9,
    limb_lengths_judged=0.7,
    bone_length_ratios={"left shin": 1.1},
    foot_slide=0.2,
    clothes_output=0.7,
    clothes_actor=0.2,
    clothes_by_part={"torso": 0.8},
    torn_frames=0.0,
    holes=0.0,
    detached_pieces=0.0,
    plate_error=1.5,
    plate_residue=0.01,
    delivery=MediaIntegrity(frames=True, timestamps=True, frame_rate=True, duration=True, audio=False),
)


def test_every_measure_has_a_meaning():
    """No row is a bare number: units, ranges and the better direction are in the row."""
    rows = {name.strip(): (value, meaning) for name, value, meaning in report_rows(EVALUATION)}
    assert rows["right wrist"] == ("0.0 %", "this joint, within 0.2")
    assert rows["residue"] == ("1.2 %", "visible part of the actor; 0 % is best")
    assert rows["tracked pose within 0.1"][0] == "not measured"
    assert rows["audio"][0] == "CHANGED"
    assert [name for name, (_, meaning) in rows.items() if not meaning] == []


def test_every_field_is_reported():
    """A measure that is added to the evaluation appears in the report."""
    numbers = iter(range(100, 200))
    marked = {
        field.name: next(numbers) / 100
        for field in dataclasses.fields(Evaluation)
        if "float" in str(field.type) and "dict" not in str(field.type)
    }
    shown = [value for _, value, _ in report_rows(dataclasses.replace(EVALUATION, **marked))]
    texts = {name: (f"{value:.1f}", f"{value:.2f}", f"{100 * value:.1f}") for name, value in marked.items()}
    missing = [name for name, forms in texts.items() if not any(s.startswith(forms) for s in shown)]
    assert missing == []
