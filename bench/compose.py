"""The services of deploy/compose.yaml without containers, twice each: is a task lost when a worker is killed?

    python bench/compose.py [--quick] [--tasks 200] [--real 4]

Two APIs and two workers run with the commands and the environment of the Compose file. PostgreSQL is a server of this
bench, where the service's role owns one database and is no superuser. The S3 store is moto's. Tasks go to both APIs in
turn. When a fifth of them has ended, one worker is killed while tasks run; it is restarted when ten more have ended.
Every task must succeed, be read from the API that did not create it, be charged once, and have a result that can be
downloaded. `bodydouble ledger check` must agree. Otherwise the exit status is 1.

A fast child process makes the videos of most tasks. The puppet renderer makes ``--real`` of them; with as many as there
are tasks, the workers run as in the file. The last line is one flat JSON object.
"""

import argparse
import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import IO, Any

import httpx
import psycopg
from moto.server import ThreadedMotoServer

TESTS = Path(__file__).parents[1] / "tests"
sys.path.insert(0, str(TESTS))  # the imports below need it, hence their place
from bodydouble.store import EmbeddedPostgres  # noqa: E402
from compose_file import Service, read_service  # noqa: E402
from live_service import LiveService  # noqa: E402
from material import astronaut, carphone, write_image, write_video  # noqa: E402

ROLE, BUCKET, S3_KEY = "bodydouble", "bodydouble", "a key for this bench only"
SECONDS_MAX = 3600
CREDITS = 1_000_000
SOON = {"BODYDOUBLE_HEARTBEAT_SECONDS": "1", "BODYDOUBLE_TAKEOVER_SECONDS": "10"}
"""Shorter than the defaults, so that the killed worker's task does not wait for most of the run."""


class Installation:
    """The services, their database and their S3 store."""

    def __init__(self, folder: Path, *, worker_as_in_file: bool) -> None:
        self._folder, self._as_in_file = folder, worker_as_in_file
        self.apis = [LiveService(folder), LiveService(folder)]
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self._logs: list[IO[bytes]] = []
        self._server = EmbeddedPostgres(folder / "postgres")
        self._s3 = ThreadedMotoServer("127.0.0.1", 0, verbose=False)

    def start(self) -> None:
        """Start everything and wait until both APIs listen."""
        self._server.start()
        with psycopg.connect(self._server.url, autocommit=True) as connection:
            connection.execute(f"create role {ROLE} login")
            connection.execute(f"create database {ROLE} owner {ROLE}")
        self._s3.start()
        api, worker = self._service("api"), self._service("worker")
        assert api.command[0] == "serve"
        for live in self.apis:
            live.start(*api.command[1:], **api.environment)
        self.apis[1].key = self.apis[0].key
        self._worker = worker
        for name in ("worker-1", "worker-2"):
            self.start_worker(name)

    def _service(self, name: str) -> Service:
        """A service of the file; the names of its containers are replaced by addresses of this machine."""
        host, port = self._s3.get_host_and_port()
        files = f"http://{host}:{port}"
        secrets = {
            "POSTGRES_PASSWORD": "x",
            "BODYDOUBLE_SECRET": "a secret for this bench only",
            "S3_SECRET_KEY": S3_KEY,
        }
        found = read_service(name, secrets | {"S3_PUBLIC_URL": files, "BODYDOUBLE_PUBLIC_URL": self.apis[0].url})
        environment = found.environment | {
            "DATABASE_URL": f"postgresql://{ROLE}@/{ROLE}?host={self._server.sockets}",
            "BODYDOUBLE_FILES": found.environment["BODYDOUBLE_FILES"].replace("http://files:8333", files),
            "BODYDOUBLE_STARTING_CREDITS": str(CREDITS),
            "BODYDOUBLE_CREATES_PER_MINUTE": "10000",
            "BODYDOUBLE_TASKS_ACTIVE_MAX": "10000",
            "HARNESS_SECONDS": "0.05",
        }
        self.environment = environment | SOON
        self._make_bucket(files)
        return Service(command=found.command, environment=self.environment)

    def _make_bucket(self, endpoint: str) -> None:
        import boto3

        boto3.client(
            "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        ).create_bucket(Bucket=BUCKET)

    def start_worker(self, name: str) -> None:
        """Start a worker with a data folder of its own."""
        own = [sys.executable, "-m", "bodydouble", *self._worker.command]
        fast = [sys.executable, str(TESTS / "harness_worker.py")]
        self._logs.append((self._folder / f"{name}.log").open("ab"))
        self.workers[name] = subprocess.Popen(
            own if self._as_in_file else fast,
            env=os.environ | self._worker.environment | {"BODYDOUBLE_DATA": str(self._folder / name)},
            stdout=self._logs[-1],
            stderr=self._logs[-1],
            start_new_session=True,
        )

    def rows(self, query: str) -> list[Any]:
        """The rows that a query returns."""
        with psycopg.connect(self.environment["DATABASE_URL"]) as connection:
            return connection.execute(query.encode()).fetchall()

    def ledger_agrees(self) -> bool:
        """Whether `bodydouble ledger check` finds no difference."""
        command = [sys.executable, "-m", "bodydouble", "ledger", "check", "--data", str(self._folder / "operator")]
        return subprocess.run(command, env=os.environ | self.environment, check=False).returncode == 0

    def end(self) -> None:
        """Stop everything."""
        for worker in self.workers.values():
            worker.terminate()
            worker.wait(120)
        for live in self.apis:
            if hasattr(live, "process") and live.process.poll() is None:
                live.stop()
        self._s3.stop()
        self._server.stop()
        for log in self._logs:
            log.close()


class Run:
    """The tasks of one run, and what was lost."""

    def __init__(self, installation: Installation, folder: Path) -> None:
        self._at = installation
        self.losses: list[str] = []
        self.tasks: list[str] = []
        self.attempts_most = 0
        self._image = write_image(folder / "astronaut.png", astronaut())
        self._video = write_video(folder / "carphone.mp4", carphone(3, 144))

    def create(self, count: int, real: int) -> None:
        """Create ``count`` tasks, at both APIs in turn, from one upload to each."""
        uploads = [(api.upload(self._image), api.upload(self._video)) for api in self._at.apis]
        for number in range(count):
            image, video = uploads[number % 2]
            inputs = {"img_urls": [image], "video_urls": [video], "renderer": "puppet" if number < real else "auto"}
            body = {"model": "wan/2-2-animate-replace", "input": inputs | {"resolution": "480P", "seed": number}}
            answer = self._at.apis[number % 2].call("POST", "job/CreateTask", json=body)
            if answer["code"] != 200:
                self.losses.append(f"task {number} was refused: {answer}")
            else:
                self.tasks.append(answer["data"]["task_id"])

    def ended(self) -> int:
        """How many tasks have ended."""
        return int(self._at.rows("select count(*) from task where completed_at is not null")[0][0])

    def wait_for(self, count: int) -> None:
        """Wait until so many tasks have ended."""
        deadline = time.monotonic() + SECONDS_MAX
        while self.ended() < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.ended()} of {len(self.tasks)} tasks have ended after {SECONDS_MAX} s")
            time.sleep(0.2)

    def kill_a_worker(self) -> str:
        """SIGKILL a worker with a running task. Returns its name."""
        name = "worker-1"
        while not (self._at.rows("select 1 from task where status = 'running'")):
            time.sleep(0.02)
        self._at.workers[name].kill()
        self._at.workers[name].wait()
        return name

    def check(self) -> None:
        """Check every task; each violation is a loss."""
        charges = Counter(str(row[0]) for row in self._at.rows("select task_id from ledger where kind = 'charge'"))
        for number, task in enumerate(self.tasks):
            other = self._at.apis[(number + 1) % 2]
            answer = other.call("GET", "job/TaskInfo", params={"task_id": task})
            data = answer.get("data") or {}
            if data.get("status") != "success":
                self.losses.append(f"{task}: {answer}")
                continue
            content = httpx.get(data["result"]["media_urls"][0], timeout=60)
            if content.status_code != 200 or not content.content:
                self.losses.append(f"{task}: its result cannot be downloaded: {content.status_code}")
            if charges[task] != 1:
                self.losses.append(f"{task} was charged {charges[task]} times")
        self.attempts_most = int(self._at.rows("select max(attempts) from task")[0][0])
        if not self._at.ledger_agrees():
            self.losses.append("the ledger differs")


def main() -> None:
    """Run, print the report, and exit with 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="24 tasks, none of them by the puppet renderer")
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--real", type=int, default=4, help="tasks made by the puppet renderer")
    chosen = parser.parse_args()
    count, real = (24, 0) if chosen.quick else (chosen.tasks, chosen.real)
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    began = time.monotonic()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # it logs every request to the S3 store
    with tempfile.TemporaryDirectory(prefix="bodydouble-compose-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        installation = Installation(folder, worker_as_in_file=real >= count)
        try:
            installation.start()
            run = Run(installation, folder)
            run.create(count, real)
            run.wait_for(count // 5)
            killed, at = run.kill_a_worker(), run.ended()
            run.wait_for(min(count, at + 10))
            installation.start_worker(killed)
            run.wait_for(len(run.tasks))
            run.check()
        finally:
            installation.end()
    seconds, machine = round(time.monotonic() - began, 1), f"{platform.machine()}, {os.cpu_count()} cores"
    for loss in run.losses:
        print("LOSS", loss)
    print(f"{machine}, commit {git.stdout.strip()}: {len(run.tasks)} tasks in {seconds} s, {len(run.losses)} losses")
    flat = {"machine": machine, "commit": git.stdout.strip(), "tasks": len(run.tasks), "real_tasks": real}
    flat |= {"apis": 2, "workers": 2, "workers_killed": 1, "attempts_most": run.attempts_most}
    print(json.dumps(flat | {"losses": len(run.losses), "seconds": seconds}))
    sys.exit(1 if run.losses else 0)


if __name__ == "__main__":
    main()
