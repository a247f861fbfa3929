"""A synthetic scene in memory: a known background, a camera path, and a mannequin in front of it."""

from collections.abc import Iterator

import cv2
import numpy as np

from bodydouble.perception.arrays import Image, Matte
from bodydouble.perception.track import PersonTrack
from mannequin import joints, picture, track_of


class ListFootage:
    """Frames in a list; implements ``footage.Footage``."""

    frame_rate = 25.0

    def __init__(self, images: list[Image]) -> None:
        self._images = images
        self.height, self.width = images[0].shape[:2]
        self.frames = len(images)

    def read(self, start: int, stop: int, step: int = 1) -> Iterator[tuple[int, Image]]:
        for i in range(start, min(stop, self.frames), step):
            yield i, self._images[i].copy()


class ListMattes:
    """Mattes in a list; implements ``footage.Mattes``."""

    def __init__(self, mattes: list[Matte]) -> None:
        self._mattes = mattes

    def read(self, start: int, stop: int, step: int = 1) -> Iterator[tuple[int, Matte]]:
        for i in range(start, min(stop, len(self._mattes)), step):
            yield i, self._mattes[i].copy()


def scenery(width: int, height: int, seed: int = 3) -> Image:
    """(H, W, 3) RGB of soft coloured blocks with trackable corners, in colours unlike the mannequin's."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(90, 250, (max(2, height // 24), max(2, width // 24), 3)).astype(np.uint8)
    blocks = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.GaussianBlur(blocks, (0, 0), 1.0), np.uint8)


def walking_scene(
    frames: int = 24,
    size: tuple[int, int] = (320, 240),
    *,
    walk: float = 6.0,
    pan: int = 0,
    absent: tuple[int, ...] = (),
    shots: list[int] | None = None,
) -> tuple[ListFootage, ListMattes, PersonTrack, list[Image]]:
    """Footage, mattes, track and clean background frames of a person walking in front of a wall.

    The person moves ``walk`` pixels a frame to the right, the wall ``pan`` pixels a frame to the left. Frames in
    ``absent`` show no person. ``shots`` gives each frame's shot; each shot has a different wall.
    """
    width, height = size
    shots = shots or [0] * frames
    poses = [joints(height / 9, width * 0.25 + walk * i, height * 0.12) for i in range(frames)]
    walls = {s: scenery(width + abs(pan) * frames, height, seed=3 + s) for s in set(shots)}
    images: list[Image] = []
    mattes: list[Matte] = []
    clean: list[Image] = []
    for i, pose in enumerate(poses):
        wall = np.ascontiguousarray(walls[shots[i]][:, pan * i : pan * i + width])
        clean.append(wall)
        if i in absent:
            images.append(wall)
            mattes.append(np.zeros((height, width), np.uint8))
            continue
        person, mask = picture(pose, size)
        images.append(np.where(mask[..., None] > 0.5, person, wall).astype(np.uint8))
        mattes.append((mask * 255).astype(np.uint8))
    track = track_of(poses, shots=shots)
    for i in absent:
        track.present[i] = False
        track.body[i] = np.nan
        track.box[i] = np.nan
    return ListFootage(images), ListMattes(mattes), track, clean
