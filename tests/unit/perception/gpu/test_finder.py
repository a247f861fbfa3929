from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import AutoImageProcessor, RTDetrV2ForObjectDetection, VitPoseForPoseEstimation

import tiny_perception
from bodydouble.perception.gpu.finder import DetrFinder
from bodydouble.perception.gpu.pose import PoseNet
from bodydouble.perception.people import Person

IMAGE = np.zeros((200, 400, 3), np.uint8)
BICYCLE, PERSON = 0, 1


@pytest.fixture
def finder(tmp_path) -> DetrFinder:
    """A detector that sees one bicycle, one person twice, a smaller person, and a doubtful one."""
    detector = tiny_perception.save_detector(tmp_path / "detector")
    pose = tiny_perception.save_pose(tmp_path / "pose")
    model = RTDetrV2ForObjectDetection.from_pretrained(detector).eval()
    boxes = [
        [0.5, 0.5, 0.9, 0.9],
        [0.25, 0.5, 0.2, 0.8],
        [0.26, 0.5, 0.2, 0.8],
        [0.75, 0.5, 0.1, 0.4],
        [0.6, 0.5, 0.1, 0.1],
    ]
    logits = torch.full((1, 5, 2), -9.0)
    for row, (label, score) in enumerate(((BICYCLE, 5.0), (PERSON, 4.0), (PERSON, 3.0), (PERSON, 2.0), (PERSON, -1.0))):
        logits[0, row, label] = score
    outputs = SimpleNamespace(logits=logits, pred_boxes=torch.tensor([boxes]))
    model.forward = lambda **_: outputs
    body = PoseNet(
        VitPoseForPoseEstimation.from_pretrained(pose).eval(), AutoImageProcessor.from_pretrained(pose, backend="pil")
    )
    return DetrFinder(model, AutoImageProcessor.from_pretrained(detector, backend="pil"), body)


def test_people_are_told_once_by_size_and_measured(finder):
    """Boxes are in pixels of the frame; bicycles, doubles and doubtful ones are left out; each has a body."""
    people = finder.find(IMAGE)

    assert [np.round(p.box).tolist() for p in people] == [[60, 20, 140, 180], [280, 60, 320, 140]]
    assert people[0].score == pytest.approx(1 / (1 + np.exp(-4)), abs=1e-4)
    assert all(p.body.whole_body is not None for p in people)


def test_others_are_those_beside_the_known_one(finder):
    """Who is known is not their own bystander."""
    known = Person(box=np.array([62.0, 22, 138, 178]), score=1.0, body=finder.find(IMAGE)[0].body)

    (other,) = finder.find_others(IMAGE, known)

    assert np.round(other).tolist() == [280, 60, 320, 140]


def test_a_detector_without_people_is_refused(finder, tmp_path):
    """The message says what to use."""
    model = SimpleNamespace(config=SimpleNamespace(id2label={0: "cat"}))

    with pytest.raises(ValueError, match="no class called person"):
        DetrFinder(model, None, finder.body_net)
