"""The blocking client, and the parameters of both clients, are generated."""

import importlib.util
from pathlib import Path
from typing import Any

TOOLS = Path(__file__).parents[3] / "tools"


def load_tool(name: str) -> Any:
    """The module of a script in tools/."""
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


def test_the_committed_files_are_the_generated_ones():
    """Every module of the blocking client equals the generator's output; no further module exists."""
    tool = load_tool("generate_sync_client")
    committed = {path: path.read_text() for path in tool.BLOCKING.glob("*.py") if path.name not in tool.HAND_WRITTEN}
    assert committed == tool.generated(), "run `make client`"


def test_the_parameters_are_the_declared_inputs():
    """The committed parameters equal the generator's output."""
    tool = load_tool("generate_client_options")
    assert tool.TARGET.read_text() == tool.generated(), "run `make client`"
