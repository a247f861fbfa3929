"""The setup chosen for a GPU from its computed memory need."""

from typing import Any

import pytest

from bodydouble.renderers.wan.cards import Card
from bodydouble.renderers.wan.engine import Sampling
from bodydouble.renderers.wan.memory import BLOCK_WEIGHTS, BLOCKS, Footprint, needed_bytes, resident_bytes, tokens
from bodydouble.renderers.wan.options import WanOptions
from bodydouble.renderers.wan.renderer import sampling_of
from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.renderers.wan.setup import PROFILES, choose_setup, usable_cards
from bodydouble.tasks.errors import RendererUnavailable


def card(gigabytes: int, capability: tuple[int, int] = (9, 0)) -> Card:
    return Card(uuid="GPU-1", name=f"a card of {gigabytes} GB", memory_bytes=gigabytes * 1024**3, capability=capability)


@pytest.mark.parametrize(
    ("gigabytes", "capability", "expected"),
    [
        (80, (9, 0), ("quality", "none", "none", 1280 * 720)),
        (48, (8, 9), ("quality", "none", "encoders", 1280 * 720)),
        (40, (8, 0), ("balanced", "int8", "encoders", 1280 * 720)),
        (32, (12, 0), ("balanced", "fp8", "encoders", 1280 * 720)),
        (24, (8, 9), ("quality", "none", "blocks", 1280 * 720)),
        (16, (8, 9), ("quality", "none", "blocks", 1280 * 720)),
        (12, (8, 9), ("quality", "none", "blocks", 832 * 480)),
        (8, (8, 9), ("balanced", "fp8", "blocks", 640 * 368)),
    ],
)
def test_the_best_profile_that_fits(
    gigabytes: int,
    capability: tuple[int, int],
    expected: tuple[str, str, str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Block offload is the last resort, 8-bit formats are those the GPU multiplies, and 6 % of memory stays free."""
    monkeypatch.setattr("bodydouble.renderers.wan.setup.compile_obstacle", lambda: None)
    setup = choose_setup(WanSettings(), [card(gigabytes, capability)])
    assert (setup.profile.name, setup.quantisation, setup.offload, setup.area_max) == expected
    assert setup.needed_bytes <= 0.94 * gigabytes * 1024**3


def test_a_gpu_that_is_too_small_is_reported_with_the_need() -> None:
    """The message has the needed and the available memory. Settings that the operator fixed are not changed."""
    with pytest.raises(RendererUnavailable, match=r"needs \d+ GB .* has 4 GB"):
        choose_setup(WanSettings(), [card(4)])
    with pytest.raises(RendererUnavailable, match=r"a card of 24 GB"):
        choose_setup(WanSettings(profile="quality", offload="none"), [card(24)])
    with pytest.raises(RendererUnavailable, match="NVIDIA"):
        choose_setup(WanSettings(), [])


def test_a_gpu_that_is_too_old_is_reported() -> None:
    """bfloat16 needs Ampere, fp8 needs Ada. The message names the GPU that is older."""
    with pytest.raises(RendererUnavailable, match=r"bfloat16.* a card of 24 GB is older"):
        choose_setup(WanSettings(), [card(24, (7, 5))])
    with pytest.raises(RendererUnavailable, match=r"wan_quantisation: .*fp8.* a card of 80 GB is older.*fp8-weights"):
        choose_setup(WanSettings(quantisation="fp8"), [card(80, (8, 0))])


def test_unusable_gpus_are_ignored() -> None:
    """The large GPU is chosen over a small one. If no GPU is usable, the error describes the first."""
    small, large = card(4), card(24, (8, 9))
    assert usable_cards(WanSettings(), [small, large]) == [large]
    assert choose_setup(WanSettings(), [small, large]) == choose_setup(WanSettings(), [large])
    with pytest.raises(RendererUnavailable, match="a card of 4 GB"):
        choose_setup(WanSettings(), [small, card(6)])


def test_without_a_compiler_more_memory_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory plan includes the extra tensors of uncompiled blocks."""
    monkeypatch.setattr("bodydouble.renderers.wan.setup.compile_obstacle", lambda: "there is no C compiler")
    eager = choose_setup(WanSettings(), [card(16, (8, 9))])
    monkeypatch.setattr("bodydouble.renderers.wan.setup.compile_obstacle", lambda: None)
    assert choose_setup(WanSettings(), [card(16, (8, 9))]).area_max > eager.area_max


def test_the_computed_figures() -> None:
    """Tokens match the model card; 40 blocks have most of the 17.3 billion weights; offload and tiling save memory."""
    assert tokens(1280 * 720, 77) == 75_600
    assert tokens(832 * 480, 77) == 32_760
    assert pytest.approx(16.1e9, rel=0.01) == BLOCKS * BLOCK_WEIGHTS
    whole = Footprint(weight_bytes=2, vae_bytes=4, offload="none", tiled=False, compiled=True)
    lean = Footprint(weight_bytes=2, vae_bytes=4, offload="blocks", tiled=True, compiled=True)
    assert resident_bytes(lean) < resident_bytes(whole) / 5
    assert needed_bytes(lean, 1280 * 720, 77) < needed_bytes(whole, 1280 * 720, 77) / 3


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ({"profile": "best"}, "wan_profile"),
        ({"carried_frames": 2}, "wan_carried_frames"),
        ({"segment_frames": 78}, "wan_segment_frames"),
        ({"attention": "flash9"}, "wan_attention"),
        ({"step_cache": 0.9}, "wan_step_cache"),
        ({"smaller_setups": -1}, "wan_smaller_setups"),
    ],
)
def test_an_invalid_setting_is_named(fault: dict[str, Any], named: str) -> None:
    """The error message names the invalid setting."""
    with pytest.raises(ValueError, match=named):
        WanSettings(**fault)


def test_fast_follows_the_published_recipe() -> None:
    """The distilled model samples 4 steps at shift 5 without guidance, whatever a task asks for; others obey it."""
    asked = WanOptions(steps=30, shift=8.0, guidance=3.0)
    assert sampling_of(PROFILES["fast"], asked, 1) == Sampling(steps=4, shift=5.0, guidance=1.0)
    assert sampling_of(PROFILES["balanced"], asked, 1) == Sampling(steps=30, shift=8.0, guidance=3.0)
