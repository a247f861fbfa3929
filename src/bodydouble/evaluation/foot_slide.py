"""Whether feet that rest on the ground stay where they are."""

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.landmark_indices import BodyPoint
from bodydouble.perception.track import PersonTrack

FEET = (
    [BodyPoint.LEFT_ANKLE, BodyPoint.LEFT_HEEL, BodyPoint.LEFT_TOE],
    [BodyPoint.RIGHT_ANKLE, BodyPoint.RIGHT_HEEL, BodyPoint.RIGHT_TOE],
)
SEEN_MIN = 0.5
"""Visibility of all points of a foot from which it is measured."""
SHORT_SIDE = 480
"""Speeds are given as at this short side, so that sizes compare."""
RESTING_MAX = 1.0
"""Pixels a frame at that size: an actor's foot that moves less rests."""
FRAMES_MIN = 8
"""Steps of a resting foot, of both feet together, from which there is a measure."""


def foot_slide(actor: PersonTrack, character: PersonTrack, size: tuple[int, int]) -> float | None:
    """Speed of the character's feet while the actor's rest, less the actor's: pixels a frame at 480P.

    0 is as still as the actor; negative is stiller. None where no foot rests in sight. ``size`` is width and height. A
    foot that is nearer to the actor's other one is not judged: the network has taken left for right.
    """
    zoom = SHORT_SIDE / min(size)
    excess: list[float] = []
    same_shot = actor.shot[1:] == actor.shot[:-1]
    both = actor.present & character.present
    theirs, ours = (_feet(track, size, both) for track in (actor, character))
    for side in range(len(FEET)):
        confused = _distances(ours[side], theirs[1 - side]) < _distances(ours[side], theirs[side])
        places = theirs[side], np.where(confused[:, None], np.nan, ours[side])
        speeds = [np.linalg.norm(np.diff(middle, axis=0), axis=1) * zoom for middle in places]
        resting = same_shot & (speeds[0] < RESTING_MAX) & np.isfinite(speeds[1])
        excess += (speeds[1] - speeds[0])[resting].tolist()
    return float(np.mean(excess)) if len(excess) >= FRAMES_MIN else None


def _feet(track: PersonTrack, size: tuple[int, int], frames: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(2, F, 2) px, the middles of both feet where they are seen in ``frames`` (F,), else NaN."""
    result = np.stack([track.body[:, foot, :2].astype(np.float64).mean(1) for foot in FEET])
    seen = np.stack([track.visibility[:, foot].min(1) > SEEN_MIN for foot in FEET])
    inside = ((result >= 0) & (result < size)).all(-1)
    result[~(inside & seen & frames)] = np.nan
    return result


def _distances(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """(F,) between the points of ``a`` and ``b`` (F, 2)."""
    return np.asarray(np.linalg.norm(a - b, axis=1), np.float64)
