import numpy as np
import pytest
import torch
from transformers import AutoImageProcessor, VitPoseForPoseEstimation

import tiny_perception
from bodydouble.perception.geometry import Roi
from bodydouble.perception.gpu.pose import PoseNet, landmarks, region_of

SIZE = (400, 300)
IMAGE = np.zeros((300, 400, 3), np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A whole-body ViTPose."""
    return tiny_perception.save_pose(tmp_path_factory.mktemp("pose"))


def pose_net(folder) -> tuple[PoseNet, VitPoseForPoseEstimation]:
    model = VitPoseForPoseEstimation.from_pretrained(folder).eval()
    return PoseNet(model, AutoImageProcessor.from_pretrained(folder, backend="pil")), model


def peaks_at(points: int, x: int, y: int, height: float = 0.8) -> torch.Tensor:
    """(1, points, 64, 48) heat maps with one smooth peak each."""
    yy, xx = torch.meshgrid(torch.arange(64.0), torch.arange(48.0), indexing="ij")
    heat = height * torch.exp(-((xx - x) ** 2 + (yy - y) ** 2) / 8)
    return heat.expand(1, points, 64, 48).clone()


def coco(**points: tuple[float, float]) -> np.ndarray:
    """(133, 3): all points at (0, 0) with confidence 0.2 but those given by index as ``p5=(x, y)``, with 0.9."""
    found = np.tile([0.0, 0.0, 0.2], (133, 1))
    for name, point in points.items():
        found[int(name[1:])] = (*point, 0.9)
    return found


def test_points_come_back_from_the_crop_to_the_frame(folder, monkeypatch):
    """A peak in the map's middle is the region's middle; one at its right edge lies half a crop's width beside it."""
    net, model = pose_net(folder)
    monkeypatch.setattr(
        model.head, "forward", lambda *_, **__: torch.cat([peaks_at(100, 24, 32), peaks_at(33, 40, 32)], dim=1)
    )

    body = net.run(IMAGE, Roi(x=200, y=150, size=160))

    assert body.whole_body is not None
    # 47 steps of the map span the crop's width of 120 pixels, 63 its height of 160
    assert np.allclose(body.whole_body[0, :2], [200 - 60 + 24 * 120 / 47, 150 - 80 + 32 * 160 / 63], atol=0.6)
    assert np.allclose(body.whole_body[120, :2], [200 - 60 + 40 * 120 / 47, 150 - 80 + 32 * 160 / 63], atol=0.6)
    assert body.score == pytest.approx(0.8, abs=0.01)


def test_a_box_and_its_region_are_one():
    """The region's height is the box's, or its width by the crop's aspect, with a quarter around it."""
    assert region_of(np.array([100, 50, 140, 250])) == Roi(x=120, y=150, size=250)
    assert region_of(np.array([0, 0, 300, 100])) == Roi(x=150, y=50, size=500)


def test_every_blazepose_point_has_its_place():
    """Shoulders, the corners of the mouth, roots of the fingers, heels, and toes half way between big and small."""
    found = coco(p5=(50, 60), p6=(20, 60), p77=(40, 20), p108=(70, 90), p19=(45, 200), p20=(20, 210), p21=(10, 206))

    body = landmarks(found, Roi(x=0, y=0, size=100), SIZE)

    expected = {11: (50, 60), 12: (20, 60), 9: (40, 20), 17: (70, 90), 29: (45, 200), 32: (15, 208)}
    for point, place in expected.items():
        assert body.points[point].tolist() == list(place)
        assert body.visibility[point] == pytest.approx(0.9)
    assert body.visibility[13] == pytest.approx(0.2)


def test_without_hands_and_feet_they_are_guessed_and_unsure():
    """From 17 points a finger lies beyond the wrist along the forearm, with visibility 0, and nothing is whole-body."""
    found = coco(p7=(100, 100), p9=(100, 140))[:17]

    body = landmarks(found, Roi(x=0, y=0, size=100), SIZE)

    assert body.whole_body is None
    assert np.allclose(body.points[19], [100, 154])
    assert body.visibility[19] == body.visibility[31] == body.visibility[9] == 0


def test_half_a_person_is_somebody():
    """Nine sure points of seventeen give a sure score, three do not."""
    half, three = (coco(**{f"p{k}": (10.0 * k, 50.0) for k in range(n)}) for n in (9, 3))

    assert landmarks(half, Roi(x=0, y=0, size=100), SIZE).score == pytest.approx(0.9)
    assert landmarks(three, Roi(x=0, y=0, size=100), SIZE).score < 0.5


def test_experts_are_told_their_data_set(tmp_path):
    """ViTPose+ with 17 points runs with COCO's expert, with 133 with that of COCO-WholeBody."""
    for points, expert in ((17, 0), (133, 5)):
        net, model = pose_net(tiny_perception.save_pose(tmp_path / str(points), points=points, experts=6))
        asked = []
        whole = model.backbone.forward_with_filtered_kwargs

        def spy(*args, whole=whole, asked=asked, **kwargs):
            asked.append(kwargs["dataset_index"].tolist())
            return whole(*args, **kwargs)

        model.backbone.forward_with_filtered_kwargs = spy

        net.run(IMAGE, Roi(x=200, y=150, size=160))

        assert asked == [[expert]]


def test_other_sets_of_points_are_refused(tmp_path):
    """The message has the count and what is needed."""
    folder = tiny_perception.save_pose(tmp_path, points=21)

    with pytest.raises(ValueError, match=r"21 points; 17 \(COCO\) or 133"):
        pose_net(folder)
