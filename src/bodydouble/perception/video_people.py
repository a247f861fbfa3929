"""The people at the start of a video: what a caller can choose from."""

from dataclasses import dataclass

import cv2

from bodydouble.perception.arrays import Image
from bodydouble.perception.footage import Footage
from bodydouble.perception.pack import ModelPack
from bodydouble.perception.people import PeopleFinder
from bodydouble.perception.tracking import search_is_due
from bodydouble.tasks.errors import NobodyFound

LABEL_SIDE_PIXELS = 480
"""Short side of a frame at which OpenCV's letters have their plain size; chosen by eye on the demo's clip."""
LABEL_PIXELS = 48
"""Side of a number's field at that size; chosen by eye there."""
BLACK, YELLOW = (0, 0, 0), (255, 220, 0)
"""RGB."""
START_FRAMES_MAX = 49
"""Frames that are searched for people: two seconds at 24 fps, nine searches."""


@dataclass(frozen=True, kw_only=True)
class PersonPosition:
    """A box as shares (0-1) of the picture's width and height: left edge, top edge, width, height."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class VideoPeople:
    """The people in frame ``frame_index``, largest first, in the order that ``PersonChoice.rank`` counts."""

    frame_index: int
    image: Image
    positions: list[PersonPosition]


def draw_numbers(seen: VideoPeople) -> Image:
    """A copy of the frame with a box around each person and its index, which ``PersonChoice.rank`` counts."""
    picture = seen.image.copy()
    height, width = picture.shape[:2]
    scale = min(height, width) / LABEL_SIDE_PIXELS
    for index, place in enumerate(seen.positions):
        x0, y0 = round(place.x * width), round(place.y * height)
        x1, y1 = round((place.x + place.width) * width), round((place.y + place.height) * height)
        for colour, line in ((BLACK, 4), (YELLOW, 2)):  # visible on any background
            cv2.rectangle(picture, (x0, y0), (x1, y1), colour, max(1, round(line * scale)))
        left, top = max(x0, 0), max(y0, 0)
        side = round(LABEL_PIXELS * scale)
        cv2.rectangle(picture, (left, top), (left + side * len(str(index)), top + side), YELLOW, cv2.FILLED)
        at, thickness = (left + side // 5, top + side * 4 // 5), max(1, round(3 * scale))
        cv2.putText(picture, str(index), at, cv2.FONT_HERSHEY_SIMPLEX, 1.5 * scale, BLACK, thickness, cv2.LINE_AA)
    return picture


def first_people(pack: ModelPack, footage: Footage) -> VideoPeople:
    """Everybody in the first frame that shows people. Searches the same frames as ``perceive``.

    Raises:
        NobodyFound: no person in the first ``START_FRAMES_MAX`` frames.
    """
    finder = PeopleFinder(pack)
    for index, image in footage.read(0, min(START_FRAMES_MAX, footage.frames)):
        people = finder.find(image) if search_is_due(index) else []
        if people:
            height, width = image.shape[:2]
            corners = [(person.box / [width, height, width, height]).tolist() for person in people]
            positions = [PersonPosition(x=x0, y=y0, width=x1 - x0, height=y1 - y0) for x0, y0, x1, y1 in corners]
            return VideoPeople(frame_index=index, image=image, positions=positions)
    raise NobodyFound(
        f"video: no person was found in the first {START_FRAMES_MAX} frames. Use a video that begins with the person "
        "to be replaced, or do not choose a person.",
        field="video",
    )
