"""Who is in a video when it begins: what a caller can choose from."""

from dataclasses import dataclass

from bodydouble.perception.arrays import Image
from bodydouble.perception.footage import Footage
from bodydouble.perception.pack import ModelPack
from bodydouble.perception.people import PeopleFinder
from bodydouble.perception.tracking import search_is_due
from bodydouble.tasks.errors import NobodyFound

START_FRAMES_MAX = 49
"""Frames in which people are looked for before it is said that there are none: two seconds, nine searches."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A box in a picture as shares (0-1) of its width and height: left and upper edge, width, height."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class Cast:
    """The people in frame ``index``, largest first: their ranks and points are those that ``PersonChoice`` means."""

    index: int
    image: Image  # (H, W, 3) RGB
    places: list[Place]


def first_people(pack: ModelPack, footage: Footage) -> Cast:
    """Everybody in the first frame with people in it; the frames looked at are those that following looks at.

    Raises:
        NobodyFound: nobody in the first ``START_FRAMES_MAX`` frames.
    """
    finder = PeopleFinder(pack)
    for index, image in footage.read(0, min(START_FRAMES_MAX, footage.frames)):
        people = finder.find(image) if search_is_due(index) else []
        if people:
            height, width = image.shape[:2]
            corners = [(person.box / [width, height, width, height]).tolist() for person in people]
            places = [Place(x=x0, y=y0, width=x1 - x0, height=y1 - y0) for x0, y0, x1, y1 in corners]
            return Cast(index=index, image=image, places=places)
    raise NobodyFound(
        f"video: nobody was found in its first {START_FRAMES_MAX} frames. Use a video that begins with the person to "
        "be replaced, or leave the choice of the person away.",
        field="video",
    )
