"""An upgrade with running tasks: the version before is killed in the middle of its work, this version goes on.

    python bench/upgrade.py [--quick] [--before 9916314] [--tasks 6] [--record FOLDER]

The version before is installed from its commit and its lock file into an environment of its own. Its service makes one
task to the end and holds the next in the middle of its rendering; others wait. Then all of its processes are killed,
its database as well, and `serve` of this version starts with the same data folder. Every task must succeed and be
charged once, the result of the first task must keep its bytes, and `bodydouble ledger check` must agree. Otherwise the
exit status is 1. ``--record`` writes the database of that moment for `tests/acceptance/test_upgrade.py`. The last line
is one flat JSON object.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import psycopg

REPOSITORY = Path(__file__).parents[1]
TESTS = REPOSITORY / "tests"
BEFORE = "9916314"
"""The commit of 0.2.1. After a release: its tag."""
CREDITS = {"BODYDOUBLE_STARTING_CREDITS": "1000"}


def install(commit: str, folder: Path) -> Path:
    """Python of an environment with the version of ``commit``, as its lock file has it."""
    source, environment = folder / "source", folder / "environment"
    source.mkdir()
    archive = subprocess.run(["git", "-C", REPOSITORY, "archive", commit], capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", source], input=archive.stdout, check=True)
    uv = shutil.which("uv") or str(REPOSITORY / ".bootstrap/bin/uv")
    variables = os.environ | {"UV_PROJECT_ENVIRONMENT": str(environment)}
    command = [uv, "sync", "--quiet", "--locked", "--no-dev", "--no-editable", "--python", sys.executable]
    subprocess.run(command, cwd=source, env=variables, check=True)
    return environment / "bin/python"


def work_before(service: Any, folder: Path, tasks: int) -> tuple[list[str], bytes]:
    """The ids of the tasks of the version before, and the first one's result. The second one is rendered right now."""
    from live_service import RENDERING
    from material import astronaut, carphone, write_image, write_video

    image = service.upload(write_image(folder / "astronaut.png", astronaut()))
    video = service.upload(write_video(folder / "carphone.mp4", carphone(26, 216), sound=True))
    first = service.create(image, video)["data"]["task_id"]
    content = httpx.get(service.wait(first)["result"]["media_urls"][0], timeout=60).content
    ids = [first, *(service.create(image, video)["data"]["task_id"] for _ in range(tasks - 1))]
    service.hold(ids[1], RENDERING)
    return ids, content


def record(database_url: str, port: int, folder: Path) -> None:
    """Write the database as SQL: with port 8000, without metrics, and without commands of psql."""
    from bodydouble.store.server_user import installed_binaries

    dump = subprocess.run(
        [installed_binaries() / "pg_dump", "--no-owner", "--no-privileges", "--inserts", f"--dbname={database_url}",
         "--exclude-table-data=public.tally", "--exclude-table-data=public.gauge"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [line for line in dump.stdout.splitlines(keepends=True) if not line.startswith("\\")]
    (folder / "database.sql").write_text("".join(lines).replace(f"127.0.0.1:{port}", "127.0.0.1:8000"))


def check(service: Any, ids: list[str], first: bytes) -> list[str]:
    """What was lost."""
    losses: list[str] = []
    with psycopg.connect(service.database_url) as connection:
        charges = Counter(str(row[0]) for row in connection.execute("select task_id from ledger where kind = 'charge'"))
    for number, task in enumerate(ids):
        data = service.task(task)
        if data["status"] != "success":
            losses.append(f"{task}: {data}")
            continue
        content = httpx.get(data["result"]["media_urls"][0], timeout=60)
        if content.status_code != 200 or (number == 0 and content.content != first):
            losses.append(f"{task}: its result is gone or another one: {content.status_code}")
        if charges[task] != 1:
            losses.append(f"{task} was charged {charges[task]} times")
    command = [sys.executable, "-m", "bodydouble", "ledger", "check", "--data", str(service.folder)]
    if subprocess.run(command, check=False).returncode:
        losses.append("the ledger differs")
    return losses


def main() -> None:
    """Run, print the report, and exit with 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="3 tasks")
    parser.add_argument("--before", default=BEFORE, metavar="COMMIT")
    parser.add_argument("--tasks", type=int, default=6)
    parser.add_argument("--record", type=Path, metavar="FOLDER")
    chosen = parser.parse_args()
    sys.path.insert(0, str(TESTS))
    from live_service import LiveService
    from worker_harness import SECRET

    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bodydouble-upgrade-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        service = LiveService(folder, str(install(chosen.before, folder)))
        settings = CREDITS | {"BODYDOUBLE_SECRET": SECRET}
        try:
            service.start(**settings)
            ids, first = work_before(service, folder, 3 if chosen.quick else chosen.tasks)
            if chosen.record:
                record(service.database_url, service.port, chosen.record)
            service.kill()
            service.python = sys.executable
            service.start(**settings)
            for task in ids:
                service.wait(task)
            losses = check(service, ids, first)
        finally:
            service.stop()
    machine, seconds = f"{platform.machine()}, {os.cpu_count()} cores", round(time.monotonic() - began, 1)
    for loss in losses:
        print("LOSS", loss)
    print(f"{machine}, {chosen.before} to {git.stdout.strip()}: {len(ids)} tasks, {len(losses)} losses, {seconds} s")
    flat = {"machine": machine, "before": chosen.before, "commit": git.stdout.strip(), "tasks": len(ids)}
    print(json.dumps(flat | {"finished_before": 1, "losses": len(losses), "seconds": seconds}))
    sys.exit(1 if losses else 0)


if __name__ == "__main__":
    main()
