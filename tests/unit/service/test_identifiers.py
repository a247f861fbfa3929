"""Identifiers of tasks."""

from uuid import RFC_4122, UUID

import pytest

from bodydouble.service.identifiers import make_uuid7, parse_task_id
from bodydouble.tasks.errors import NotFound


def test_ids_are_of_version_7_and_never_the_same() -> None:
    """Version and variant bits are those of RFC 9562, and a thousand ids are a thousand."""
    ids = {make_uuid7() for _ in range(1000)}
    assert len(ids) == 1000
    assert {(i.version, i.variant) for i in ids} == {(7, RFC_4122)}


def test_ids_begin_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """An id of a later moment sorts after one of an earlier, within a millisecond too."""
    monkeypatch.setattr("time.time_ns", lambda: 1_700_000_000_000_000_000)
    earlier = make_uuid7()
    monkeypatch.setattr("time.time_ns", lambda: 1_700_000_000_001_000_000)
    assert earlier < make_uuid7()
    assert earlier.int >> 80 == 1_700_000_000_000
    made = list[UUID]()
    for nanoseconds in range(0, 1_000_000, 250):
        monkeypatch.setattr("time.time_ns", lambda later=nanoseconds: 1_700_000_000_002_000_000 + later)
        made.append(make_uuid7())
    assert made == sorted(made)
    assert {(i.version, i.int >> 80) for i in made} == {(7, 1_700_000_000_002)}


def test_what_is_no_uuid_is_no_task() -> None:
    """A malformed id reads as unknown, like the hosted service's."""
    with pytest.raises(NotFound, match="Task not found"):
        parse_task_id("42; drop table task")
