"""What is left of the actor."""

import numpy as np
import pytest

from bodydouble.evaluation.regions import difference
from bodydouble.evaluation.residue import Residue
from bodydouble.perception.track import PersonTrack, empty_track
from material import astronaut


def _share(
    source: np.ndarray,
    made: np.ndarray,
    actor: np.ndarray,
    character: np.ndarray,
    track: PersonTrack | None = None,
) -> float:
    residue = Residue()
    residue.add(empty_track(1) if track is None else track, 0, actor, character, difference(source, made))
    result = residue.result()
    assert result is not None
    return result


@pytest.fixture
def scene() -> tuple[np.ndarray, np.ndarray]:
    """A picture and the matte of somebody in it."""
    matte = np.zeros((512, 512), np.uint8)
    matte[100:500, 100:400] = 255
    return astronaut(), matte


def test_an_untouched_video_is_all_residue(scene: tuple[np.ndarray, np.ndarray]) -> None:
    """An output that is the source still shows the whole actor, whatever its matte says."""
    source, actor = scene
    assert _share(source, source, actor, actor) == pytest.approx(1)
    assert _share(source, source, actor, np.zeros_like(actor)) == pytest.approx(1)


def test_a_covered_or_painted_over_actor_leaves_nothing(scene: tuple[np.ndarray, np.ndarray]) -> None:
    """Neither under another figure nor under a plate is anything left."""
    source, actor = scene
    made = 255 - source
    made[np.abs(made.astype(int) - source).mean(-1) < 10] = 255
    assert _share(source, made, actor, actor) < 0.01
    assert _share(source, made, actor, np.zeros_like(actor)) < 0.06


def test_an_arm_that_stayed_counts_though_the_matte_takes_it_in(scene: tuple[np.ndarray, np.ndarray]) -> None:
    """A part of the actor beside the character is residue even where it looks like the character's."""
    source, actor = scene
    made = source.copy()
    made[:, :300] = 255 - made[:, :300]
    assert 0.2 < _share(source, made, actor, actor) < 0.36


def test_who_stands_before_hidden_legs_is_no_residue(scene: tuple[np.ndarray, np.ndarray]) -> None:
    """The matte takes in somebody who hides the actor's legs, and stays; what is left of the actor's chest counts."""
    source, actor = scene
    made = source.copy()
    made[:300] = 255 - made[:300]
    track = empty_track(1)
    track.body[0, [11, 12], 1], track.body[0, [23, 24], 1] = 220, 350

    assert _share(source, made, actor, actor, track) < 0.06
    assert _share(source, source, actor, actor, track) == pytest.approx(1)

    track.visibility[0, 25] = 0.9  # nobody hides the legs: they stayed
    assert _share(source, made, actor, actor, track) > 0.4
    track.visibility[0, 25], track.body[0, [23, 24], 1] = 0, 480  # the frame's edge hides them
    assert _share(source, made, actor, actor, track) > 0.4


def test_nobody_is_not_measured() -> None:
    """Frames without an actor say nothing."""
    residue = Residue()
    residue.add(
        empty_track(1), 0, np.zeros((40, 40), np.uint8), np.zeros((40, 40), np.uint8), np.zeros((40, 40), np.float32)
    )
    assert residue.result() is None
