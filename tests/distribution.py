"""How pytest-xdist distributes the tests: a file to one process, long files first."""

import os
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

PROCESSES_MAX = 4
LONG_FOLDERS = (
    "tests/acceptance/",
    "tests/browser/",
    "tests/property/",
    "tests/unit/renderers/wan/",
    "tests/unit/perception/",
)
"""Their files start before all others. A long file at the end would leave all other processes idle."""
SERVICE, SDKS, BROWSER = "one service", "one service for SDKs", "one browser"
TOGETHER = (
    {f"tests/acceptance/test_{name}.py": SERVICE for name in ("task", "client", "agents", "generated_clients")}
    | {f"tests/acceptance/test_{name}.py": SDKS for name in ("dashscope_sdk", "kie", "wavespeed_sdk")}
    | {f"tests/browser/test_{name}.py": BROWSER for name in ("console", "accessibility", "uploads")}
)
"""File → group. Files of one group run in one process, and share its session fixtures: a service, a task, a browser."""
LONGEST = (
    SERVICE,
    "tests/acceptance/test_wan.py",
    "tests/unit/renderers/wan/test_ranks.py",
    SDKS,
    BROWSER,
    "tests/acceptance/test_fal_and_replicate.py",
    "tests/acceptance/test_takeover.py",
    "tests/acceptance/test_documentation.py",
    "tests/acceptance/test_chaos.py",
    "tests/unit/renderers/wan/test_renderer.py",
    "tests/acceptance/test_plugin.py",
    "tests/acceptance/test_fetching.py",
    "tests/unit/perception/test_perceive.py",
)
"""Files and groups of more than 15 s of processor time, the longest first."""


def _group(nodeid: str) -> str:
    file = nodeid.split("::", 1)[0]
    return TOGETHER.get(file, file)


def pytest_xdist_auto_num_workers() -> int:
    """One process more than cores, because tests of services wait for a third of their time."""
    return min(len(os.sched_getaffinity(0)) + 1, PROCESSES_MAX)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first. Within them the order stays the random one."""
    places = {group: place for place, group in enumerate(LONGEST)}

    def place(item: pytest.Item) -> int:
        return places.get(_group(item.nodeid), len(LONGEST) + (not item.nodeid.startswith(LONG_FOLDERS)))

    items.sort(key=place)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "FilesInOrder":
    """Used whatever ``--dist`` says."""
    return FilesInOrder(config, log)


class FilesInOrder(LoadFileScheduling):
    """Hands out files, and groups of files, in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)
