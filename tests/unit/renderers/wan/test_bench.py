"""The predictions of ``bench/wan_model.py`` against the model card and published timings. Imports no torch."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[4] / "bench" / "wan_model.py"


@pytest.fixture(scope="module")
def model() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("wan_model", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["wan_model"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_the_work_of_a_pass(model: ModuleType) -> None:
    """FLOPs agree with those counted on the meta device, 6,607 and 1,717 TFLOP; 71 % of the larger are attention."""
    for tokens, teraflops in ((75_600, 6607), (32_760, 1717)):
        work = model.pass_work(tokens)
        assert (work.linear_flops + work.attention_flops) / 1e12 == pytest.approx(teraflops, rel=0.01)
    work = model.pass_work(75_600)
    assert work.attention_flops / (work.linear_flops + work.attention_flops) == pytest.approx(0.71, abs=0.005)


def test_published_timings_are_met(model: ModuleType) -> None:
    """Each published timing is predicted to 25 %."""
    for check in model.CHECKS:
        assert model.check_seconds(check) == pytest.approx(check.seconds, rel=0.25), check.what


def test_what_ranks_exchange(model: ModuleType) -> None:
    """At 8 ranks, exchanged heads need 13.5 GB per pass and rank, gathered keys and values 54 GB; at 2 the same."""
    assert model.exchanged_bytes(75_600, 8, heads=True) / 1e9 == pytest.approx(13.5, abs=0.1)
    assert model.exchanged_bytes(75_600, 8, heads=False) / 1e9 == pytest.approx(54, abs=0.5)
    assert model.exchanged_bytes(75_600, 2, heads=True) == model.exchanged_bytes(75_600, 2, heads=False)
