"""Captions that are drawn on the video: they stay in front of the character, and are no background.

A caption is a row of letters in one bright colour. It stands still to the pixel while the person below it moves.
"""

from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Mask, Matte, PixelBox
from bodydouble.renderers.puppet.compositing.blending import blended
from bodydouble.tasks.atomic_files import atomic_file

LOOK_SECONDS, SHOWN_SECONDS = 0.25, 2.0
"""Seconds between two frames that are looked at, and before and after these in which a caption may be shown."""
WINDOW, HOP = 4, 2
"""Frames that are compared at once, and by how many the next window is later. What is shorter is not found."""
STILL_LEVELS = 16
"""Levels (0-255) by which a still pixel changes at most: noise of the compression, measured on a music video."""
WHITE_MIN, BRIGHT_MIN, SATURATED_MIN = 190, 200, 110
"""Levels (0-255): least channel of white; largest channel of a bright colour, and its excess over the smallest."""
LETTER_HEIGHT_MIN, LETTER_HEIGHT_MAX, LETTER_WIDTH_MAX = 0.006, 0.12, 0.4
"""Picture heights: bounds of a piece of the row. Letters may be joined."""
STROKE_MAX = 0.02
"""Largest half thickness of a letter's strokes, in picture heights."""
SAME_COLOUR = 40
"""Levels (0-255) of every channel within which the letters of a row are alike."""
COLOURS_MAX, PIECES_MAX = 3, 600
"""Colours of captions at one time, and pieces of letters, that are looked at."""
LETTERS_MIN, ROW_LENGTH_MIN = 4, 3.0
"""Pieces of a row at least, and its length over its height."""
SPACE = 1.0
"""Widest space between the letters of a row, in their heights."""
CONTRAST_MIN = 50
"""Mean difference in levels (0-255) of letters to what is beside them."""
OUTLINE_REACH, OUTLINE_LEVELS, OUTLINE_SHARE_MIN = 0.014, 40, 0.6
"""Picture heights around letters in which their outline is; levels within which it has one colour, and the share of
what is beside the letters that has it."""
EDGE_MIN, EDGE_PIXELS_MIN, STILL_EDGES_MAX = 100.0, 100, 0.25
"""Gradient in levels (Sobel) of an edge; pixels of the person's edges that are needed, and the share of them that may
stand still below a caption. A person who does not move has still buttons, stripes and collars, too."""
ON_PERSON_MIN, ON_PERSON_PIECES_MIN = 0.2, 2
"""Share of a row's letters on the person, and pieces of letters there."""
PERSON_LEVEL = 127
"""Matte level (0-255) from which a pixel is the person's: half of the range."""
SAME_CAPTION = 0.5
"""Common share of two masks from which they are of one caption."""
CHANGED_MAX = 20.0
"""Mean difference in levels (0-255) to a caption up to which a frame shows it."""
SOFT_PIXELS = 0.6
"""Standard deviation of a caption's edge."""
SMALL, WIDE = np.ones((3, 3), np.uint8), np.ones((5, 5), np.uint8)


@dataclass(frozen=True, kw_only=True)
class Caption:
    """A row of letters. ``core`` (h, w) 0 or 255 is what has its own colours, outline included."""

    box: PixelBox
    core: Matte
    colours: Image  # (h, w, 3)
    start: int  # the first frame that may show it
    stop: int  # one past the last one

    @property
    def alpha(self) -> Matte:
        """(h, w) 0-255: its pixels, with the soft edge."""
        return np.asarray(cv2.GaussianBlur(cv2.dilate(self.core, SMALL), (0, 0), SOFT_PIXELS), np.uint8)

    def is_shown(self, index: int, image: Image) -> bool:
        """Whether frame ``index``, which is ``image`` (H, W, 3 or 4), shows it."""
        if not self.start <= index < self.stop:
            return False
        x0, y0, x1, y1 = self.box
        difference = cv2.absdiff(np.ascontiguousarray(image[y0:y1, x0:x1, :3]), self.colours)
        return float(np.mean(cv2.mean(difference, self.core)[:3])) < CHANGED_MAX

    def is_same(self, other: "Caption") -> bool:
        """Whether both are the same row of letters."""
        x0, y0 = min(self.box[0], other.box[0]), min(self.box[1], other.box[1])
        x1, y1 = max(self.box[2], other.box[2]), max(self.box[3], other.box[3])
        masks = np.zeros((2, y1 - y0, x1 - x0), np.bool_)
        for mask, caption in zip(masks, (self, other), strict=True):
            u0, v0, u1, v1 = caption.box
            mask[v0 - y0 : v1 - y0, u0 - x0 : u1 - x0] = caption.core > 0
        return bool(np.count_nonzero(masks.all(0)) > SAME_CAPTION * np.count_nonzero(masks.any(0)))


class Captions:
    """The captions of a video."""

    def __init__(self, captions: list[Caption]) -> None:
        self._captions = captions

    def __len__(self) -> int:
        return len(self._captions)

    def shown(self, index: int, image: Image) -> list[Caption]:
        """Those in frame ``index``, which is ``image`` (H, W, 3 or 4)."""
        return [caption for caption in self._captions if caption.is_shown(index, image)]

    def mask(self, index: int, image: Image) -> Matte | None:
        """(H, W) 0 or 255: where they are in frame ``index``, with their soft edges; None where none is."""
        shown = self.shown(index, image)
        if not shown:
            return None
        result = np.zeros(image.shape[:2], np.uint8)
        for caption in shown:
            x0, y0, x1, y1 = caption.box
            here = result[y0:y1, x0:x1]
            here[:] = cv2.max(here, cv2.dilate(caption.core, WIDE))
        return result

    def lay_over(self, index: int, image: Image, result: Image) -> None:
        """Draw those of frame ``index``, which is ``image`` (H, W, 3), into ``result`` (H, W, 3)."""
        for caption in self.shown(index, image):
            x0, y0, x1, y1 = caption.box
            here = np.s_[y0:y1, x0:x1]
            result[here] = blended(result[here], image[here], caption.alpha)

    def save(self, path: Path) -> None:
        """Write them to ``path`` atomically."""
        arrays: dict[str, Any] = {"count": np.array(len(self._captions))}
        for k, caption in enumerate(self._captions):
            arrays[f"place{k}"] = np.array([*caption.box, caption.start, caption.stop])
            arrays |= {f"core{k}": caption.core, f"colours{k}": caption.colours}
        with atomic_file(path) as part, part.open("wb") as stream:
            np.savez_compressed(stream, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Captions":
        """Those of the file ``path``."""
        captions: list[Caption] = []
        with np.load(path) as data:
            for k in range(int(data["count"])):
                x0, y0, x1, y1, start, stop = data[f"place{k}"].tolist()
                core, colours = data[f"core{k}"], data[f"colours{k}"]
                captions.append(Caption(box=(x0, y0, x1, y1), core=core, colours=colours, start=start, stop=stop))
        return cls(captions)


def captions_path(folder: Path) -> Path:
    """The file of a video's captions."""
    return folder / "captions.npz"


class CaptionFinder:
    """Finds captions in frames that come in order."""

    def __init__(self, frame_rate: float) -> None:
        """``frame_rate`` is the video's, frames a second."""
        self._step, self._reach = round(LOOK_SECONDS * frame_rate), round(SHOWN_SECONDS * frame_rate)
        self._latest: deque[tuple[int, Image, Matte]] = deque(maxlen=WINDOW)
        self._fresh = 0
        self.found: list[Caption] = []

    def start_shot(self) -> None:
        """Compare no frame before with those that follow."""
        self._latest.clear()

    def add(self, index: int, image: Image, matte: Matte) -> None:
        """Look at frame ``index`` with the person's ``matte`` (H, W), if it is time for it."""
        if self._latest and index - self._latest[-1][0] < self._step:
            return
        self._latest.append((index, image, matte))
        self._fresh += 1
        if len(self._latest) < WINDOW or self._fresh < HOP:
            return
        self._fresh = 0
        first, last = self._latest[0][0], self._latest[-1][0]
        for box, core in find_rows([image for _, image, _ in self._latest], [matte for _, _, matte in self._latest]):
            x0, y0, x1, y1 = box
            self._remember(
                Caption(
                    box=box,
                    core=core,
                    colours=self._latest[-1][1][y0:y1, x0:x1].copy(),
                    start=first - self._reach,
                    stop=last + self._reach,
                )
            )

    def _remember(self, caption: Caption) -> None:
        for k, known in enumerate(self.found):
            if caption.start <= known.stop and caption.is_same(known):
                larger = max(known, caption, key=lambda c: cv2.countNonZero(c.core))
                self.found[k] = replace(larger, start=known.start, stop=caption.stop)
                return
        self.found.append(caption)


def find_rows(images: list[Image], mattes: list[Matte]) -> list[tuple[PixelBox, Matte]]:
    """Rows of letters that all ``images`` (H, W, 3) show at one place on the person of ``mattes`` (H, W).

    For each its box, and (h, w) 0 or 255 which pixels in it are the letters' and their outline's.
    """
    person = mattes[0]
    for matte in mattes[1:]:
        person = cv2.min(person, matte)
    person = cv2.threshold(person, PERSON_LEVEL, 255, cv2.THRESH_BINARY)[1]
    x, y, w, h = cv2.boundingRect(person)
    if w == 0:
        return []
    # Rows farther away are not changed anyway, and need not be told from the background.
    height, margin = len(person), round(LETTER_HEIGHT_MAX * len(person))
    top = max(0, y - margin)
    near = np.s_[top : min(height, y + h + margin)]
    rows = _rows_near([image[near] for image in images], person[near], (x, y - top, x + w, y - top + h), height)
    return [((x0, y0 + top, x1, y1 + top), core) for (x0, y0, x1, y1), core in rows]


def _rows_near(images: list[Image], person: MatLike, box: PixelBox, height: int) -> list[tuple[PixelBox, Matte]]:
    """As ``find_rows``, cut to the rows near the ``person`` (h, w), 0 or 255, who is in ``box``.

    ``height`` is the picture's.
    """
    image = low = high = images[-1]
    for other in images[:-1]:
        low, high = cv2.min(low, other), cv2.max(high, other)
    still = np.asarray(_largest(cv2.subtract(high, low)) <= STILL_LEVELS, np.uint8) * np.uint8(255)
    bright = cv2.min(_caption_coloured(image), still)
    side = 2 * round(LETTER_HEIGHT_MAX / 2 * height) + 1
    filled = cv2.morphologyEx(person, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))  # letters are holes in mattes
    here = np.s_[box[1] : box[3], box[0] : box[2]]
    pieces, count = _pieces(cv2.min(bright, filled)[here], height)
    if count < ON_PERSON_PIECES_MIN or not _moves(image[here], person[here], still[here], pieces):
        return []
    on_person = np.zeros_like(still)
    on_person[here] = pieces
    lines = _lines(image, _pieces(bright, height)[0], on_person)
    rows = [_row(image, letters, still, np.asarray(filled, np.uint8), height) for letters in lines]
    return [row for row in rows if row is not None]


def _largest(image: MatLike) -> NDArray[np.uint8]:
    """(h, w) the largest channel of ``image``."""
    red, green, blue = cv2.split(image)
    return np.asarray(cv2.max(cv2.max(red, green), blue), np.uint8)


def _caption_coloured(image: Image) -> Matte:
    """(h, w) 0 or 255: white, or bright and saturated."""
    red, green, blue = cv2.split(image)
    high, low = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    white = cv2.threshold(low, WHITE_MIN - 1, 255, cv2.THRESH_BINARY)[1]
    bright = cv2.threshold(high, BRIGHT_MIN - 1, 255, cv2.THRESH_BINARY)[1]
    saturated = cv2.threshold(cv2.subtract(high, low), SATURATED_MIN - 1, 255, cv2.THRESH_BINARY)[1]
    return np.asarray(cv2.max(white, cv2.min(bright, saturated)), np.uint8)


def _pieces(bright: MatLike, height: int) -> tuple[Matte, int]:
    """(h, w) 0 or 255: the pieces of ``bright`` that are as large as letters, in strokes; and how many they are."""
    result = np.zeros(bright.shape[:2], np.uint8)
    x, y, w, h = cv2.boundingRect(bright)
    here = np.s_[max(0, y - 1) : y + h + 1, max(0, x - 1) : x + w + 1]  # with the dark pixels that end its strokes
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bright[here], ltype=cv2.CV_32S)
    tall, wide = stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_WIDTH]
    fits = (tall >= max(2, LETTER_HEIGHT_MIN * height)) & (tall <= LETTER_HEIGHT_MAX * height)
    fits &= wide <= LETTER_WIDTH_MAX * height
    fits[0] = False
    if not fits.any():
        return result, 0
    thick = cv2.distanceTransform(bright[here], cv2.DIST_L2, cv2.DIST_MASK_3) > STROKE_MAX * height
    fits &= np.bincount(labels[thick], minlength=count) == 0
    result[here] = fits.take(labels)
    return result * np.uint8(255), int(fits.sum())


def _moves(image: Image, person: MatLike, still: MatLike, pieces: Matte) -> bool:
    """Whether the ``person`` moves, but for ``pieces`` that may be letters: whether their edges are not ``still``."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    edges = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) > EDGE_MIN
    near = cv2.dilate(pieces, np.ones((13, 13), np.uint8))
    edges &= (person > 0) & (near == 0)
    total = np.count_nonzero(edges)
    return bool(total >= EDGE_PIXELS_MIN and np.count_nonzero(edges & (still > 0)) <= STILL_EDGES_MAX * total)


def _lines(image: Image, pieces: Matte, wanted: Matte) -> list[Matte]:
    """(h, w) 0 or 255 for each row of ``pieces`` with something ``wanted`` (h, w): its letters, of one colour."""
    count, found, stats, _ = cv2.connectedComponentsWithStats(pieces, ltype=cv2.CV_32S)
    if not LETTERS_MIN < count <= PIECES_MAX:
        return []
    labels = np.asarray(found, np.int32)
    inside = np.flatnonzero(pieces > 0)  # several times as fast as of bytes
    numbers, colours = labels.ravel()[inside], image.reshape(-1, 3)[inside]
    sizes = np.bincount(numbers, minlength=count)
    means = np.stack([np.bincount(numbers, weights=colours[:, c], minlength=count) for c in range(3)], 1)
    means /= np.maximum(sizes, 1)[:, None]
    left, result = np.unique(labels[cv2.min(pieces, wanted) > 0]), []
    for _ in range(COLOURS_MAX):
        if len(left) == 0:
            break
        main = means[left[sizes[left].argmax()]]
        alike = np.asarray((np.abs(means - main) <= SAME_COLOUR).all(1), np.bool_)
        alike[0] = False
        result += _lines_of(labels, stats, alike, wanted)
        left = left[~alike[left]]
    return result


def _lines_of(labels: NDArray[np.int32], stats: MatLike, alike: NDArray[np.bool_], wanted: Matte) -> list[Matte]:
    """As ``_lines``, of the pieces that are ``alike`` (N,)."""
    letters = alike.take(labels).astype(np.uint8) * np.uint8(255)
    tall = float(np.percentile(stats[alike, cv2.CC_STAT_HEIGHT], 75))
    joined = cv2.dilate(letters, np.ones((max(1, round(tall / 4)) | 1, round(SPACE * tall) | 1), np.uint8))
    lines = np.asarray(cv2.connectedComponents(joined, ltype=cv2.CV_32S)[1], np.int32)
    result: list[Matte] = []
    for line in np.unique(lines[cv2.min(letters, wanted) > 0]):
        here = cv2.min(letters, np.asarray(lines == line).astype(np.uint8) * np.uint8(255))
        _, _, w, h = cv2.boundingRect(here)
        if len(np.unique(labels[here > 0])) >= LETTERS_MIN and w >= ROW_LENGTH_MIN * h:
            result.append(np.asarray(here, np.uint8))
    return result


def _row(image: Image, letters: Matte, still: Matte, person: Matte, height: int) -> tuple[PixelBox, Matte] | None:
    """Box and mask of a row of ``letters`` (h, w), if it is on the ``person`` and stands out."""
    if np.count_nonzero(letters & person) < ON_PERSON_MIN * np.count_nonzero(letters):
        return None
    reach = max(2, round(OUTLINE_REACH * height))
    x, y, w, h = cv2.boundingRect(letters)
    aside = max(2 * reach, h)
    x0, y0 = max(0, x - aside), max(0, y - 2 * reach)
    x1, y1 = min(letters.shape[1], x + w + aside), min(letters.shape[0], y + h + 2 * reach)
    here = np.s_[y0:y1, x0:x1]
    picture, core = image[here], letters[here].copy()
    colour = np.median(picture[core > 0], axis=0)
    beside = (cv2.dilate(core, WIDE) > 0) & (cv2.dilate(core, SMALL) == 0)
    around = picture[beside].astype(np.float64)
    if len(around) == 0 or np.abs(around - colour).max(1).mean() < CONTRAST_MIN:
        return None
    # Thin strokes and dots have the letters' colour, too. An outline ends; the background goes on.
    near, fixed = _widened(core, reach), still[here] > 0
    own = _alike(picture, colour)
    outline = _alike(picture, np.median(around, axis=0))
    beyond = _widened(core, 2 * reach) & ~near
    if np.mean(outline[beside] & fixed[beside]) > OUTLINE_SHARE_MIN > np.mean(outline[beyond]):
        own |= outline & near
    core[own & fixed] = 255
    core = cv2.morphologyEx(core, cv2.MORPH_CLOSE, SMALL)
    return (x0, y0, x1, y1), np.asarray(core, np.uint8)


def _widened(mask: Matte, reach: int) -> Mask:
    """(h, w) what is within ``reach`` pixels of ``mask``, across or along."""
    return np.asarray(cv2.dilate(mask, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0)


def _alike(picture: Image, colour: NDArray[np.float64]) -> Mask:
    """(h, w) which pixels have about the ``colour``."""
    return np.abs(picture.astype(np.int16) - np.round(colour).astype(np.int16)).max(2) <= OUTLINE_LEVELS
