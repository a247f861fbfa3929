"""Aligned faces compared."""

import cv2
import numpy as np
import pytest

from bodydouble.evaluation.appearance import Appearance
from bodydouble.perception import ModelPack, analyse_portrait
from material import astronaut


@pytest.fixture(scope="module")
def face(model_pack: ModelPack) -> np.ndarray:
    """(478, 2) mesh of the astronaut's face."""
    return analyse_portrait(model_pack, astronaut()).track.face[0, :, :2]


def test_the_same_face_turned_and_enlarged_is_the_same(face: np.ndarray) -> None:
    """Position, size and tilt are taken out before comparing."""
    picture = astronaut()
    matrix = cv2.getRotationMatrix2D((256, 256), 20, 1.3)
    turned = np.asarray(cv2.warpAffine(picture, matrix, (512, 512)), np.uint8)
    appearance = Appearance(picture, face)
    appearance.add("output", turned, face @ matrix[:, :2].T + matrix[:, 2])
    texture, colour = appearance.result("output")
    assert texture is not None
    assert colour is not None
    assert texture > 0.97
    assert colour > 0.85


def test_another_texture_in_another_colour_is_not(face: np.ndarray) -> None:
    """A face's place filled with something else scores low in both."""
    picture = astronaut()
    appearance = Appearance(picture, face)
    appearance.add("actor", np.ascontiguousarray(255 - picture[::-1]), face)
    texture, colour = appearance.result("actor")
    assert texture is not None
    assert colour is not None
    assert texture < 0.4
    assert colour < 0.4


def test_no_face_is_not_measured(face: np.ndarray) -> None:
    """Without frames there is no figure."""
    assert Appearance(astronaut(), face).result("output") == (None, None)
