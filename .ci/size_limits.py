"""Checks that modules and functions stay short: ``python .ci/size_limits.py``.

Prints a line for each that is too long, and then ends with status 1. ruff checks the cyclomatic complexity (C901).
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("src", "tests", "bench")
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
EXCEPTIONS: dict[str, str] = {}
"""``file`` or ``file:function`` → why it is longer."""


def overlong(path: Path) -> Iterator[tuple[str, int, int]]:
    """Name, lines and limit of each part of the module that is too long."""
    text = path.read_text()
    if (lines := len(text.splitlines())) > MODULE_LINES_MAX:
        yield str(path), lines, MODULE_LINES_MAX
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{path}:{node.name}", lines, FUNCTION_LINES_MAX


def main() -> int:
    """Print what is too long; the exit status."""
    found = {
        name: (lines, limit)
        for folder in FOLDERS
        for path in sorted(Path(folder).rglob("*.py"))
        for name, lines, limit in overlong(path)
    }
    for name, (lines, limit) in found.items():
        if name not in EXCEPTIONS:
            print(f"{name}: {lines} lines, {limit} are allowed. Split it, or give a reason in .ci/size_limits.py.")
    for name in EXCEPTIONS.keys() - found.keys():
        print(f"{name}: no longer too long. Remove it from the exceptions in .ci/size_limits.py.")
    return int(bool(found.keys() ^ EXCEPTIONS.keys()))


if __name__ == "__main__":
    sys.exit(main())
