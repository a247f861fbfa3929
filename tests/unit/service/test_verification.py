"""Verification of files: the own task, and the limit."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import anyio
import pytest

from bodydouble.service import Caller, VerificationService
from bodydouble.service.verification import READS_MAX
from bodydouble.store import Scratch
from bodydouble.tasks.errors import InvalidParams
from bodydouble.tasks.ports import TaskStore

pytestmark = pytest.mark.anyio
TASK = UUID("019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d")
ME = cast("Caller", SimpleNamespace(id=1))


class Tasks:
    """Has one task of account 1, whose result had the digest ``aa`` before signing."""

    async def get_task(self, task_id: UUID, account: int) -> Any:
        info = {"provenance": {"unsigned_sha256": "aa"}}
        known = (task_id, account) == (TASK, 1)
        return SimpleNamespace(id=TASK, result=SimpleNamespace(media_info=info)) if known else None


def service(folder: Path, **production: str) -> VerificationService:
    """Verifies files of up to four bytes, all of which have a manifest with ``production``."""

    async def read(path: Path) -> dict[str, Any]:
        layer = {"layer": "c2pa", "state": "valid", "production": production, "size": path.stat().st_size}
        return {"layers": [layer], "generated": True}

    return VerificationService(cast("TaskStore", Tasks()), read, Scratch(folder).part, 4)


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.mark.parametrize(
    ("production", "found"),
    [
        ({"task": str(TASK), "unsigned_sha256": "aa"}, str(TASK)),
        ({"task": str(TASK), "unsigned_sha256": "bb"}, None),  # somebody copied the id
        ({"task": "no id", "unsigned_sha256": "aa"}, None),
        ({}, None),
    ],
)
async def test_a_result_names_its_task_to_its_owner(tmp_path: Path, production: dict[str, str], found: str | None):
    """The digest before signing has to be that of the task's result."""
    verified = await service(tmp_path, **production).verify(ME, pieces(b"ab", b"cd"), None)
    assert verified["task_id"] == found
    assert verified["layers"][0]["size"] == 4
    assert list(tmp_path.iterdir()) == []


async def test_a_large_file_is_refused(tmp_path: Path) -> None:
    """Announced or not."""
    for announced in (5, None):
        with pytest.raises(InvalidParams, match="at most"):
            await service(tmp_path).verify(ME, pieces(b"abc", b"de"), announced)


async def test_slow_uploads_of_others_keep_nobody_waiting(tmp_path: Path) -> None:
    """As many accounts as files are read at a time send bodies that never end; another account is served."""
    verification, never = service(tmp_path), asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        yield b"a"
        await never.wait()

    others = [cast("Caller", SimpleNamespace(id=10 + n)) for n in range(READS_MAX)]
    async with anyio.create_task_group() as group:
        for other in others:
            group.start_soon(verification.verify, other, stalled(), None)
        await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(20):
            assert (await verification.verify(ME, pieces(b"ab"), None))["generated"] is True
        group.cancel_scope.cancel()
