"""The table of cards in ``docs/wan.md``."""

from pathlib import Path

import pytest

from bodydouble.renderers.wan.cards import Card
from bodydouble.renderers.wan.memory import Footprint, pass_bytes, resident_bytes, vae_work_bytes
from bodydouble.renderers.wan.settings import WanSettings
from bodydouble.renderers.wan.setup import USABLE_SHARE, Setup, choose_setup

PAGE = Path(__file__).parents[4] / "docs" / "wan.md"
FRAMES = 77
AMPERE, ADA = (8, 0), (8, 9)
AREAS = {1280 * 720: "1280 × 720", 832 * 480: "832 × 480", 640 * 368: "640 × 368"}


def cells(setup: Setup, gigabytes: int) -> list[str]:
    """A row of the table."""
    footprint = Footprint(
        weight_bytes=2 if setup.quantisation == "none" else 1,
        vae_bytes=setup.vae_bytes,
        offload=setup.offload,
        tiled=setup.tiled,
        compiled=setup.compile,
    )
    quantisation = "" if setup.quantisation == "none" else f", {setup.quantisation.upper()}"
    return [
        f"{gigabytes} GB",
        f"`{setup.profile.name}`{quantisation}",
        f"`{setup.offload}`{', tiled' if setup.tiled else ''}",
        AREAS[setup.area_max],
        f"{resident_bytes(footprint) / 1e9:.1f}",
        f"{pass_bytes(footprint, setup.area_max, FRAMES) / 1e9:.1f}",
        f"{vae_work_bytes(footprint, setup.area_max, FRAMES) / 1e9:.1f}",
        f"{setup.needed_bytes / 1e9:.1f}",
        f"{setup.needed_bytes / (gigabytes * 1024**3):.0%}".replace("%", " %"),
    ]


@pytest.mark.parametrize("gigabytes", [8, 10, 12, 16, 20, 24, 32, 40, 48, 80, 96, 141])
def test_each_card_has_its_row(gigabytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The manual says what ``auto`` chooses and needs on each size of card, and none needs more than 94 %."""
    monkeypatch.setattr("bodydouble.renderers.wan.setup.compile_obstacle", lambda: None)
    capability = AMPERE if gigabytes == 40 else ADA  # the A100 is the only card with 40 GB
    card = Card(uuid="GPU-1", name="", memory_bytes=gigabytes * 1024**3, capability=capability)
    setup = choose_setup(WanSettings(), [card])
    row = f"| {' | '.join(cells(setup, gigabytes))} |"
    assert row in PAGE.read_text().splitlines(), f"add this row to the table of cards:\n{row}"
    assert setup.needed_bytes <= USABLE_SHARE * card.memory_bytes
