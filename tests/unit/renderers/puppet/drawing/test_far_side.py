from dataclasses import replace

import cv2
import numpy as np
import pytest

from bodydouble.perception import ModelPack, analyse_portrait
from bodydouble.renderers.puppet.drawing.face_mesh import FaceMesh, _FaceLayout, build_face_mesh
from bodydouble.renderers.puppet.drawing.mesh import draw_mesh
from bodydouble.renderers.puppet.motion.head import OVAL, head_of_face
from bodydouble.renderers.puppet.picture.anatomy import Anatomy, anatomy_of
from material import astronaut

HAIR, SKIN = (90, 40, 20), (210, 160, 140)


@pytest.fixture(scope="module")
def frontal(model_pack: ModelPack) -> Anatomy:
    return anatomy_of(analyse_portrait(model_pack, astronaut()).track)


@pytest.fixture(scope="module")
def turned(frontal: Anatomy) -> tuple[Anatomy, np.ndarray]:
    return _turned_by(25, frontal)


def _turned_by(degrees: float, anatomy: Anatomy) -> tuple[Anatomy, np.ndarray]:
    """A turned face, and its picture (512, 512, 4): hair above and on the near side, none on the far."""
    assert anatomy.face is not None
    turn = cv2.Rodrigues(np.array([0, np.deg2rad(degrees), 0]))[0]
    flat = (anatomy.face - anatomy.head.origin) @ anatomy.head.rotation
    face = flat @ turn.T + anatomy.head.origin
    anatomy = replace(anatomy, face=face, head=head_of_face(face))
    outline = cv2.convexHull(np.round(face[list(OVAL), :2]).astype(np.int32))
    skin, hair = np.zeros((512, 512), np.uint8), np.zeros((512, 512), np.uint8)
    cv2.fillConvexPoly(skin, outline, 1)
    reach = round(0.25 * anatomy.head.width)
    near = reach if face[454, 2] < face[234, 2] else -reach
    for k in np.linspace(0, 1, 30):
        shift = np.round([k * near, -0.8 * k * reach]).astype(int)
        cv2.fillConvexPoly(hair, outline + shift, 1)
    rgba = np.zeros((512, 512, 4), np.uint8)
    rgba[hair > 0] = (*HAIR, 255)
    rgba[skin > 0] = (*SKIN, 255)
    return anatomy, rgba


def _drawn(figure: FaceMesh, rotation: np.ndarray) -> np.ndarray:
    """(512, 512) 0-255 what the head covers when it is turned by ``rotation`` alone."""
    turned = figure.solid @ rotation.T
    turned = turned - turned[:478].mean(0)
    place = turned[:, :2] + figure.vertices[:468].mean(0)
    share = figure.head_share[:, None]
    drawn = draw_mesh(figure.head, figure.vertices * (1 - share) + place * share, turned[:, 2], 512, 512)
    assert drawn is not None
    (x0, y0, x1, y1), rgba = drawn
    canvas = np.zeros((512, 512), np.uint8)
    canvas[y0:y1, x0:x1] = rgba[..., 3]
    return canvas


def test_a_head_that_faces_the_camera_is_as_wide_on_both_sides(turned: tuple[Anatomy, np.ndarray]):
    """What the picture turns away is made up from the side that it shows."""
    anatomy, rgba = turned
    figure = build_face_mesh(anatomy, rgba)
    assert figure is not None

    cover = _drawn(figure, np.eye(3))

    middle, top = figure.vertices[:468].mean(0)[0], np.flatnonzero((cover > 128).any(1))[0]
    columns = np.flatnonzero(cover[int(top + 0.4 * anatomy.head.width)] > 128)
    left, right = middle - columns[0], columns[-1] - middle
    assert min(left, right) > 0.85 * max(left, right)


def test_in_the_pictures_own_view_nothing_is_added(turned: tuple[Anatomy, np.ndarray]):
    """The hair that was made up lies behind the head there."""
    anatomy, rgba = turned
    figure = build_face_mesh(anatomy, rgba)
    assert figure is not None

    cover = _drawn(figure, anatomy.head.rotation)

    head = slice(0, int(anatomy.chin[1]))
    added = (cover > 128)[head] & (cv2.dilate(rgba[..., 3], np.ones((9, 9), np.uint8)) == 0)[head]
    assert added.sum() < 0.03 * np.count_nonzero(rgba[..., 3])


def test_hair_made_up_beside_a_face_that_is_hardly_turned_is_not_drawn_out(frontal: Anatomy):
    """Turned to show that side, the head has about as much hair beside the face as the near side in its picture."""
    anatomy, rgba = _turned_by(11, frontal)
    figure = build_face_mesh(anatomy, rgba)
    assert figure is not None
    assert anatomy.face is not None
    other_way = cv2.Rodrigues(np.array([0, np.deg2rad(-30), 0]))[0]
    cover = _drawn(figure, other_way) > 128
    turned = (figure.solid[:468] @ other_way.T)[:, :2]
    outline = (turned - turned.mean(0) + figure.vertices[:468].mean(0))[list(OVAL)]
    row = int(figure.vertices[:468].mean(0)[1])
    columns = np.flatnonzero(cover[row])
    beside = max(outline[:, 0].min() - columns[0], columns[-1] - outline[:, 0].max())
    assert beside < 0.35 * anatomy.head.width


def test_a_bunch_of_hair_on_one_side_is_not_mirrored(frontal: Anatomy):
    """A picture that is hardly turned would show one on the far side, too: the head is no wider there than it shows."""
    anatomy, rgba = _turned_by(12, frontal)
    assert anatomy.face is not None
    unit, far = anatomy.head.width, -1 if anatomy.face[454, 2] < anatomy.face[234, 2] else 1
    with_bunch = rgba.copy()
    x, y = np.round(anatomy.face[list(OVAL), :2].mean(0) - [far * 0.72 * unit, 0]).astype(int)
    cv2.ellipse(with_bunch, (int(x), int(y)), (int(0.25 * unit), int(0.4 * unit)), 0, 0, 360, (*HAIR, 255), -1)
    reaches = []
    for picture in (rgba, with_bunch):
        figure = build_face_mesh(anatomy, picture)
        assert figure is not None
        cover = _drawn(figure, np.eye(3))
        columns = np.flatnonzero((cover[int(y) - 10 : int(y) + 10] > 128).any(0))
        reaches.append(far * columns.max() if far > 0 else -columns.min())
    assert reaches[1] - reaches[0] < 0.08 * unit


def test_the_outline_of_a_turned_face_is_not_drawn_out(turned: tuple[Anatomy, np.ndarray]):
    """A line around the picture's face would become a stripe on its far cheek."""
    anatomy, rgba = turned
    assert anatomy.face is not None
    lined = rgba.copy()
    outline = cv2.convexHull(np.round(anatomy.face[list(OVAL), :2]).astype(np.int32))
    cv2.polylines(lined, [outline], True, (0, 0, 0, 255), 3)
    figure = build_face_mesh(anatomy, lined)
    assert figure is not None

    texture, face = figure.head.rgba, figure.head.vertices
    middle, width = face[:468].mean(0), np.ptp(face[list(OVAL), 0])
    row = texture[int(middle[1]), int(middle[0] - 0.42 * width) : int(middle[0] + 0.42 * width), 0]
    assert (row < HAIR[0]).mean() < 0.1


def test_a_collar_beside_the_jaw_is_on_no_other_side(turned: tuple[Anatomy, np.ndarray]):
    """Nothing carries it there: it would be a wing beside the far cheek."""
    anatomy, rgba = turned
    assert anatomy.face is not None
    near = 1 if anatomy.face[454, 2] < anatomy.face[234, 2] else -1
    x, y = np.round(anatomy.chin).astype(int)
    unit = round(anatomy.head.width)
    collar = rgba.copy()
    low, high = sorted((x + near * unit // 4, x + near * 3 * unit // 4))
    collar[y - unit // 8 : y + unit // 4, low:high] = (0, 0, 255, 255)
    collar[rgba[..., 3] > 0] = rgba[rgba[..., 3] > 0]
    figure = build_face_mesh(anatomy, collar)
    assert figure is not None
    texture, middle = figure.head.rgba, figure.head.vertices[:468, 0].mean()
    blue = (texture[..., 2] > 150) & (texture[..., 0] < 60)
    beyond = near * (np.arange(texture.shape[1]) - middle) < 0
    assert blue[:, ~beyond].sum() > 100
    assert blue[:, beyond].sum() < 0.05 * blue[:, ~beyond].sum()


def test_a_jaw_belongs_to_the_head_however_the_body_is_turned(turned: tuple[Anatomy, np.ndarray]):
    """Above the chin both sides of a face move with it, also above the leaning neck of somebody who looks back."""
    anatomy, rgba = turned
    unit = anatomy.head.width
    for lean in (-0.9, 0.9):
        body = anatomy.body.copy()
        body[:, :2] += anatomy.chin + [lean * unit, 0.9 * unit] - anatomy.shoulders
        figure = build_face_mesh(replace(anatomy, body=body), np.full_like(rgba, 255))
        assert figure is not None
        beside = np.abs(figure.vertices - (anatomy.chin - [0, 0.35 * unit])) < [0.8 * unit, 0.1 * unit]
        assert figure.head_share[beside.all(1)].min() > 0.8


def test_hair_beside_a_turned_head_is_mapped_pixel_by_pixel(frontal: Anatomy, turned: tuple[Anatomy, np.ndarray]):
    """Narrow triangles of the made-up side would be four pixels wide on the coarse map; other heads have none."""
    for anatomy, expected in ((turned[0], True), (frontal, False)):
        assert anatomy.face is not None
        top = anatomy.face[10, :2] - [0, 0.4 * anatomy.head.width]
        assert _FaceLayout.of(anatomy, top[None], np.full((512, 512), 255, np.uint8)).fine[-1] == expected
