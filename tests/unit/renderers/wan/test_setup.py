"""Which setup a card gets, from computed memory."""

from typing import Any

import pytest

from bodydouble.renderers.wan.cards import Card
from bodydouble.renderers.wan.memory import BLOCK_WEIGHTS, BLOCKS, Footprint, needed_bytes, resident_bytes, tokens
from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.renderers.wan.setup import choose_setup, usable_cards
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
    """Copying blocks at each step comes last; 8 bits are those that the card multiplies; 6 % are left free."""
    monkeypatch.setattr("bodydouble.renderers.wan.setup.compile_obstacle", lambda: None)
    setup = choose_setup(WanSettings(), [card(gigabytes, capability)])
    assert (setup.profile.name, setup.quantisation, setup.offload, setup.area_max) == expected
    assert setup.needed_bytes <= 0.94 * gigabytes * 1024**3


def test_a_card_that_is_too_small_is_told_what_is_needed() -> None:
    """The message has both figures; what the operator fixed is not changed behind their back."""
    with pytest.raises(RendererUnavailable, match=r"needs \d+ GB .* has 4 GB"):
        choose_setup(WanSettings(), [card(4)])
    with pytest.raises(RendererUnavailable, match=r"a card of 24 GB"):
        choose_setup(WanSettings(profile="quality", offload="none"), [card(24)])
    with pytest.raises(RendererUnavailable, match="NVIDIA"):
        choose_setup(WanSettings(), [])


def test_a_card_that_is_too_old_is_told_so() -> None:
    """bfloat16 starts with Ampere, fp8 with Ada; the message says which card is older."""
    with pytest.raises(RendererUnavailable, match=r"bfloat16.* a card of 24 GB is older"):
        choose_setup(WanSettings(), [card(24, (7, 5))])
    with pytest.raises(RendererUnavailable, match=r"wan_quantisation: .*fp8.* a card of 80 GB is older.*fp8-weights"):
        choose_setup(WanSettings(quantisation="fp8"), [card(80, (8, 0))])


def test_cards_that_cannot_draw_are_left_alone() -> None:
    """Beside a small card for the screen the large one is chosen; where none can draw, the first says why."""
    small, large = card(4), card(24, (8, 9))
    assert usable_cards(WanSettings(), [small, large]) == [large]
    assert choose_setup(WanSettings(), [small, large]) == choose_setup(WanSettings(), [large])
    with pytest.raises(RendererUnavailable, match="a card of 4 GB"):
        choose_setup(WanSettings(), [small, card(6)])


def test_without_a_compiler_more_memory_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks that are not compiled keep more tensors alive, and the plan knows it."""
    monkeypatch.setattr("bodydouble.renderers.wan.setup.compile_obstacle", lambda: "there is no C compiler")
    eager = choose_setup(WanSettings(), [card(16, (8, 9))])
    monkeypatch.setattr("bodydouble.renderers.wan.setup.compile_obstacle", lambda: None)
    assert choose_setup(WanSettings(), [card(16, (8, 9))]).area_max > eager.area_max


def test_the_computed_figures() -> None:
    """Tokens as the model's card has them; 40 blocks are most of the 17.3 billion weights; offload and tiles save."""
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
    ],
)
def test_an_option_that_is_none_is_named(fault: dict[str, Any], named: str) -> None:
    """The message names the setting."""
    with pytest.raises(ValueError, match=named):
        WanSettings(**fault)
