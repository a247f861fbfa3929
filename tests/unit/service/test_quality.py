"""Reports on finished results: whose, of what, and once."""

from collections.abc import Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bodydouble.service import Caller, QualityService
from bodydouble.service.identifiers import make_uuid7
from bodydouble.store import Database, FileLimits, LocalFileStore, PostgresAccountStore, PostgresTaskStore
from bodydouble.tasks.errors import InputRejected, NotFound
from bodydouble.tasks.task import CreateLimits, NewTask, ResultCode, TaskId, TaskResult, TaskSource, TaskStatus

pytestmark = pytest.mark.anyio
URL = "http://127.0.0.1:8000"


async def test_a_report_is_made_once_of_the_accounts_own_result_and_inputs(empty_database: str, tmp_path: Path) -> None:
    """Result, video and picture are handed over as files; a stranger and a task without its files get none."""
    database = await Database.connect(empty_database, 2)
    tasks, accounts = PostgresTaskStore(database), PostgresAccountStore(database)
    limits = FileLimits(upload_seconds=60, download_seconds=60, image_bytes_max=1000, video_bytes_max=1000)
    files = LocalFileStore(tmp_path, URL, b"a secret of the test", limits)
    measured: list[tuple[bytes, bytes, bytes, str]] = []

    async def measure(result: Path, video: Path, image: Path, person: str) -> Mapping[str, Any]:
        measured.append((result.read_bytes(), video.read_bytes(), image.read_bytes(), person))
        return {"frames": 3}

    @contextmanager
    def part(size_bytes: int):  # a local store needs none
        raise AssertionError("no copy is made of what is a file already")
        yield

    service = QualityService(tasks, files, measure, part)
    owner, other = (
        Caller(account=await accounts.ensure_account("a")),
        Caller(account=await accounts.ensure_account("b")),
    )
    urls = {}
    for field, name, content in (("img_urls", ".png", b"image"), ("video_urls", ".mp4", b"video")):
        kind = "image/png" if name == ".png" else "video/mp4"
        signed = await files.sign_upload(kind, name, owner.id)
        source = tmp_path / f"source{name}"
        source.write_bytes(content)
        key = await files.own_key(signed.file_url)
        assert key is not None
        await files.put_file(key, source, kind)
        urls[field] = [signed.file_url]
    task = TaskId(make_uuid7())
    await tasks.create_task(
        NewTask(
            id=task, account=owner.id, model="wan/2-2-animate-replace", param={}, inputs=urls | {"person": [0.25, 0.5]},
            source=TaskSource.API, reserve=Decimal(0), callback_url=None,
        ),
        CreateLimits(),
    )  # fmt: skip
    with pytest.raises(InputRejected, match="this task has no result"):
        await service.report(owner, str(task))
    (tmp_path / "result.mp4").write_bytes(b"result")
    result_key = f"results/{owner.id}/{task}.mp4"
    await files.put_file(result_key, tmp_path / "result.mp4", "video/mp4")
    done = TaskResult(code=ResultCode.SUCCESS, message="success", media_keys=(result_key,))
    await tasks.settle(task, TaskStatus.SUCCESS, done, None)
    assert await service.report(owner, str(task)) == await service.report(owner, str(task)) == {"frames": 3}
    assert measured == [(b"result", b"video", b"image", "0.25,0.5")]
    with pytest.raises(NotFound):
        await service.report(other, str(task))
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("update task set media_deleted_at = now()")
    with pytest.raises(InputRejected):
        await service.report(owner, str(task))
    await tasks.close()
    await database.close()
