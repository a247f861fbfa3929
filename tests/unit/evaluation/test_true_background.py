"""Plate error and residue where the true background is known."""

import numpy as np
import pytest

from bodydouble.evaluation.true_background import TrueBackground, composite
from material import landscape

SIZE = (240, 320)


def _matte(columns: slice) -> np.ndarray:
    matte = np.zeros(SIZE, np.uint8)
    matte[60:220, columns] = 255
    return matte


@pytest.fixture
def shot():
    """A landscape, a red actor over it, and the mattes of actor and character."""
    truth = landscape(1, (320, 240))[0]
    actor = _matte(slice(40, 120))
    source = composite(truth, np.full_like(truth, (230, 20, 20)), actor)
    return truth, source, actor, _matte(slice(200, 260))


def _measured(shot, output) -> tuple[float | None, float | None]:
    truth, source, actor, character = shot
    background = TrueBackground()
    background.add(source, output, truth, actor, character)
    return background.plate_error(), background.residue()


def test_a_perfect_plate_has_no_error(shot):
    """The true background where the actor was: nothing is left."""
    assert _measured(shot, shot[0]) == (0, 0)


def test_what_is_left_of_the_actor_counts(shot):
    """A quarter of the actor that was not removed is residue and error, though its plate is perfect elsewhere."""
    output = shot[0].copy()
    output[60:100, 40:120] = shot[1][60:100, 40:120]

    error, residue = _measured(shot, output)

    assert error is not None
    assert error > 10
    assert residue == pytest.approx(0.25, abs=0.01)


def test_a_wrong_plate_is_an_error_and_no_residue(shot):
    """Invented background differs from the true one without showing the actor."""
    error, residue = _measured(shot, np.clip(shot[0].astype(int) + 10, 0, 255).astype(np.uint8))

    assert error is not None
    assert 5 < error <= 10
    assert residue == 0


def test_a_character_over_the_whole_actor_hides_the_plate(shot):
    """Where the character covers the actor there is nothing to measure."""
    truth, source, actor, _ = shot
    background = TrueBackground()
    background.add(source, truth, truth, actor, np.full(SIZE, 255, np.uint8))

    assert background.plate_error() is None
    assert background.residue() is None
