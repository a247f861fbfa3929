"""The clean plate: the scene without people, for any frame of the shot.

One pass over the frames keeps a ring of samples, and gathers a key plate as soon as its surroundings in time are read.
Memory therefore does not grow with length. The key plates then complete each other (``key_plates``). Between two of
them the frames are cross-faded.
"""

import json
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bodydouble.perception.arrays import Image, Mask, Matte
from bodydouble.perception.footage import Footage, Mattes
from bodydouble.perception.track import PersonTrack
from bodydouble.renderers.puppet.compositing.bystanders import BystanderMasks
from bodydouble.renderers.puppet.compositing.captions import CaptionFinder, Captions, captions_path
from bodydouble.renderers.puppet.compositing.gathering import Sample, median, nearest
from bodydouble.renderers.puppet.compositing.key_plates import complete_plates, store_draft
from bodydouble.renderers.puppet.compositing.letterbox import RINGING_PIXELS, bars, inside
from bodydouble.renderers.puppet.compositing.reduction import largest_channel
from bodydouble.renderers.puppet.compositing.registration import CameraPath, CameraTracker
from bodydouble.renderers.puppet.compositing.removal import (
    DOUBTFUL,
    UNKNOWN,
    forearm_mask,
    forearms_seen,
    person_zone,
    unknown_mask,
)
from bodydouble.renderers.puppet.compositing.stored_plates import Plates, ShotPlates
from bodydouble.tasks.atomic_files import atomic_write

TRACK_EVERY_FRAMES = 2
"""Step at which the camera's movement is followed; between, it is interpolated."""
MOVING_KEY_FRAMES, MOVING_SAMPLE_FRAMES, MOVING_REACH_FRAMES = 16, 4, 80
STILL_KEY_FRAMES, STILL_SAMPLE_FRAMES, STILL_REACH_FRAMES = 240, 8, 160
"""Frames between two key plates, between two samples, and around a key from which its samples are taken, with a moving
and with a still camera."""
SAMPLES_MAX = 44
"""Frames that are held at once: 162 MB at 1280 x 720."""
STILL_MAX, STILL_SIDE = 8, np.ones((7, 7), np.uint8)
"""Levels (0-255) beyond what the sample before shows about a pixel, in such a square, where an arm is still."""
MASKS_KEPT_MAX, DEFLATE_LEVEL = 1000, 1
"""Masks of bystanders that are kept, of a few kB each, and how thoroughly they are packed."""


def shot_spans(track: PersonTrack) -> list[tuple[int, int]]:
    """First and one past the last frame of each shot in which the person is seen."""
    result: list[tuple[int, int]] = []
    for shot in np.unique(track.shot):
        here = np.flatnonzero(track.shot == shot)
        if track.present[here].any():
            result.append((int(here[0]), int(here[-1]) + 1))
    return result


def build_plates(
    footage: Footage,
    mattes: Mattes,
    track: PersonTrack,
    folder: Path,
    report: Callable[[float], None],
    *,
    bystanders: BystanderMasks | None = None,
) -> Plates:
    """Plates of every shot with the person in it; found again in ``folder`` after a restart."""
    index_path = folder / "plates.json"
    if not index_path.exists():
        total = sum(stop - start for start, stop in shot_spans(track))
        finder = CaptionFinder(footage.frame_rate)
        done = 0
        spans_json: list[dict[str, Any]] = []
        unseen: list[float] = []
        for start, stop in shot_spans(track):
            builder = _SpanBuilder(footage, mattes, track, bystanders, finder, folder, start, stop)
            for index in builder.run():
                report((done + index - start) / total)
            done += stop - start
            unseen += builder.unseen
            spans_json.append(
                {
                    "start": start,
                    "stop": stop,
                    "keys": builder.keys,
                    "still": builder.path.still,
                    "followed": builder.path.share_followed,
                    "to_first": builder.path.to_first.tolist() if not builder.path.still else [],
                }
            )
        Captions(finder.found).save(captions_path(folder))
        index = {"spans": spans_json, "unseen": float(np.mean(unseen)) if unseen else 0.0}
        atomic_write(index_path, json.dumps(index))
    data = json.loads(index_path.read_text())
    return Plates(folder, [_shot_from(s) for s in data["spans"]], data["unseen"])


def _shot_from(data: dict[str, Any]) -> ShotPlates:
    frames = data["stop"] - data["start"]
    to_first = np.tile(np.eye(3), (frames, 1, 1)) if data["still"] else np.array(data["to_first"])
    path = CameraPath(start=data["start"], to_first=to_first, still=data["still"], share_followed=data["followed"])
    return ShotPlates(path=path, start=data["start"], stop=data["stop"], keys=data["keys"])


class _OtherPeople:
    """The masks of bystanders in one shot. The first ones are kept packed, for the second pass."""

    def __init__(self, bystanders: BystanderMasks | None) -> None:
        self._bystanders = bystanders
        self._packed: dict[int, bytes | None] = {}

    def unknown(self, index: int, image: Image) -> Matte | None:
        """As ``BystanderMasks.unknown``."""
        if self._bystanders is None:
            return None
        if index in self._packed:
            packed = self._packed.pop(index)
            return None if packed is None else np.frombuffer(zlib.decompress(packed), np.uint8).reshape(image.shape[:2])
        mask = self._bystanders.unknown(index, image)
        if len(self._packed) < MASKS_KEPT_MAX:
            self._packed[index] = None if mask is None else zlib.compress(mask.tobytes(), DEFLATE_LEVEL)
        return mask


class _SpanBuilder:
    """Key plates of one shot: first the camera's path, then the plates."""

    def __init__(
        self,
        footage: Footage,
        mattes: Mattes,
        track: PersonTrack,
        bystanders: BystanderMasks | None,
        captions: CaptionFinder,
        folder: Path,
        start: int,
        stop: int,
    ) -> None:
        self._footage, self._mattes, self._track, self._folder = footage, mattes, track, folder
        self._others, self._captions = _OtherPeople(bystanders), captions
        self._latest: Matte | None = None
        self._before: tuple[Image, Matte] | None = None  # the newest sample, and (H, W) arms in it
        self._shown: Mask | None = None  # (H, W) the picture without black bars, as in the newest sample
        self._start, self._stop = start, stop
        self._gathering: deque[tuple[int, Future[tuple[Image, NDArray[np.bool_]]]]] = deque()
        self.keys: list[int] = []
        self.unseen: list[float] = []

    def run(self) -> Iterator[int]:
        """Yields the index of the frame it is at."""
        tracker = CameraTracker(self._footage.width, self._footage.height)
        samples: deque[Sample] = deque(maxlen=SAMPLES_MAX)
        short = self._stop - self._start <= SAMPLES_MAX * MOVING_SAMPLE_FRAMES
        self._captions.start_shot()
        for index, image, matte in self._frames(TRACK_EVERY_FRAMES):
            # A shot that fits into the ring is done after one pass. The camera's path needs no exact mask.
            sampled = short and (index - self._start) % MOVING_SAMPLE_FRAMES == 0
            taken = self._unknown(index, image, matte) if sampled else self._occupied(index, image, matte)
            tracker.add(index, image, taken)
            self._captions.add(index, image, matte)
            if sampled:
                samples.append(Sample.of(index, image, taken))
            yield self._start + (index - self._start) // 2
        captions = Captions(self._captions.found)
        for sample in samples:
            sample.hide(captions.mask(sample.index, sample.rgba))
        self.path = tracker.path(self._start, self._stop)
        key_frames, sample_frames, reach = (
            (STILL_KEY_FRAMES, STILL_SAMPLE_FRAMES, STILL_REACH_FRAMES)
            if self.path.still
            else (MOVING_KEY_FRAMES, MOVING_SAMPLE_FRAMES, MOVING_REACH_FRAMES)
        )
        self.keys = _key_frames(self._start, self._stop, key_frames, MOVING_SAMPLE_FRAMES)
        waiting = deque(self.keys)
        with ThreadPoolExecutor(1) as pool:
            if not short:
                for index, image, matte in self._frames(sample_frames):
                    samples.append(Sample.of(index, image, self._unknown(index, image, matte)))
                    samples[-1].hide(captions.mask(index, image))
                    while waiting and index >= waiting[0] + reach:
                        self._gather(pool, waiting.popleft(), samples)
                    yield self._start + (self._stop - self._start + index - self._start) // 2
            while waiting:
                self._gather(pool, waiting.popleft(), samples)
                yield self._stop - 1
            self._store(ahead=0)
        # Each key of a short shot was gathered from the whole of it.
        for _ in complete_plates(self._folder, self.path, self.keys, self._bystanders, know_later=short):
            yield self._stop - 1

    def _gather(self, pool: ThreadPoolExecutor, key: int, samples: deque[Sample]) -> None:
        """Collect the background seen around ``key`` in the pool, and store those before it meanwhile."""
        held = list(samples)
        seen = pool.submit(median, held) if self.path.still else pool.submit(nearest, self.path, key, held)
        self._gathering.append((key, seen))
        self._store(ahead=1)

    def _store(self, ahead: int) -> None:
        """Store what was gathered, in order, but for the last ``ahead``."""
        while len(self._gathering) > ahead:
            key, gathered = self._gathering.popleft()
            image, known = gathered.result()
            self.unseen.append(float(1 - (known if self._shown is None else known[self._shown]).mean()))
            store_draft(self._folder, key, image, known)

    def _frames(self, step: int) -> Iterator[tuple[int, Image, Matte]]:
        pairs = zip(
            self._footage.read(self._start, self._stop, step),
            self._mattes.read(self._start, self._stop, step),
            strict=True,
        )
        for (index, image), (_, matte) in pairs:
            yield index, image, matte

    def _unknown(self, index: int, image: Image, matte: Matte) -> Matte:
        """(H, W) which pixels say nothing of the background, or little: the values of ``unknown_mask``."""
        unknown = unknown_mask(image, matte, self._track.body[index], self._track.visibility[index])
        sides = bars(image)
        self._shown = inside(unknown.shape, sides, RINGING_PIXELS) if any(sides) else None
        if self._shown is not None:
            unknown[~self._shown] = UNKNOWN
        self._doubt_still_arms(index, image, unknown)
        others = self._others.unknown(index, image)
        return unknown if others is None else np.asarray(cv2.max(unknown, others), np.uint8)

    def _doubt_still_arms(self, index: int, image: Image, unknown: Matte) -> None:
        """Doubt in ``unknown`` (H, W), in place, what was a forearm in the sample before and looks as it did there.

        Landmarks and matte lose an arm that is held still; the arm would be learned as background then.
        """
        visibility = self._track.visibility[index]
        arms = forearm_mask(unknown.shape, self._track.body[index], visibility)
        if self._before is not None and not forearms_seen(visibility):
            before, mask = self._before
            x, y, w, h = cv2.boundingRect(mask)
            if w:
                here = np.s_[y : y + h, x : x + w]
                lightest, darkest = (shape(before[here], STILL_SIDE) for shape in (cv2.dilate, cv2.erode))
                beyond = cv2.max(cv2.subtract(image[here], lightest), cv2.subtract(darkest, image[here]))
                same = cv2.threshold(largest_channel(beyond), STILL_MAX, 255, cv2.THRESH_BINARY_INV)[1]
                still = cv2.min(mask[here], same)
                unknown[here] = cv2.max(unknown[here], cv2.threshold(still, 0, DOUBTFUL, cv2.THRESH_BINARY)[1])
                arms[here] = cv2.max(arms[here], still)
        self._before = image, arms

    def _occupied(self, index: int, image: Image, matte: Matte) -> Matte:
        """(H, W) not 0 about where people are; bystanders as they were in the frame before that may be a sample."""
        if (index - self._start) % MOVING_SAMPLE_FRAMES == 0:
            self._latest = self._others.unknown(index, image)
        zone = person_zone(matte, self._track.body[index], self._track.visibility[index])
        return zone if self._latest is None else np.asarray(cv2.max(zone, self._latest), np.uint8)

    def _bystanders(self, key: int) -> NDArray[np.bool_]:
        """Where other people are, so that none of them is cloned into a hole."""
        taken = np.zeros((self._footage.height, self._footage.width), np.bool_)
        for x0, y0, x1, y1 in self._track.bystanders[key]:
            if np.isfinite(x0):
                taken[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1] = True
        return taken


def _key_frames(start: int, stop: int, step: int, grid: int) -> list[int]:
    """Evenly spread keys, about ``step`` apart; one in the middle where one is enough.

    Each is a multiple of ``grid`` from ``start``: a sample that needs no warp.
    """
    count = -(-(stop - start) // step)
    wanted = np.array([(start + stop) / 2]) if count == 1 else np.linspace(start, stop - 1, count + 1)
    return [start + grid * int((k - start) / grid) for k in wanted]
