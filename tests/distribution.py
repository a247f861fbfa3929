"""How pytest-xdist distributes the tests: a file to one process, long files first."""

from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

LONG_FOLDERS = (
    "tests/acceptance/",
    "tests/browser/",
    "tests/property/",
    "tests/unit/renderers/wan/",
    "tests/unit/perception/",
)
"""Their files start first. A long file at the end would leave all other processes idle."""
TOGETHER = {f"tests/acceptance/{name}.py": "one service" for name in ("test_task", "test_client")} | {
    f"tests/browser/{name}.py": "one browser" for name in ("test_console", "test_accessibility", "test_uploads")
}
"""File → group. Files of one group run in one process, and share its session fixtures: a service, a task, a browser."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first. Within them the order stays the random one."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG_FOLDERS))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "FilesInOrder":
    """Used whatever ``--dist`` says."""
    return FilesInOrder(config, log)


class FilesInOrder(LoadFileScheduling):
    """Hands out files, and groups of files, in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return TOGETHER.get(file, file)
