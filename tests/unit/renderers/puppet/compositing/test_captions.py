"""Captions that are drawn on the video."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from bodydouble.renderers.puppet.compositing.captions import CaptionFinder, Captions, captions_path
from bodydouble.renderers.puppet.compositing.plate import build_plates
from synthetic_scene import ListFootage, ListMattes, walking_scene

FRAMES, SHOWN = 48, range(10, 48)
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def captioned(image: np.ndarray, x: float = 40, colour: tuple[int, int, int] = WHITE) -> np.ndarray:
    """A copy of ``image`` with words across the person's chest."""
    result, place = image.copy(), (round(x), 84)
    for ink, thick in ((BLACK, 5), (colour, 2)):
        cv2.putText(result, "who is walking", place, cv2.FONT_HERSHEY_DUPLEX, 0.6, ink, thick, cv2.LINE_AA)
    return result


def found(images: list[np.ndarray], mattes: ListMattes) -> Captions:
    finder = CaptionFinder(25.0)
    for index, matte in mattes.read(0, len(images)):
        finder.add(index, images[index], matte)
    return Captions(finder.found)


def walking(walk: float = 2.0) -> tuple[list[np.ndarray], ListMattes]:
    """Frames of somebody who walks by, in spotted clothes."""
    footage, mattes, _, _ = walking_scene(FRAMES, walk=walk)
    spots = np.random.default_rng(5).random((footage.height // 4, footage.width // 4)) > 0.5
    spots = spots.repeat(4, axis=0).repeat(4, axis=1)
    images: list[np.ndarray] = []
    for (index, image), (_, matte) in zip(footage.read(0, FRAMES), mattes.read(0, FRAMES), strict=True):
        dark = np.roll(spots, round(walk * index), axis=1) & (matte > 127)
        images.append(np.where(dark[..., None], image // 2, image))
    return images, mattes


@pytest.mark.parametrize("colour", [WHITE, (250, 230, 30)])
def test_a_caption_is_told_from_the_person_below_it(colour: tuple[int, int, int]) -> None:
    """Its letters and their outline are found in the frames that show it, and nothing in the others."""
    images, mattes = walking()
    with_words = [captioned(image, colour=colour) if k in SHOWN else image for k, image in enumerate(images)]

    captions = found(with_words, mattes)

    assert captions.mask(5, with_words[5]) is None
    for index in (12, 30, 45):
        mask = captions.mask(index, with_words[index])
        assert mask is not None
        written = np.abs(with_words[index].astype(int) - images[index]).max(-1) > 60
        assert (mask > 0)[written].mean() > 0.95
        assert np.count_nonzero(mask) < 2.5 * np.count_nonzero(written)


@pytest.mark.parametrize("walk", [0.0, 2.0])
def test_words_on_clothes_are_no_caption(walk: float) -> None:
    """Words that go with the person are the person's, and so are those of somebody who stands still."""
    images, mattes = walking(walk)
    assert len(found([captioned(image, 40 + walk * k) for k, image in enumerate(images)], mattes)) == 0


def test_stripes_that_stand_still_are_no_caption() -> None:
    """A few still bars on the person are no row of letters."""
    images, mattes = walking()
    for image in images:
        for x in (90, 110, 130):
            cv2.line(image, (x, 60), (x, 90), WHITE, 3)
    assert len(found(images, mattes)) == 0


def test_captions_lie_over_what_is_drawn() -> None:
    """A finished frame gets the source's letters, and keeps its own pixels around them."""
    images, mattes = walking()
    images = [captioned(image) for image in images]
    captions, result = found(images, mattes), np.full_like(images[20], 128)

    captions.lay_over(20, images[20], result)

    letters = images[20].min(-1) > 250
    assert np.abs(result[letters].astype(int) - 255).mean() < 10
    assert (result == 128).all(-1).mean() > 0.8


def test_captions_are_the_same_after_a_restart(tmp_path: Path) -> None:
    """What a file holds is what was found."""
    images, mattes = walking()
    images = [captioned(image) for image in images]
    captions = found(images, mattes)
    captions.save(tmp_path / "captions.npz")
    masks = [known.mask(20, images[20]) for known in (captions, Captions.load(tmp_path / "captions.npz"))]
    assert masks[0] is not None
    assert np.array_equal(*masks)


def test_captions_are_no_background(tmp_path: Path) -> None:
    """The plate shows the wall where a caption is that is gone later, and their file is beside the plates."""
    _, _, track, clean = walking_scene(FRAMES, walk=2.0)
    images, mattes = walking()
    images = [captioned(image) if k in SHOWN else image for k, image in enumerate(images)]

    plates = build_plates(ListFootage(images), mattes, track, tmp_path, lambda fraction: None)

    plate = plates.with_seen(24, (0, 0, 320, 240)).astype(int)
    written = np.abs(captioned(clean[24]).astype(int) - clean[24]).max(-1) > 60
    seen = plate[..., 3] == 255
    assert seen[written].mean() > 0.4
    assert np.median(np.abs(plate[..., :3] - clean[24]).max(-1)[written & seen]) < 10
    assert len(Captions.load(captions_path(tmp_path))) > 0
