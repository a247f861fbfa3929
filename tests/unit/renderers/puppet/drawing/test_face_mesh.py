"""The face's mesh, and what of the picture it leaves to the trunk."""

import numpy as np
import pytest

from bodydouble.perception import ModelPack, analyse_portrait
from bodydouble.renderers.puppet.drawing.face_mesh import build_face_mesh, face_within
from bodydouble.renderers.puppet.motion.head import OVAL
from bodydouble.renderers.puppet.painting import hull_mask
from bodydouble.renderers.puppet.picture.anatomy import Anatomy, anatomy_of
from bodydouble.renderers.puppet.picture.regions import narrowed
from material import astronaut


@pytest.fixture(scope="module")
def anatomy(model_pack: ModelPack) -> Anatomy:
    return anatomy_of(analyse_portrait(model_pack, astronaut()).track)


def _skin() -> np.ndarray:
    """(512, 512, 4) skin everywhere."""
    return np.full((512, 512, 4), (210, 160, 140, 255), np.uint8)


def test_the_trunk_has_no_head_where_the_mesh_has_one(anatomy: Anatomy):
    """Above the jaw nothing of the trunk's layer is left, below the neck all of it; without a dome it stays whole."""
    assert anatomy.face is not None
    picture = _skin()
    head = hull_mask(anatomy.face[list(OVAL), :2], picture.shape) > 0
    figure = build_face_mesh(anatomy, picture, picture, head)
    alone = build_face_mesh(anatomy, picture)
    assert figure is not None
    assert figure.headless is not None
    x, y = np.round(anatomy.head.centre).astype(int)
    assert figure.headless[: y + 1, x, 3].max() == 0
    below = int(anatomy.shoulders[1])
    assert figure.headless[below, x, 3] == 255
    assert alone is not None
    assert alone.headless is None


def test_hair_that_lies_on_the_shoulders_stays_with_the_trunk(anatomy: Anatomy):
    """Beside the neck the trunk goes on above the chin: a head that rises leaves no gap there. In the neck it ends."""
    assert anatomy.face is not None
    picture = _skin()
    head = hull_mask(anatomy.face[list(OVAL), :2], picture.shape) > 0
    figure = build_face_mesh(anatomy, picture, picture, head)
    assert figure is not None
    assert figure.headless is not None
    chin, width = anatomy.chin, anatomy.head.width
    row, high = (int(chin[1] - share * width) for share in (0.03, 0.4))
    for side in (-1, 1):
        beside = int(chin[0] + side * width)
        assert figure.headless[row, beside, 3] > 200
        assert figure.headless[high, beside, 3] == 0
    assert figure.headless[row, int(chin[0]), 3] == 0


def test_the_outline_of_a_face_lies_within_the_person(anatomy: Anatomy):
    """Where landmarks lie beside the jaw that the picture shows, they are pulled in to it; others stay."""
    assert anatomy.face is not None
    narrow = narrowed(hull_mask(anatomy.face[list(OVAL), :2], (512, 512)) > 0, 0.06 * anatomy.head.width)
    within = face_within(anatomy.face, anatomy.head, narrow.astype(np.uint8) * 255)
    whole = face_within(anatomy.face, anatomy.head, np.full((512, 512), 255, np.uint8))
    columns, rows = np.round(within[list(OVAL), :2]).astype(int).T
    assert narrow[rows, columns].all()
    assert np.array_equal(whole, anatomy.face)


def test_a_bay_of_the_face_is_filled_with_its_skin(anatomy: Anatomy):
    """Backdrop between ear and jaw, within the landmarks' outline, is skin in the head's texture."""
    assert anatomy.face is not None
    picture = _skin()
    outline = anatomy.face[list(OVAL), :2]
    bay = outline[9] + 0.08 * (anatomy.head.centre - outline[9])
    x, y = np.round(bay).astype(int)
    picture[y - 3 : y + 4, x : x + 20] = 0
    figure = build_face_mesh(anatomy, picture)
    assert figure is not None
    assert figure.head.rgba[y, x, 3] > 250
    assert np.abs(figure.head.rgba[y, x, :3].astype(int) - (210, 160, 140)).max() < 6
