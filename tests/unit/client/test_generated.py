"""The blocking client is generated from the asynchronous one."""

import importlib.util
from pathlib import Path

TOOL = Path(__file__).parents[3] / "tools" / "generate_sync_client.py"


def test_the_committed_files_are_the_generated_ones():
    """Every module of the blocking client equals the generator's output; no further module exists."""
    spec = importlib.util.spec_from_file_location("generate_sync_client", TOOL)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    committed = {path: path.read_text() for path in tool.BLOCKING.glob("*.py") if path.name not in tool.HAND_WRITTEN}
    assert committed == tool.generated(), "run `make client`"
