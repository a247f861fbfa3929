"""Drawing textured meshes."""

import numpy as np
import pytest

from bodydouble.renderers.puppet.drawing.mesh import bounds_of, build_mesh, draw_mesh, smooth_folds
from bodydouble.renderers.puppet.painting import in_box


def grid_mesh(fine: bool):
    """A smooth opaque texture of 80 x 60 on a grid."""
    yy, xx = np.mgrid[0:60, 0:80]
    rgba = np.stack([xx * 3, yy * 4, (xx + yy) * 1.5, np.full_like(xx, 255)], -1).astype(np.uint8)
    vertices = np.stack(np.meshgrid(np.arange(0, 81, 8), np.arange(0, 61, 6)), -1).reshape(-1, 2).astype(np.float64)
    return build_mesh(vertices, vertices, rgba, np.full(len(vertices), fine)), rgba


def slow_draw(mesh, target, height, width):
    """Reference: each pixel by the barycentric coordinates of the triangle it is in, bilinearly sampled."""
    out = np.zeros((height, width, 4))
    for triangle in mesh.triangles:
        a, b, c = target[triangle]
        matrix = np.array([b - a, c - a]).T
        if abs(np.linalg.det(matrix)) < 1e-9:
            continue
        inverse = np.linalg.inv(matrix)
        low, high = np.floor(target[triangle].min(0)).astype(int), np.ceil(target[triangle].max(0)).astype(int)
        for y in range(max(0, low[1]), min(height, high[1] + 1)):
            for x in range(max(0, low[0]), min(width, high[0] + 1)):
                u, v = inverse @ (np.array([x, y]) - a)
                if u < -1e-9 or v < -1e-9 or u + v > 1 + 1e-9:
                    continue
                p, q, r = mesh.vertices[triangle]
                sx, sy = p + u * (q - p) + v * (r - p)
                ix, iy = int(np.floor(sx)), int(np.floor(sy))
                if 0 <= ix < mesh.rgba.shape[1] - 1 and 0 <= iy < mesh.rgba.shape[0] - 1:
                    fx, fy = sx - ix, sy - iy
                    patch = mesh.rgba[iy : iy + 2, ix : ix + 2].astype(float)
                    top, bottom = patch[0, 0] * (1 - fx) + patch[0, 1] * fx, patch[1, 0] * (1 - fx) + patch[1, 1] * fx
                    out[y, x] = top * (1 - fy) + bottom * fy
    return out


@pytest.mark.parametrize("fine", [True, False])
def test_the_fast_mapping_agrees_with_the_slow_one(fine):
    """Label map and affine table draw what barycentric interpolation pixel by pixel draws, inside a bent mesh."""
    mesh, _ = grid_mesh(fine)
    v = mesh.vertices
    target = np.stack([10 + v[:, 0] * 1.1 + 3 * np.sin(v[:, 1] / 15), 8 + v[:, 1] * 0.9 + 2 * np.cos(v[:, 0] / 20)], 1)
    box, drawn = draw_mesh(mesh, target, np.zeros(len(v)), 80, 120)
    slow = slow_draw(mesh, target, 80, 120)[box[1] : box[3], box[0] : box[2]]
    inner = (slow[..., 3] > 250) & (drawn[..., 3] > 250)
    assert inner.sum() > 0.9 * (slow[..., 3] > 250).sum()
    error = np.abs(drawn.astype(float) - slow)[inner]
    assert error.mean() < 1
    assert error.max() <= (3 if fine else 8)


def test_a_mesh_in_its_own_place_is_its_texture():
    """Nothing moves: the drawing is the texture."""
    mesh, rgba = grid_mesh(True)
    box, drawn = draw_mesh(mesh, mesh.vertices, np.zeros(len(mesh.vertices)), 60, 80)
    assert box == (0, 0, 80, 60)
    assert np.abs(drawn.astype(int) - rgba).max() <= 1


def test_the_nearer_half_covers_the_farther_one():
    """Folded over itself, a mesh shows the side that is nearer to the camera."""
    mesh, _ = grid_mesh(True)
    target = mesh.vertices.copy()
    right = target[:, 0] > 40
    target[right, 0] = 80 - target[right, 0]
    for near_right in (True, False):
        depth = np.where(right == near_right, -10.0, 10.0)
        box, drawn = draw_mesh(mesh, target, depth, 60, 80)
        red = drawn[30 - box[1], 16 - box[0], 0]
        # Away-facing triangles lie behind the others whatever their depth.
        assert abs(int(red) - 16 * 3) < 8


def test_nothing_is_drawn_outside_the_frame():
    """A mesh beyond the frame's edge answers None."""
    mesh, _ = grid_mesh(True)
    assert draw_mesh(mesh, mesh.vertices + 500, np.zeros(len(mesh.vertices)), 60, 80) is None
    assert bounds_of(np.array([[-50.0, 3.0], [-20.0, 9.0]]), 60, 80) is None


def test_triangles_without_anything_opaque_are_dropped():
    """Only what covers the figure costs time."""
    full, rgba = grid_mesh(True)
    rgba[:, 40:] = 0
    half = build_mesh(full.vertices, full.vertices, rgba, np.zeros(len(full.vertices), np.bool_))
    assert len(half.triangles) < 0.7 * len(full.triangles)
    assert half.fine == len(half.triangles)


def test_triangles_outside_the_frame_change_nothing_inside(monkeypatch: pytest.MonkeyPatch):
    """A mesh that reaches far out of the frame is drawn with the same bytes as if all its triangles were painted."""
    mesh, _ = grid_mesh(False)
    rng = np.random.default_rng(7)
    target = mesh.vertices * 3 - [90, 70] + rng.normal(0, 2, mesh.vertices.shape)
    depth = rng.random(len(target))
    box, drawn = draw_mesh(mesh, target, depth, 50, 70)
    shown = in_box(target[mesh.triangles], box)
    assert 0 < shown.sum() < 0.5 * len(shown)
    monkeypatch.setattr(
        "bodydouble.renderers.puppet.drawing.mesh.in_box", lambda corners, box: np.ones(len(corners), bool)
    )
    whole_box, whole = draw_mesh(mesh, target, depth, 50, 70)
    assert whole_box == box
    assert np.array_equal(whole, drawn)


def test_the_edge_of_a_fold_has_no_steps():
    """Where the source jumps, the two sides are blended over two pixels each; elsewhere nothing changes."""
    drawn = np.zeros((20, 20, 4), np.uint8)
    drawn[:, 10:] = 200
    source = np.stack(np.meshgrid(np.arange(20.0), np.arange(20.0)), -1).astype(np.float32)
    source[:, 10:, 0] += 30
    smooth_folds(drawn, source)
    assert (drawn[:, 9] > 20).all()
    assert (drawn[:, 10] < 180).all()
    assert (drawn[:, :8] == 0).all()
    assert (drawn[:, 12:] == 200).all()


@pytest.mark.parametrize(("side", "softened"), [(100, True), (40, False)])
def test_a_small_face_is_softened_at_its_folds_alone(side: int, softened: bool):
    """With what lies beside its folds softened, too, a small face would be a blur."""
    drawn = np.random.default_rng(1).integers(0, 255, (side, side, 4), np.uint8)
    before = drawn.copy()
    source = np.stack(np.meshgrid(np.arange(float(side)), np.arange(float(side))), -1).astype(np.float32)
    source[:, 20:, 0] += 30
    smooth_folds(drawn, source)
    assert (drawn[:, 19:21] != before[:, 19:21]).any()
    assert (drawn[:, [18, 21]] != before[:, [18, 21]]).any() == softened


def test_without_a_fold_a_drawing_keeps_its_edges():
    """An edge of the texture itself stays as sharp as it is."""
    drawn = np.zeros((20, 20, 4), np.uint8)
    drawn[:, 10:] = 200
    before = drawn.copy()
    smooth_folds(drawn, np.stack(np.meshgrid(np.arange(20.0), np.arange(20.0)), -1).astype(np.float32))
    assert np.array_equal(drawn, before)


def test_a_triangle_across_a_bay_of_the_outline_is_dropped():
    """Slivers that join the far ends of an outline are no part of the mesh; all others stay."""
    square = np.stack(np.meshgrid(np.arange(0, 60, 10.0), np.arange(0, 60, 10.0)), -1).reshape(-1, 2)
    angle = square[(square[:, 0] < 20) | (square[:, 1] < 20)]
    rgba = np.full((60, 60, 4), 255, np.uint8)
    fine = np.zeros(len(angle), np.bool_)

    whole, kept = build_mesh(angle, angle, rgba, fine), build_mesh(angle, angle, rgba, fine, edge_max=15.0)

    corners = angle[kept.triangles]
    assert len(kept.triangles) < len(whole.triangles)
    assert np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max() < 15
    assert kept.fine == len(kept.triangles)


@pytest.mark.parametrize("width", [0.05, -0.05])
def test_hair_beside_a_face_is_not_seen_from_its_edge(width):
    """A part beside the face that is turned to a sliver, or just beyond, leaves nothing above the rest."""
    xs, ys = np.linspace(0, 40, 24), np.linspace(0, 60, 20)
    face = np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2)
    hair = np.stack(np.meshgrid(np.linspace(42, 60, 10), ys), -1).reshape(-1, 2)
    vertices = np.concatenate([face, hair])
    every = np.ones(len(vertices), np.bool_)
    mesh = build_mesh(vertices, vertices, np.full((61, 61, 4), 255, np.uint8), every, ~every)
    target = vertices + [10, 40]
    target[len(face) :] = np.c_[50 + width * (hair[:, 0] - 40), hair[:, 1] + 40 - 1.5 * (hair[:, 0] - 40)]
    drawn = draw_mesh(mesh, target, np.zeros(len(vertices)), 120, 90)
    assert drawn is not None
    (_, y0, _, _), rgba = drawn
    assert rgba[50 - y0, 20, 3] == 255
    assert not rgba[: 34 - y0].any()
