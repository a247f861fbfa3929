"""Percentage of correct keypoints."""

import numpy as np
import pytest

from bodydouble.evaluation.pose_agreement import JOINTS, JointHits, PoseAgreement
from bodydouble.perception import ModelPack, analyse_portrait
from material import astronaut, landscape


def _body() -> np.ndarray:
    """(33, 2) with a torso of 100 pixels."""
    points = np.zeros((33, 2))
    points[[23, 24], 1] = 100
    return points


def test_errors_are_measured_in_torso_lengths() -> None:
    """A wrist that is 15 pixels off a torso of 100 is right at 0.2 and wrong at 0.1."""
    hits = JointHits()
    moved = _body()
    moved[15, 0] = 15
    hits.add(_body(), np.ones(33, bool), moved)
    assert hits.share(0.2) == 1
    assert hits.share(0.1) == pytest.approx(1 - 1 / len(JOINTS))
    assert hits.by_joint(0.1)["left wrist"] == 0


def test_joints_that_the_source_hides_do_not_count_and_a_missing_body_misses_all() -> None:
    """Only what is seen in the source can be asked of the output."""
    hits = JointHits()
    seen = np.zeros(33, bool)
    assert hits.share(0.2) is None
    seen[[0, 11, 12]] = True
    hits.add(_body(), seen, None)
    assert hits.by_joint(0.2) == {"nose": 0, "left shoulder": 0, "right shoulder": 0}


def test_the_network_agrees_with_itself_and_misses_whom_is_gone(model_pack: ModelPack) -> None:
    """The same picture scores 1, a landscape in its place 0."""
    picture = astronaut()
    body = analyse_portrait(model_pack, picture).track.body[0]
    same, gone = PoseAgreement(model_pack), PoseAgreement(model_pack)
    same.add(picture, picture, body)
    gone.add(picture, landscape(1, (512, 512))[0], body)
    assert same.hits.share(0.1) == 1
    assert gone.hits.share(0.2) == 0
