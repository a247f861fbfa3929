"""The interface of a perception back-end: networks that find people, measure a body and make mattes.

Windows, cuts, tracking, the choice of the person, faces and resuming are the same for every back-end.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Box, Image, Points
from bodydouble.perception.geometry import Roi
from bodydouble.perception.landmarks import BodyLandmarks, BodyNet
from bodydouble.perception.matte import BoxedMatte, MatteMaker, MatteState
from bodydouble.perception.pack import ModelPack
from bodydouble.perception.people import PeopleFinder, Person
from bodydouble.perception.person_landmarks import PersonLandmarks
from bodydouble.perception.rivals import NOBODY


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

    def find_others(self, image: Image, known: Person) -> list[Box]:
        """Boxes of people, possibly including ``known``, at the lowest cost."""
        ...

    def find_near(self, image: Image, known: Person, place: Points) -> list[Person]:
        """People near ``place`` (2,) px other than ``known``. People cut off by the frame's edge are found too."""
        ...


class MatteSource(Protocol):
    """Makes mattes of consecutive frames.

    ``neighbours`` are the bodies of others near the person in the newest frame, as far as they are followed.
    """

    neighbours: list[BodyLandmarks]

    def reset(self) -> None:
        """Forget the frames before: after a cut, or where nobody is present."""
        ...

    def make(self, image: Image, person: PersonLandmarks, others: NDArray[np.float64] = NOBODY) -> BoxedMatte:
        """The matte of ``person`` in ``image``. ``others`` (N, 4) are where other people were when last searched."""
        ...

    def saved(self) -> MatteState:
        """The state from which the next window starts. All other memory of past frames is dropped now."""
        ...

    def restore(self, state: MatteState) -> None:
        """Continue from what ``saved`` returned."""
        ...


class Networks(Protocol):
    """One back-end. Each object that it makes may be used from one thread."""

    name: str  # stored with each window: windows of other networks are not continued
    interpolates: bool  # whether bodies between measured frames may be interpolated

    def people(self) -> PeopleSource: ...
    def body(self) -> BodySource: ...
    def mattes(self) -> MatteSource: ...

    def close(self) -> None:
        """Free the memory. No method may be called afterwards."""
        ...


class PackNetworks:
    """The small networks of the model pack, on the CPU."""

    name = "cpu"
    interpolates = True

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
        """Nothing to free."""
