"""Key plates that complete each other."""

from pathlib import Path

import numpy as np
import pytest

from bodydouble.renderers.puppet.compositing.key_plates import complete_plates, store_draft
from bodydouble.renderers.puppet.compositing.registration import CameraPath
from bodydouble.renderers.puppet.compositing.stored_plates import plate_path

KEYS, HEIGHT, WIDTH = (0, 10), 96, 128


def scene() -> np.ndarray:
    """(H, W, 3) of patches that no filling guesses."""
    patches = np.random.default_rng(3).integers(40, 216, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
    return patches.repeat(8, 0).repeat(8, 1)


def plates_of(folder: Path, shift: int, holes: list[tuple[slice, slice]]) -> list[np.ndarray]:
    """The plates of two keys, of which the second is ``shift`` px to the right, with a hole each."""
    picture, to_first = scene(), np.tile(np.eye(3), (KEYS[-1] + 1, 1, 1))
    to_first[:, 0, 2] = np.linspace(0, shift, len(to_first))
    for key, hole in zip(KEYS, holes, strict=True):
        known = np.ones((HEIGHT, WIDTH), np.bool_)
        known[hole] = False
        image = np.roll(picture, -shift if key else 0, axis=1)
        store_draft(folder, key, np.where(known[..., None], image, 0).astype(np.uint8), known)
    path = CameraPath(start=0, to_first=to_first, still=shift == 0, share_followed=1.0)
    list(complete_plates(folder, path, KEYS, lambda _: np.zeros((HEIGHT, WIDTH), np.bool_)))
    return [np.load(plate_path(folder, key)) for key in KEYS]


@pytest.mark.parametrize("shift", [0, 8])
def test_the_first_plate_shows_what_only_later_frames_show(tmp_path: Path, shift: int) -> None:
    """What a later plate has seen is put into the earlier one's hole before anything is made up."""
    first, second = plates_of(tmp_path, shift, [np.s_[32:64, 40:80], np.s_[32:64, 60 - shift : 80 - shift]])
    shown = first[36:60, 42:56]
    assert (shown[..., 3] == 255).all()
    assert np.abs(shown[..., :3].astype(int) - scene()[36:60, 42:56]).mean() < 3
    assert (first[36:60, 64:76, 3] < 255).all()
    assert np.abs(first[36:60, 64:76, :3].astype(int) - second[36:60, 64 - shift : 76 - shift, :3]).mean() < 3


def test_drafts_leave_no_files(tmp_path: Path) -> None:
    """Only the plates stay in the folder."""
    plates_of(tmp_path, 0, [np.s_[32:64, 40:80], np.s_[32:64, 60:80]])
    assert sorted(tmp_path.iterdir()) == [plate_path(tmp_path, key) for key in KEYS]
