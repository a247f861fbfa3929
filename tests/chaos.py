"""Random kills, freezes and damage under load, and the check that nothing was lost.

The set-up resembles an installation on several machines: an API with its database, and two workers that share the file
store but no data folder. Tasks run in the fast child process of ``harness_child``, and in the real one if they name a
renderer. Killed processes are restarted a moment later, as a service manager does.
"""

import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import psycopg

from chaos_receiver import Receiver
from disturbances import damage_workspace, fill_disk, freeze, step_clock
from harness_child import SEGMENTS
from live_service import MODEL, PLAIN_HTTP, LiveService
from worker_harness import SECRET, WorkerHarness, wait_until
from worker_server import ForkedWorker

API = "api/v1/client/"
TARGETS = ("api", "worker", "child", "postgres")
FREEZES = ("freeze api", "freeze worker", "freeze child", "freeze postgres")
DAMAGES = ("change artefact", "delete artefact", "delete workspace")
CLOCK, DISK = "step clock", "fill disk"
FREEZE_SECONDS_MAX = 6.0
"""Longer than the workers' heartbeat timeout, so that some freezes cause a takeover."""
UNFINISHED_MAX = 60
"""Tasks at a time: further ones wait for their creation, so that a slow machine ends them all within the time below."""
REST_SECONDS_MAX = 400
REAL_SECONDS_MAX = 400
"""Time limit of a task in the real child process on a loaded machine."""
FOREIGN_SHARE = 0.25
"""Share of tasks with their video at a foreign address."""
STEP_SECONDS_MAX = 100.0
"""A callback that waits for its next try waits longer by such a step."""


@dataclass
class Report:
    """Counts and losses of one run."""

    tasks: int = 0
    kills: Counter[str] = field(default_factory=Counter[str])
    outcomes: Counter[str] = field(default_factory=Counter[str])
    attempts_most: int = 0
    calls: int = 0  # callbacks received, including repeated ones
    losses: list[str] = field(default_factory=list[str])  # each one is a fault
    seconds: float = 0

    def flat(self) -> dict[str, Any]:
        """The report as one flat JSON object."""
        names = (*TARGETS, *FREEZES, *DAMAGES, CLOCK, DISK)
        kills = {
            f"kills_{name.replace(' ', '_')}": self.kills[name] for name in names if self.kills[name] or name in TARGETS
        }
        outcomes = {f"tasks_{name}": count for name, count in sorted(self.outcomes.items())}
        return {
            "tasks": self.tasks,
            **outcomes,
            "kills": self.kills.total(),
            **kills,
            "attempts_most": self.attempts_most,
            "callbacks_received": self.calls,
            "losses": len(self.losses),
            "seconds": round(self.seconds, 1),
        }


class Chaos:
    """One run. ``seed`` fixes the order of targets and pauses; the exact moments depend on the machine."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        image: Path,
        video: Path,
        targets: Sequence[str] = TARGETS,
        logs: Path | None = None,
    ) -> None:
        """``targets``: of ``TARGETS``, ``FREEZES``, ``DAMAGES``, ``CLOCK``; ``DISK`` only if ``folder`` has its own.

        ``logs``: a folder on another disk for what the processes print; None: ``folder``.
        """
        self._targets, self._logs = targets, logs or folder
        self._folder, self._draw = folder, random.Random(seed)
        self._image, self._video = image, video
        self.receiver = Receiver(random.Random(seed))
        self._settings = {
            "BODYDOUBLE_FILES": str(folder / "files"),
            "BODYDOUBLE_SECRET": SECRET,
            "BODYDOUBLE_OUTBOUND_ALLOW": "127.0.0.0/8",
            "BODYDOUBLE_FREE_BYTES_MIN": "0",
            "BODYDOUBLE_TAKEOVER_SECONDS": "4",
            "BODYDOUBLE_HEARTBEAT_SECONDS": "0.5",
            "BODYDOUBLE_ATTEMPTS_MAX": "100",
            "BODYDOUBLE_CALLBACK_SECONDS_MAX": "1",
            "BODYDOUBLE_CREATES_PER_MINUTE": "100000",
            "BODYDOUBLE_TASKS_ACTIVE_MAX": str(UNFINISHED_MAX),
            "BODYDOUBLE_STARTING_CREDITS": "10000000",
            "BODYDOUBLE_WORKER_TASKS_MAX": "2",
            "HARNESS_SECONDS": "0.03",
        }
        self.api = LiveService()
        self._report = Report()
        self._acknowledged: list[str] = []
        self._seeds: dict[str, int] = {}  # of tasks for the fast child process
        self._loading = threading.Event()

    def run(self, kills: int, real_tasks: int = 0, *, tasks_min: int = 0) -> Report:
        """The report after at least the given disturbances and tasks, once all tasks have ended."""
        began = time.monotonic()
        try:
            self.api.start("--no-worker", **self._settings)
            self.receiver.secret = self.api.call("GET", "account/webhook-secret")["data"]["secret"]
            self._workers = WorkerHarness(self._folder, self.api.database_url)
            self._workers.logs = self._logs
            self._workers.environment |= self._settings | {"BODYDOUBLE_PUBLIC_URL": self.api.url}
            for name in ("one", "two"):
                self._workers.start(name)
            for name in ("one", "two"):
                self._workers.ready(name)
            uploads = self.api.upload(self._image), self.api.upload(self._video)
            load = threading.Thread(target=self._load, args=(uploads, real_tasks), daemon=True)
            load.start()
            self._kill_often(kills)
            wait_until(lambda: len(self._acknowledged) >= tasks_min)
            self._loading.set()
            load.join(60)
            self._revive()
            self._come_to_rest(REST_SECONDS_MAX + real_tasks * REAL_SECONDS_MAX)
            self._check()
        finally:
            self._loading.set()
            if hasattr(self, "_workers"):
                self._workers.end()
            if self.api.process.poll() is None:
                self.api.stop()
            shutil.copy(self.api.folder / "serve.log", self._logs)
            self.api.remove()
            self.receiver.close()
        self._report.seconds = time.monotonic() - began
        return self._report

    def _load(self, uploads: tuple[str, str], real_tasks: int) -> None:
        """Create tasks one after another, each retried until acknowledged; cancel every tenth."""
        draw = random.Random(self._draw.random())
        number = 0
        while not self._loading.is_set():
            real = number < real_tasks
            task = self._create(uploads, "puppet" if real else "auto", number)
            number += 1
            if task and not real and draw.random() < 0.1:
                self._call("POST", "job/CancelTask", params={"task_id": task})
            self._loading.wait(draw.uniform(0, 0.2))

    def _create(self, uploads: tuple[str, str], renderer: str, seed: int) -> str | None:
        foreign = renderer == "auto" and seed % round(1 / FOREIGN_SHARE) == 0
        video = f"{self.receiver.url}.mp4" if foreign else uploads[1]
        inputs = {"img_urls": [uploads[0]], "video_urls": [video], "resolution": "480P"}
        body = {
            "model": MODEL,
            "input": inputs | {"renderer": renderer, "seed": seed},
            "callback_url": self.receiver.url,
        }
        answer = self._call("POST", "job/CreateTask", json=body, headers={"idempotency-key": str(uuid4())})
        if answer is None:
            return None
        task = str(answer["data"]["task_id"])
        self._acknowledged.append(task)
        if renderer == "auto":
            self._seeds[task] = seed
        return task

    def _call(self, method: str, path: str, headers: dict[str, str] | None = None, **arguments: Any) -> Any:
        """The envelope of a successful answer, with unlimited retries; None if the load ends first."""
        while True:
            try:
                answer = httpx.request(
                    method,
                    f"{self.api.url}/{API}{path}",
                    headers={"x-api-key": self.api.key} | (headers or {}),
                    timeout=10,
                    verify=PLAIN_HTTP,
                    **arguments,
                )
                if answer.status_code == 200:
                    return answer.json()
                if answer.status_code < 500 and answer.status_code != 429:  # after a clock step the limit is used up
                    self._report.losses.append(f"{path} was refused: {answer.text}")
                    return None
            except httpx.HTTPError:
                pass
            if self._loading.wait(0.3):
                return None

    def _kill_often(self, kills: int) -> None:
        """Disturb all targets in random order, and repeat until there are enough disturbances."""
        order: list[str] = []
        while self._report.kills.total() < kills:
            order = order or self._draw.sample(self._targets, len(self._targets))
            time.sleep(self._draw.uniform(0.5, 2.5))
            if self._kill(order[0]):
                order.pop(0)
                time.sleep(self._draw.uniform(0, 1))
            self._revive()

    def _kill(self, target: str) -> bool:
        """Disturb ``target``, and count it. False if it is not there at this moment."""
        worker = self._workers.workers[self._draw.choice(("one", "two"))]
        try:
            done = self._disturb(target, worker)
        except (psutil.NoSuchProcess, psycopg.OperationalError):
            return False
        self._report.kills[target] += done
        return done

    def _disturb(self, target: str, worker: ForkedWorker) -> bool:
        pause = self._draw.uniform(0.5, FREEZE_SECONDS_MAX)
        if target in DAMAGES:
            return damage_workspace(target, self._folder, self._draw)
        if target == DISK:
            fill_disk(self._folder, pause)
        elif target == CLOCK:
            step_clock(self.api.database_url, self._draw.uniform(-STEP_SECONDS_MAX, STEP_SECONDS_MAX))
        else:
            processes = self._processes(target.removeprefix("freeze "), worker)
            if not processes:
                return False
            if target in FREEZES:
                freeze(processes, pause)
            else:
                processes[0].kill()
                if target in ("api", "worker"):
                    (self.api.process if target == "api" else worker).wait(30)
        return True

    def _processes(self, target: str, worker: ForkedWorker) -> list[psutil.Process]:
        """The processes of ``target``: those to freeze, of which the first is the one to kill."""
        match target:
            case "api":
                return [psutil.Process(self.api.process.pid)]
            case "worker":
                return [psutil.Process(worker.pid)]
            case "child":
                children = psutil.Process(worker.pid).children()
                return [self._draw.choice(children)] if children else []
            case _:
                servers = [p for p in psutil.Process(self.api.process.pid).children() if p.name() == "postgres"]
                return [process for server in servers for process in (server, *server.children())]

    def _revive(self) -> None:
        """Restart processes that have ended."""
        if self.api.process.poll() is not None:
            assert self.api.process.stdout is not None
            self.api.process.stdout.close()
            self.api.start("--no-worker", **self._settings)
        for name, worker in list(self._workers.workers.items()):
            if worker.poll() is not None:
                self._workers.start(name)

    def _come_to_rest(self, seconds: float) -> None:
        def rest() -> bool:
            self._revive()
            try:
                return self._workers.rows(
                    "select (select count(*) from task where completed_at is null)"
                    " + (select count(*) from delivery where status = 'pending')"
                ) == [(0,)]
            except psycopg.OperationalError:
                return False

        deadline = time.monotonic() + seconds
        while not rest() and time.monotonic() < deadline:
            time.sleep(0.3)

    def _check(self) -> None:
        """Check all guarantees; each violation is a loss."""
        report, rows = self._report, self._workers.rows
        report.tasks, report.calls = len(self._acknowledged), len(self.receiver.calls)
        query = "select id, status, result ->> 'code', attempts, result ->> 'message' from task"
        known = {str(row[0]): row[1:] for row in rows(query)}
        ends = Counter(
            str(row[0])
            for row in rows("select task_id from ledger where kind = 'charge' or (kind, memo) = ('release', '')")
        )
        ids: dict[str, set[str]] = {}
        for task, delivery in self.receiver.calls:
            ids.setdefault(task, set()).add(delivery)
        for task in self._acknowledged:
            if task not in known:
                report.losses.append(f"{task} is gone")
                continue
            status, code, attempts, message = known[task]
            report.attempts_most = max(report.attempts_most, attempts)
            report.outcomes["cancelled" if code == "499" else status] += 1
            if status not in ("success", "failed"):
                report.losses.append(f"{task} is {status}")
            if status == "failed" and code != "499":  # attempts are unlimited here, so a kill must not fail a task
                report.losses.append(f"{task} failed after {attempts} attempts: {code} {message}")
            if status == "success" and task in self._seeds and self._delivered(task) != _expected(self._seeds[task]):
                report.losses.append(f"{task} delivered a damaged video")
            if ends[task] != 1:
                report.losses.append(f"{task} was settled {ends[task]} times")
            if len(ids.get(task, ())) != 1:
                report.losses.append(f"{task} was told of under {len(ids.get(task, ()))} ids")
        report.losses += [f"the ledger differs: {row}" for row in rows("select * from ledger_difference")]
        report.losses += [f"a callback that is not ours: {fault}" for fault in self.receiver.forged]

    def _delivered(self, task: str) -> str:
        """The content of the result, as downloaded by the task's owner."""
        (path,) = (self._folder / "files").glob(f"results/*/{task}.mp4")
        return path.read_text()


def _expected(seed: int) -> str:
    """The result of the fast child process."""
    return "".join(f"{seed} segments/segment-{index:05d}.nut\n" for index in range(SEGMENTS))
