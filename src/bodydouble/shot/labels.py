"""Visible labels that say that a video was generated, and where in the frame they cover no face."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.media import VideoInfo, VideoReader
from bodydouble.media.mux import RESULT_COMMENT
from bodydouble.perception import ModelPack, Perception, PersonTrack
from bodydouble.perception.arrays import Image
from bodydouble.perception.people import PeopleFinder
from bodydouble.perception.track import BYSTANDERS_MAX, empty_track
from bodydouble.renderers.plugin import REPLACE
from bodydouble.renderers.protocol import PlacesCharacter, PreparedShot
from bodydouble.renderers.shot_inputs import LABEL_BOTH, LABEL_CHINA, LABEL_EU, NO_LABEL
from bodydouble.shot.request import ShotRequest

EU_TEXT = "AI"
"""The interim icon of the EU's Code of Practice on marking and labelling (2026): the acronym."""
CHINA_TEXT = "AI生成"
"""GB 45438-2025, 5.5: "AI" or "人工智能", with "生成" or "合成"."""
CHINA_SECONDS = 3.0
"""Time from the start in which the label is shown; the standard requires at least two seconds."""
HEIGHT_SHARE = 0.05
"""Height of the letters, of the frame's short side: the least of GB 45438-2025."""
LETTERS_HEIGHT_MIN = 12
"""Pixels; smaller letters are not legible. Chosen by eye at 360 lines."""
FONT_SHARE = 0.72
"""Height of a capital letter over the size of OpenCV's font; measured on its built-in font."""
PADDING_SHARE, MARGIN_SHARE = 0.4, 0.6
"""Shares of the letters' height: around the text in its box, and from the box to the frame's edge."""
BOX_COLOUR, TEXT_COLOUR = (24, 24, 24), (255, 255, 255)
"""RGB; a contrast of 17 to 1 (WCAG 2.2 asks for 4.5)."""
PLACES = 5
"""Positions that are tried along each of the upper and the lower edge."""
HEAD_GROWTH = 0.6
"""Share of the face's size that is added on each side, for hair and larger heads. Chosen by eye on the demo's clip."""
HEAD_SHARE = 0.4
"""Upper part of a person's box that can hold the head, if no face was found."""

CONTENT_ID_DIGITS = 32
"""Hexadecimal digits of the content's number in China's label: 128 bits of a SHA-256."""
Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels


@dataclass(frozen=True, kw_only=True)
class LabelKind:
    """A text, and for how long it is shown."""

    text: str
    seconds: float  # from the start


EU, CHINA = LabelKind(text=EU_TEXT, seconds=float("inf")), LabelKind(text=CHINA_TEXT, seconds=CHINA_SECONDS)
KINDS: Mapping[str, tuple[LabelKind, ...]] = {LABEL_EU: (EU,), LABEL_CHINA: (CHINA,), LABEL_BOTH: (CHINA, EU)}
"""Value of the input ``label`` → its texts; while the first is shown, the second is not."""


def result_texts(request: ShotRequest, made_from: bytes) -> dict[str, str]:
    """The metadata of the result: a comment, and for China's label the implicit label of GB 45438-2025.

    ``made_from`` identifies the inputs: the same inputs give the same number of the content.
    """
    texts = {"comment": RESULT_COMMENT}
    if request.label not in (LABEL_CHINA, LABEL_BOTH):
        return texts
    content = {
        "Label": "1",  # generated
        "ContentProducer": request.label_producer,
        "ProduceID": hashlib.sha256(made_from).hexdigest()[:CONTENT_ID_DIGITS],
        "ReservedCode1": "",
        "ContentPropagator": "",
        "PropagateID": "",
        "ReservedCode2": "",
    }
    return texts | {"AIGC": json.dumps(content, ensure_ascii=False)}


def visible_label(
    request: ShotRequest,
    size: tuple[int, int],
    info: VideoInfo,
    footage: VideoReader,
    seen: Perception,
    moved: Callable[[], PersonTrack],
) -> "VisibleLabel | None":
    """The label that ``request`` asks for; None if it asks for none.

    ``size``: of the result's frames. ``moved``: returns the people in these frames in mode animate.
    """
    if request.label == NO_LABEL:
        return None
    people = seen.track if request.mode == REPLACE else moved()
    return VisibleLabel(request.label, size, [at * info.time_base for at in footage.pts], people)


def people_in_picture(pack: ModelPack, picture: Image, prepared: PreparedShot, frames: int) -> PersonTrack:
    """The people in the frames of mode animate, whose background is ``picture``: they stay, and the character moves.

    The character's first place is kept free too. Renderers that do not say where it moves have only that.
    """
    track = prepared.placed if isinstance(prepared, PlacesCharacter) else empty_track(frames)
    boxes = [person.box for person in PeopleFinder(pack).find(picture)[:BYSTANDERS_MAX]]
    track.bystanders[:, : len(boxes)] = boxes
    return track


class VisibleLabel:
    """Draws the label of a shot. The same frames get the same label in every process."""

    def __init__(self, label: str, size: tuple[int, int], times: Sequence[Fraction], track: PersonTrack) -> None:
        """``size``: width and height of the frames. ``times``: of the frames, in seconds.

        ``track``: the person whose place the character takes, in the coordinates of the frames.
        """
        self._kinds = KINDS[label]
        self._size, self._track = size, track
        self._seconds = np.array([float(at - times[0]) for at in times])  # from the start
        self._boxes = {kind.text: _text_box(kind.text, min(size)) for kind in self._kinds}
        self._steady: dict[tuple[int, str], Box | None] = {}

    def draw(self, image: Image, index: int) -> Image:
        """A copy of the frame ``index`` (H, W, 3) with its label; the frame itself if it has none."""
        kind = next((kind for kind in self._kinds if self._seconds[index] < kind.seconds), None)
        if kind is None:
            return image
        patch = self._boxes[kind.text]
        left, top, right, bottom = self._place(kind, index)
        labelled = image.copy()
        labelled[top:bottom, left:right] = patch[: bottom - top, : right - left]
        return labelled

    def _place(self, kind: LabelKind, index: int) -> Box:
        """The same place in all frames between two cuts if one is free in all of them, else one that is free here."""
        cut = int(self._track.shot[index])
        key = (cut, kind.text)
        places = list(_places(self._size, self._boxes[kind.text].shape[1], self._boxes[kind.text].shape[0]))
        if key not in self._steady:
            frames = np.flatnonzero((self._track.shot == cut) & (self._seconds < kind.seconds))
            heads = [head for frame in frames for head in self._heads(int(frame))]
            self._steady[key] = next((place for place in places if not _overlap(place, heads)), None)
        heads_here = self._heads(index)
        return self._steady[key] or min(places, key=lambda place: _overlap(place, heads_here))

    def _heads(self, index: int) -> list[Box]:
        """Boxes that can hold heads in a frame."""
        found: list[Box] = []
        track = self._track
        if track.face_found[index]:
            points = track.face[index, :, :2]
            low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
            grown = (high - low) * HEAD_GROWTH
            found.append(_box(*(low - grown), *(high + grown)))
        elif track.present[index]:
            found.append(_upper_part(track.box[index]))
        found += [_upper_part(box) for box in track.bystanders[index] if not np.isnan(box).any()]
        return found


def _upper_part(person: NDArray[np.float32]) -> Box:
    x0, y0, x1, y1 = (float(value) for value in person)
    return _box(x0, y0, x1, y0 + (y1 - y0) * HEAD_SHARE)


def _box(left: float, top: float, right: float, bottom: float) -> Box:
    return int(np.floor(left)), int(np.floor(top)), int(np.ceil(right)), int(np.ceil(bottom))


def _overlap(place: Box, heads: list[Box]) -> int:
    """Pixels of ``place`` that heads cover."""
    left, top, right, bottom = place
    return sum(
        max(0, min(right, head[2]) - max(left, head[0])) * max(0, min(bottom, head[3]) - max(top, head[1]))
        for head in heads
    )


def _places(size: tuple[int, int], width: int, height: int) -> Iterator[Box]:
    """Where a box of this size can be, the best first: the upper edge from the left, then the lower one."""
    margin = round(_letters_height(min(size)) * MARGIN_SHARE)
    width, height = min(width, size[0]), min(height, size[1])
    lefts = np.linspace(min(margin, size[0] - width), max(size[0] - margin - width, 0), PLACES).astype(int)
    for top in (min(margin, size[1] - height), max(size[1] - margin - height, 0)):
        for left in lefts:
            yield int(left), int(top), int(left) + width, int(top) + height


def _letters_height(short_side: int) -> int:
    return max(LETTERS_HEIGHT_MIN, int(np.ceil(short_side * HEIGHT_SHARE)))


def _text_box(text: str, short_side: int) -> Image:
    """The label as an (h, w, 3) picture with even sides, letters at least as high as the rules ask."""
    letters = _letters_height(short_side)
    font = cv2.FontFace("uni")  # part of OpenCV; it has Chinese
    size, padding = int(np.ceil(letters / FONT_SHARE)), round(letters * PADDING_SHARE)
    canvas = np.zeros((4 * size, (len(text) + 2) * 2 * size, 3), np.uint8)
    cv2.putText(canvas, text, (size, 2 * size), (255, 255, 255), font, size)
    x, y, width, height = cv2.boundingRect(canvas[..., 0])
    share = canvas[y : y + height, x : x + width, :1].astype(np.float32) / 255
    box = np.empty((height + 2 * padding + height % 2, width + 2 * padding + width % 2, 3), np.uint8)
    box[:] = BOX_COLOUR
    inside = box[padding : padding + height, padding : padding + width]
    inside[:] = np.rint(share * TEXT_COLOUR + (1 - share) * BOX_COLOUR).astype(np.uint8)
    return box
