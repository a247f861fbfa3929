"""The parts of perception that a back-end brings: who finds people, who measures a body, who makes mattes.

Windows, cuts, following, the choice of the person, faces and resuming are the same for all of them.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image
from bodydouble.perception.figure import Figure
from bodydouble.perception.geometry import Roi
from bodydouble.perception.landmarks import BodyLandmarks, BodyNet
from bodydouble.perception.matte import BoxedMatte, MatteMaker, MatteState
from bodydouble.perception.pack import ModelPack
from bodydouble.perception.people import PeopleFinder, Person


class BodySource(Protocol):
    """Measures the body in a region."""

    def run(self, image: Image, roi: Roi) -> BodyLandmarks:
        """The body in ``roi``; ``score`` (0-1) says whether there is one, ``next_roi`` where to look next."""
        ...


class PeopleSource(Protocol):
    """Finds people in a whole picture."""

    @property
    def body_net(self) -> BodySource:
        """The network that measured the bodies."""
        ...

    def find(self, image: Image) -> list[Person]:
        """Everybody, largest first."""
        ...

    def find_others(self, image: Image, known: Person) -> list[NDArray[np.float64]]:
        """Boxes (4,) of people who may be others than ``known``, as cheaply as it goes."""
        ...


class MatteSource(Protocol):
    """Makes mattes of consecutive frames."""

    def reset(self) -> None:
        """A cut, or nobody there: nothing of the frames before may show."""
        ...

    def make(self, image: Image, figure: Figure) -> BoxedMatte:
        """The matte of the person in ``image``."""
        ...

    def saved(self) -> MatteState:
        """What the next window starts from; whatever else is remembered is forgotten now."""
        ...

    def restore(self, state: MatteState) -> None:
        """Go on from what ``saved`` answered."""
        ...


class Networks(Protocol):
    """One back-end. What it makes may be used from one thread each."""

    name: str  # what made a window: others' windows are not continued
    foretells: bool  # whether bodies between measured frames may be foretold instead of measured

    def people(self) -> PeopleSource: ...
    def body(self) -> BodySource: ...
    def mattes(self) -> MatteSource: ...

    def close(self) -> None:
        """Leave the memory to others; nothing is made any more."""
        ...


class PackNetworks:
    """The small networks of the model pack, on the CPU."""

    name = "cpu"
    foretells = True

    def __init__(self, pack: ModelPack) -> None:
        self._pack = pack

    def people(self) -> PeopleFinder:
        """MediaPipe's detectors, confirmed by its landmarks."""
        return PeopleFinder(self._pack)

    def body(self) -> BodyNet:
        """BlazePose."""
        return BodyNet(self._pack)

    def mattes(self) -> MatteMaker:
        """Pose and selfie segmentation, fused."""
        return MatteMaker(self._pack)

    def close(self) -> None:
        """Nothing is held."""
