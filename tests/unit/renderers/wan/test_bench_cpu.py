"""``bench/wan_cpu.py`` on one small segment."""

import importlib.util
from pathlib import Path

import numpy as np

from tiny_wan import tiny_parts

SCRIPT = Path(__file__).parents[4] / "bench" / "wan_cpu.py"


def test_both_sides_of_the_bench_make_the_same_frame() -> None:
    """Our loop and the pipeline do the same work, so that their times can be compared."""
    spec = importlib.util.spec_from_file_location("wan_cpu", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    made, expected = (
        run(tiny_parts(), bench.LENGTH, height=32, width=48, steps=2) for run in (bench.run_ours, bench.run_pipeline)
    )
    np.testing.assert_allclose(made, expected, atol=2e-5)
