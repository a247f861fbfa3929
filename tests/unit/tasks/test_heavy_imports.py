"""Imports of many modules at once."""

import gc
import importlib
from collections.abc import Iterator

import pytest

from bodydouble.tasks.heavy_imports import heavy_imports


@pytest.fixture(autouse=True)
def searching() -> Iterator[None]:
    """Searches for garbage go on after the test."""
    yield
    gc.enable()


def test_garbage_is_not_searched_for_meanwhile() -> None:
    """Searches stop with the block and go on after it, also after one that fails."""
    with heavy_imports():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ModuleNotFoundError), heavy_imports():
        importlib.import_module("no_such_module")
    assert gc.isenabled()


def test_who_does_without_searches_goes_on_without() -> None:
    """A process that had switched them off keeps them off."""
    gc.disable()
    with heavy_imports():
        pass
    assert not gc.isenabled()


def test_what_was_imported_is_left_out_of_later_searches() -> None:
    """Objects made in the block are frozen."""
    before = gc.get_freeze_count()
    with heavy_imports():
        kept = [[number] for number in range(1000)]
    assert gc.get_freeze_count() >= before + len(kept)
