"""Measuring and removing colour drift."""

import numpy as np

from bodydouble.renderers.wan.colour import measure_drift

FRAMES, HEIGHT, WIDTH = 5, 64, 96


def drifted() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Frames with a known, growing drift; the original smooth frames; the trusted pixels; and the times."""
    ramp = np.linspace(40, 200, WIDTH)[None, :, None] + np.linspace(0, 30, HEIGHT)[:, None, None]
    known = np.broadcast_to(ramp, (FRAMES, HEIGHT, WIDTH, 3)).round().astype(np.uint8)
    times = np.arange(FRAMES) / FRAMES
    gain = 1 + 0.08 * times[:, None, None, None] * np.array([1, 0, -1])
    made = known * gain + 255 * np.array([0.02, -0.03, 0.0])
    trusted = np.ones((FRAMES, HEIGHT, WIDTH), np.bool_)
    return made.clip(0, 255).round().astype(np.uint8), known, trusted, times


def test_a_known_drift_is_removed() -> None:
    """A growing gain and an offset are measured; the remaining error is below two levels of 255."""
    made, known, trusted, times = drifted()
    drift = measure_drift(made, known, trusted, times)
    assert drift is not None
    before = np.abs(made.astype(int) - known).mean((1, 2))
    after = [np.abs(drift.take_back(m, t).astype(int) - k).mean() for m, k, t in zip(made, known, times, strict=True)]
    assert before.max() > 6
    assert max(after) < 2


def test_the_person_is_ignored() -> None:
    """Wrong pixels outside the trusted mask have no effect, nor does a small wrong area in the background."""
    made, known, trusted, times = drifted()
    made[:, 16:48, 24:72] = 255
    trusted[:, 16:48, 24:72] = False
    made[:, :8, :8] = 0
    drift = measure_drift(made, known, trusted, times)
    assert drift is not None
    assert np.abs(drift.take_back(made[-1], times[-1])[50:].astype(int) - known[-1][50:]).mean() < 2


def test_without_background_nothing_is_measured() -> None:
    """If the person fills the frame, there is no background to compare, and the result is None."""
    made, known, trusted, times = drifted()
    assert measure_drift(made, known, np.zeros_like(trusted), times) is None
