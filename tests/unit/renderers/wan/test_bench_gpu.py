"""``bench/wan_gpu.py`` on tiny networks, so that it works when a GPU is at hand."""

import json
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

BENCH = Path(__file__).parents[4] / "bench"


@pytest.fixture(autouse=True)
def traced_only() -> Iterator[None]:
    """Blocks are traced and run as they are: a compiled kernel for this CPU says nothing about a GPU's."""
    before = torch.compiler.get_default_backend()
    torch.compiler.set_default_backend("eager")
    yield
    torch.compiler.set_default_backend(before)


def test_the_dry_run_measures_every_part(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Steps, attention, quantisation, autoencoder, and a segment by diffusers' pipeline and by ours are measured."""
    monkeypatch.setattr(sys, "argv", ["wan_gpu.py", "--dry-run"])
    monkeypatch.syspath_prepend(str(BENCH))
    runpy.run_path(str(BENCH / "wan_gpu.py"), run_name="__main__")
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    for part in (
        "step diffusers",
        "step ours",
        "step ours compiled",
        "attention sparse",
        "autoencoder 32 bits encode",
        "autoencoder 32 bits decode",
        "segment WanAnimatePipeline",
        "segment ours",
        "step native int8",
        "step native fp8-weights",
    ):
        assert figures[f"tiny {part} seconds"] > 0, figures
    assert "attention flash4 fails" in figures
    assert figures["skipped"] == ""
