"""Landmarks from the networks' outputs."""

from typing import Any

import numpy as np

from bodydouble.perception import landmarks
from bodydouble.perception.geometry import Roi
from bodydouble.perception.landmarks import BODY_COLUMNS, BODY_ROWS, HEAT_CELL, HEAT_SIDE, POSE_SIDE
from bodydouble.perception.litert import sigmoid
from bodydouble.perception.pack import ModelPack


def _refined_one_by_one(raw: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """MediaPipe's refinement, point after point: the slow reference."""
    result = raw.copy()
    for k, (x, y) in enumerate((raw[:, :2] / HEAT_CELL).astype(int).tolist()):
        x0, x1, y0, y1 = max(x - 3, 0), min(x + 4, HEAT_SIDE), max(y - 3, 0), min(y + 4, HEAT_SIDE)
        if x0 >= x1 or y0 >= y1:
            continue
        patch = sigmoid(heat[y0:y1, x0:x1, k]).astype(np.float64)
        if patch.max() >= 0.5:
            result[k, 0] = (patch.sum(0) * np.arange(x0, x1)).sum() / patch.sum() * HEAT_CELL
            result[k, 1] = (patch.sum(1) * np.arange(y0, y1)).sum() / patch.sum() * HEAT_CELL
    return result


def test_points_move_to_the_middle_of_their_heat(model_pack: ModelPack, monkeypatch: Any):
    """All points at once as one by one: sure and unsure ones, at the border and outside."""
    rng = np.random.default_rng(0)
    raw = rng.uniform(-40, POSE_SIDE + 40, (BODY_ROWS, BODY_COLUMNS))
    heat = rng.normal(-6, 3, (HEAT_SIDE, HEAT_SIDE, BODY_ROWS)).astype(np.float32)
    for k, (x, y) in enumerate((raw[:, :2] / HEAT_CELL).astype(int).clip(0, HEAT_SIDE - 1).tolist()):
        heat[y, x, k] = 3 if k % 3 else -3
    outputs = [raw.astype(np.float32).ravel(), heat, np.zeros((POSE_SIDE, POSE_SIDE, 1), np.float32), np.ones(1)]
    net = landmarks.BodyNet(model_pack)
    monkeypatch.setattr(net._net, "run", lambda image: outputs)
    roi = Roi(x=POSE_SIDE / 2, y=POSE_SIDE / 2, size=POSE_SIDE)
    found = net.run(np.zeros((POSE_SIDE, POSE_SIDE, 3), np.uint8), roi)
    expected = _refined_one_by_one(raw.astype(np.float32).astype(np.float64), heat)[: len(found.points), :2]
    assert np.abs(found.points - expected).max() < 1e-3
