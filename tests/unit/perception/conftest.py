"""Made-up scenes with real people in them, perceived once for all tests."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import material
from bodydouble.perception import ModelPack, Perception, PersonChoice, perceive


@dataclass(frozen=True, kw_only=True)
class Frames:
    """Footage held in memory."""

    images: list[NDArray[np.uint8]]
    frame_rate: float = 25.0

    @property
    def width(self) -> int:
        return self.images[0].shape[1]

    @property
    def height(self) -> int:
        return self.images[0].shape[0]

    @property
    def frames(self) -> int:
        return len(self.images)

    def read(self, start: int, stop: int, step: int = 1) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        for index in range(start, min(stop, self.frames), step):
            yield index, self.images[index]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A clip, where its perception was stored, and what it is."""

    footage: Frames
    folder: Path
    perception: Perception


def paste(canvas: NDArray[np.uint8], picture: NDArray[np.uint8], x: int, y: int, height: int) -> None:
    """Put ``picture``, scaled to ``height``, into ``canvas``; what sticks out is cut off."""
    width = round(picture.shape[1] * height / picture.shape[0])
    scaled = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + width, canvas.shape[1]), min(y + height, canvas.shape[0])
    canvas[y0:y1, x0:x1] = scaled[y0 - y : y1 - y, x0 - x : x1 - x]


@pytest.fixture(scope="session")
def street() -> NDArray[np.uint8]:
    """Four people of different size before hills: boxes about (59, 158, 280, 540), (737, 305, 941, 503), …"""
    astronaut, man = material.astronaut(), material.carphone(1, 360)[0][30:360, 100:360]
    picture = material.landscape(1, (960, 540))[0].copy()
    paste(picture, astronaut, 20, 140, 400)
    paste(picture, np.ascontiguousarray(astronaut[:, ::-1]), 470, 250, 260)
    paste(picture, man, 740, 300, 230)
    paste(picture, astronaut, 460, 20, 140)
    return picture


@pytest.fixture(scope="session")
def cut_clip() -> Frames:
    """A man talks (0-23), a title card (24-33), the man again (34-41), somebody else (42-47)."""
    man = material.carphone(32, 240)
    height, width = man[0].shape[:2]
    card = np.full((height, width, 3), (150, 30, 60), np.uint8)
    cv2.putText(card, "THE END", (20, height // 2), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (255, 255, 255), 4)
    other = material.landscape(1, (width, height))[0].copy()
    paste(other, material.astronaut(), 20, 0, height)
    return Frames(images=man[:24] + [card] * 10 + man[24:] + [other] * 6)


@pytest.fixture(scope="session")
def cut_seen(model_pack: ModelPack, cut_clip: Frames, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """``cut_clip``, perceived."""
    folder = tmp_path_factory.mktemp("cut")
    return Seen(footage=cut_clip, folder=folder, perception=perceive(model_pack, cut_clip, PersonChoice(), folder))


@pytest.fixture(scope="session")
def crossing_seen(model_pack: ModelPack, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """An astronaut, who is chosen, walks from the left until a man in front hides her, in 30 frames."""
    astronaut = material.astronaut()
    man = [frame[30:360, 100:360] for frame in material.carphone(30, 360)]
    images: list[NDArray[np.uint8]] = []
    for i, background in enumerate(material.landscape(30, (640, 360))):
        picture = background.copy()
        paste(picture, astronaut, -40 + 13 * i, 80, 280)
        paste(picture, man[i], 300, 90, 270)
        images.append(picture)
    footage, folder = Frames(images=images), tmp_path_factory.mktemp("crossing")
    choice = PersonChoice(point=(0.15, 0.6))
    return Seen(footage=footage, folder=folder, perception=perceive(model_pack, footage, choice, folder))
