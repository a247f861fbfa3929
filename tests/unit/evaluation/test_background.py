"""Fidelity of the background, and which pixels are background."""

import numpy as np
import pytest

from bodydouble.evaluation.background import PSNR_MAX_DB, BackgroundFidelity, SampleFidelity
from bodydouble.evaluation.regions import background, core, difference
from bodydouble.media import Planes
from material import landscape

SIZE = (240, 320)


def _matte(rows: slice, columns: slice) -> np.ndarray:
    matte = np.zeros(SIZE, np.uint8)
    matte[rows, columns] = 255
    return matte


def test_psnr_follows_its_formula() -> None:
    """An error of 5 in every pixel is 20 log10(255 / 5) dB; the worst frame is told beside the mean."""
    frame = np.full((*SIZE, 3), 100, np.uint8)
    fidelity = BackgroundFidelity()
    everything = np.ones(SIZE, bool)
    fidelity.add(frame, frame + 5, everything)
    fidelity.add(frame, frame, everything)
    mean, worst = fidelity.result()
    assert worst == pytest.approx(20 * np.log10(255 / 5))
    assert mean == pytest.approx((PSNR_MAX_DB + 20 * np.log10(255 / 5)) / 2)


def test_kept_samples_are_counted() -> None:
    """Identical samples give the highest PSNR; a changed quarter of them lowers the share to three quarters."""
    luma, chroma = np.full((8, 32), 90, np.uint8), np.full((4, 16), 128, np.uint8)
    source, mask = Planes(luma=luma, blue=chroma, red=chroma), np.ones((8, 32), bool)
    exact, damaged = SampleFidelity(8), SampleFidelity(8)
    exact.add(source, source, mask)
    assert exact.result() == (PSNR_MAX_DB, 1)
    changed = luma.copy()
    changed[:3] += 5  # 96 of 384 samples
    damaged.add(source, Planes(luma=changed, blue=chroma, red=chroma), mask)
    psnr, share = damaged.result()
    assert share == 0.75
    assert psnr == pytest.approx(20 * np.log10(255 / 5) + 10 * np.log10(4))


def test_no_background_is_not_measured() -> None:
    """Where the person fills the frame there is no figure, rather than a wrong one."""
    frame = np.zeros((*SIZE, 3), np.uint8)
    fidelity = BackgroundFidelity()
    fidelity.add(frame, frame, np.zeros(SIZE, bool))
    assert fidelity.result() == (None, None)


def test_the_person_and_a_hat_are_not_background_but_damage_elsewhere_is() -> None:
    """Both mattes with a margin, and what changed next to them, are left out; changed pixels far away stay in."""
    source = landscape(1)[0]
    made = source.copy()
    made[70:80, 100:140] = 255  # a hat just above the character's matte
    made[20:40, 250:300] = 0  # damage
    actor, character = _matte(slice(90, 240), slice(100, 150)), _matte(slice(85, 240), slice(110, 160))
    region = background(actor, character, difference(source, made))
    assert not region[90:240, 100:160].any()
    assert not region[70:80, 100:140].any()
    assert region[20:40, 250:300].all()


def test_without_a_person_everything_is_background() -> None:
    """A title card has to be untouched as a whole."""
    nothing = np.zeros(SIZE, np.uint8)
    assert background(nothing, nothing, np.full(SIZE, 50, np.float32)).all()


def test_the_core_leaves_soft_edges_out() -> None:
    """Only what is surely the person's and not at its rim."""
    matte = _matte(slice(50, 100), slice(50, 100))
    matte[100:110, 50:100] = 150
    assert core(matte)[60:90, 60:90].all()
    assert not core(matte)[99:110].any()
