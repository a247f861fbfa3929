"""The trunk under arms that a picture cuts off."""

import numpy as np
import pytest

from bodydouble.renderers.puppet.picture import outlines
from bodydouble.renderers.puppet.picture.anatomy import anatomy_of, skin_of
from bodydouble.renderers.puppet.picture.cutout import Cutout
from bodydouble.renderers.puppet.picture.layered_body import layer_picture
from mannequin import joints, picture, track_of
from tube_body import tube_body


def _widths(monkeypatch: pytest.MonkeyPatch, reach: float) -> np.ndarray:
    """(2,) decimetres, the trunk's width 1 and 4 dm below the shoulders, where it reaches so far under cut off arms."""
    monkeypatch.setattr(outlines, "UNDER_SLEEVE", reach)
    pose = joints()
    image, mask = picture(pose)
    edge = round(float(pose[[11, 12], 1].mean())) + 12
    track = track_of([pose])
    track.visibility[0, 13:17] = 0
    anatomy = anatomy_of(track)
    cutout = Cutout(alpha=mask[:edge], colour=image[:edge].astype(np.float32))
    body = layer_picture(image[:edge], cutout, anatomy, skin_of(anatomy, cutout), tube_body())
    rows = np.round(body.fit.joints.shoulders[1] + np.array([1.0, 4.0]) * body.fit.scale).astype(int)
    return (body.layers.layers["trunk"].rgba[rows, :, 3] > 128).sum(1) / body.fit.scale


def test_a_trunk_goes_on_under_sleeves_beside_the_chest(monkeypatch: pytest.MonkeyPatch):
    """An arm that moves away from it leaves no slit there; farther down nothing sticks out."""
    (chest, waist), (least, usual) = _widths(monkeypatch, outlines.UNDER_SLEEVE), _widths(monkeypatch, 0.0)
    assert chest > least + 0.4
    assert waist == usual
