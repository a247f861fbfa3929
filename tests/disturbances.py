"""Frozen processes, damage to files, full disks and clock steps, for ``chaos``."""

import contextlib
import errno
import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import psycopg

CHUNK = b"\0" * (1 << 20)
STORED_TIMES = (
    "update executor set beat_at = beat_at + step, started_at = started_at + step, stopped_at = stopped_at + step",
    "update delivery set next_try_at = next_try_at + step where status = 'pending'",
    "update account set creates_full_at = creates_full_at + step",
    "update task set created_at = created_at + step, started_at = started_at + step, deadline_at = deadline_at + step "
    "where status in ('pending', 'running')",
    "update chore set due_at = due_at + step",
    "update dbos.workflow_status set created_at = created_at + ms, updated_at = updated_at + ms, "
    "started_at_epoch_ms = started_at_epoch_ms + ms where status in ('ENQUEUED', 'PENDING')",
)


def freeze(processes: Sequence[psutil.Process], seconds: float) -> None:
    """Stop the processes for so long, like a machine that swaps or is suspended."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):  # the others must not stay frozen
            process.suspend()
    time.sleep(seconds)
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()


def damage_workspace(kind: str, folder: Path, draw: random.Random) -> bool:
    """Change or delete a file of a workspace below ``folder``, or delete a workspace. False if there is none now."""
    found = sorted(folder.glob("*/work*/*/segments/segment-*.nut"))
    if not found:
        return False
    path = draw.choice(found)
    try:
        match kind:
            case "change artefact":
                path.write_text("something else")
            case "delete artefact":
                path.unlink()
            case _:
                shutil.rmtree(path.parents[1], ignore_errors=True)  # a process may write there meanwhile
    except FileNotFoundError:  # the task has ended
        return False
    return True


def fill_disk(folder: Path, seconds: float) -> None:
    """Fill the disk of ``folder`` for so long."""
    filler = folder / "filler"
    try:
        with filler.open("wb", buffering=0) as stream:
            while stream.write(CHUNK):
                pass
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
    time.sleep(seconds)
    filler.unlink()


def step_clock(database_url: str, seconds: float) -> None:
    """Set the database's clock back by ``seconds``, or forward if negative: stored times move the other way.

    The machine's clock belongs to all of its processes, so it stays as it is.
    """
    with psycopg.connect(database_url, autocommit=True) as connection:
        for statement in STORED_TIMES:
            step = f"interval '{seconds:.3f} s'"
            connection.execute(statement.replace("step", step).replace("+ ms", f"+ {round(seconds * 1000)}").encode())
