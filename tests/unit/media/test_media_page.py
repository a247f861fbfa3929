"""The page about media says what the tests try."""

import importlib.util
from pathlib import Path

TOOL = Path(__file__).parents[3] / "tools" / "generate_media_tables.py"


def test_the_tables_are_those_of_the_tried_files() -> None:
    """``make reference`` would not change docs/media.md, and the matrix has at least 150 files of ten containers."""
    spec = importlib.util.spec_from_file_location("generate_media_tables", TOOL)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.generated() == tool.TARGET.read_text()
    assert len(tool.CASES) >= 150
    assert len(tool.HELD) >= 10
