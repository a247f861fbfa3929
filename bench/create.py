"""Creates and reads a second, for bodydouble and a usual stack; API, PostgreSQL and load on this machine, fsync on.

    python bench/create.py [--quick] [--seconds N] [--processes N] [--only ours|usual] [--dialect NAME]

"Ours" is `bodydouble serve --no-worker` as a user starts it. "Usual" is FastAPI, SQLAlchemy's ORM and Celery over Redis
(creating/usual_service.py), on the same PostgreSQL and under the same load. One process creates the load over raw
sockets (creating/load.py). Its share of a core is printed; near 1, the load is the bottleneck. On a loaded machine,
compare processor time for each create instead of wall time. ``probe_ms``, the time of a fixed loop, allows comparisons
between machines. The last line is one flat JSON object.

With ``--dialect`` only ours is measured: creates through crun's API and through that dialect, in turn, so that both
have the same machine. The figure ``dialect_cpu_ratio`` compares their processor time.
"""

import argparse
import asyncio
import contextlib
import importlib.util
import json
import os
import platform
import random
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

sys.path.insert(0, str(Path(__file__).parent / "creating"))
from dialects import CREATES, create_request

from bodydouble.bootstrap.stores import open_stores
from bodydouble.service.accounts import AccountService
from bodydouble.settings import Settings
from bodydouble.store import EmbeddedPostgres
from bodydouble.tasks.account import hash_api_key

HERE = Path(__file__).parent / "creating"
CONNECTIONS = 64
WARM_SECONDS = 1.5
ACCOUNTS = 100
READ_TASKS = 1000
"""Distinct tasks that the reads ask for."""
NO_LIMIT = 100_000_000
"""A rate limit that the load cannot reach."""
PROBES, PROBE_ROUNDS = 5, 1_000_000
"""Repetitions of the probe (the fastest counts), and rounds of its loop."""
REST_SECONDS_MAX, REST_CORES = 60, 0.1
"""The worker has started when it uses less than this share of a core for a second; the longest wait."""
API = "/api/v1/client"


@dataclass(frozen=True, kw_only=True)
class Service:
    """One running service of the comparison."""

    port: int
    keys: Sequence[str]
    database_url: str
    roots: Sequence[int]  # process ids; their processor time and that of their children is measured


def info_request(port: int, key: str, task_id: str) -> str:
    """A TaskInfo request."""
    return f"GET {API}/job/TaskInfo?task_id={task_id} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nx-api-key: {key}\r\n\r\n"


def processor_seconds(roots: Sequence[int]) -> dict[str, dict[int, float]]:
    """User plus system seconds so far, by part and process id, of the roots and all their children."""
    times: dict[str, dict[int, float]] = {"api": {}, "worker": {}, "postgres": {}, "redis": {}}
    for root in roots:
        for process in (psutil.Process(root), *psutil.Process(root).children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                used = process.cpu_times()
                times[part_of(process)][process.pid] = used.user + used.system
    return times


def part_of(process: psutil.Process) -> str:
    """The part of the service that a process belongs to. Our worker delivers callbacks and cleans up meanwhile."""
    name = process.name()
    if "postgres" in name:
        return "postgres"
    if "redis" in name:
        return "redis"
    return "worker" if "worker" in process.cmdline()[1:5] else "api"


def drive(port: int, requests: Sequence[str], seconds: float) -> dict[str, Any]:
    """The measurements of the load process, after ``seconds`` of requests."""
    order = {"port": port, "connections": CONNECTIONS, "seconds": seconds, "requests": requests}
    load = subprocess.run(
        [sys.executable, str(HERE / "load.py")], input=json.dumps(order), capture_output=True, text=True, check=True
    )
    answer: dict[str, Any] = json.loads(load.stdout)
    return answer


def probe_ms() -> float:
    """Processor time of a fixed Python loop in milliseconds, as a measure of this machine's speed.

    To compare figures of two machines, divide each by its probe.
    """
    times = []
    for _ in range(PROBES):
        began, total = time.process_time(), 0
        for number in range(PROBE_ROUNDS):
            total += number & 7
        times.append(time.process_time() - began)
    return round(min(times) * 1000, 1)


def wait_for_rest(roots: Sequence[int]) -> None:
    """Wait until the worker has started, because its start-up time is not part of a create."""
    last = -1.0
    for _ in range(REST_SECONDS_MAX):
        now = sum(processor_seconds(roots)["worker"].values())
        if 0 <= now - last < REST_CORES:
            return
        last = now
        time.sleep(1)


def measure(service: Service, what: str, requests: Sequence[str], seconds: float) -> dict[str, float]:
    """Figures named ``what``_… of ``seconds`` of requests, after ``WARM_SECONDS`` of the same requests."""
    drive(service.port, requests, WARM_SECONDS)
    before = processor_seconds(service.roots)
    found = drive(service.port, requests, seconds)
    after = processor_seconds(service.roots)
    refused = {status: n for status, n in found["statuses"].items() if status != "200"}
    if refused:
        print(f"  {what}: responses other than 200: {refused}", file=sys.stderr)
    figures = {
        f"{what}_per_second": round(found["good"] / seconds, 1),
        f"{what}_p50_ms": found["p50_ms"],
        f"{what}_p99_ms": found["p99_ms"],
        f"{what}_refused": sum(refused.values()),
        f"{what}_load_cores": found["load_cores"],
    }
    total = 0.0
    for part, used in after.items():
        spent = sum(seconds_ - before[part].get(pid, 0.0) for pid, seconds_ in used.items())
        if spent:
            figures[f"{what}_{part}_cpu_us"] = round(spent * 1e6 / max(found["good"], 1))
            total += spent
    figures[f"{what}_cpu_us"] = round(total * 1e6 / max(found["good"], 1))
    parts = ", ".join(
        f"{part} {figures[f'{what}_{part}_cpu_us']}" for part in after if f"{what}_{part}_cpu_us" in figures
    )
    print(
        f"  {what:20}{found['good'] / seconds:8.0f}/s  p50 {found['p50_ms']:6.1f} ms  p99 {found['p99_ms']:7.1f} ms  "
        f"processor {figures[f'{what}_cpu_us']} µs each ({parts}); load {found['load_cores']:.2f} cores",
        flush=True,
    )
    return figures


@contextmanager
def running(command: Sequence[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that runs during the block; its stderr goes to ``log``."""
    with log.open("w") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=output, text=True
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def free_port() -> int:
    """A port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, log: Path) -> None:
    """Wait until ``url`` answers; exit with the end of ``log`` after 300 failed attempts."""
    for _ in range(300):
        try:
            httpx.get(url, timeout=5)
            return
        except httpx.HTTPError:
            time.sleep(0.1)
    sys.exit(f"{url} does not answer: {log.read_text()[-2000:]}")


async def _accounts(settings: Settings, url: str) -> list[str]:
    async with open_stores(settings, url) as stores:
        service = AccountService(stores.accounts, secrets.token_bytes(32))
        keys = []
        for number in range(ACCOUNTS):
            account = await service.open_account(f"account-{number}", Decimal(10_000_000), "for the measurement")
            keys.append((await service.create_key(account.id)).secret)
        return keys


@contextmanager
def ours(folder: Path, processes: int) -> Iterator[Service]:
    """`bodydouble serve --no-worker`, with accounts without rate limits."""
    data, log = folder / "data", folder / "serve.log"
    environment = {
        "BODYDOUBLE_CREATES_PER_MINUTE": str(NO_LIMIT),
        "BODYDOUBLE_TASKS_ACTIVE_MAX": str(NO_LIMIT),
        "BODYDOUBLE_READS_PER_MINUTE": str(NO_LIMIT),
        "DATABASE_URL": "",
    }
    command = [sys.executable, "-m", "bodydouble", "serve", "--no-worker", "--port", "0", "--data", str(data)]
    if processes > 1:
        command += ["--api-processes", str(processes)]
    with running(command, environment, log) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if "listens on" not in line:
            sys.exit(f"serve did not start: {log.read_text()[-2000:]}")
        port = int(line.rsplit(":", 1)[1])
        url = EmbeddedPostgres(data / "postgres").url
        wait_for(f"http://127.0.0.1:{port}/healthz", log)
        keys = asyncio.run(_accounts(Settings(data=data), url))
        wait_for_rest([process.pid])
        yield Service(port=port, keys=keys, database_url=url, roots=[process.pid])


@contextmanager
def usual(folder: Path, processes: int) -> Iterator[Service]:
    """FastAPI, SQLAlchemy's ORM, Celery and Redis, on a PostgreSQL with the same settings."""
    server = EmbeddedPostgres(folder / "usual" / "postgres")
    server.start()
    redis_port, port = free_port(), free_port()
    url = server.url.replace("postgresql://", "postgresql+psycopg://")
    environment = {"USUAL_DATABASE_URL": url, "USUAL_REDIS_URL": f"redis://127.0.0.1:{redis_port}/0"}
    redis = ["redis-server", "--port", str(redis_port), "--bind", "127.0.0.1", "--appendonly", "yes"]
    try:
        with (
            running([*redis, "--dir", str(folder)], {}, folder / "redis.log") as broker,
            running(
                [sys.executable, "-m", "uvicorn", "usual_service:app", "--port", str(port), "--no-access-log"]
                + ["--app-dir", str(HERE), "--workers", str(processes)],
                environment,
                folder / "usual.log",
            ) as process,
        ):
            keys = _seed_usual(server.url, environment)
            wait_for(f"http://127.0.0.1:{port}/docs", folder / "usual.log")
            assert server.pid is not None
            yield Service(port=port, keys=keys, database_url=server.url, roots=[server.pid, broker.pid, process.pid])
    finally:
        server.stop()


def _seed_usual(url: str, environment: dict[str, str]) -> list[str]:
    make = "import usual_service as u; u.Base.metadata.create_all(u.engine)"
    subprocess.run([sys.executable, "-c", make], env={**os.environ, **environment}, cwd=HERE, check=True)
    keys = [f"ak_{secrets.token_hex(16)}" for _ in range(ACCOUNTS)]
    with psycopg.connect(url) as connection:
        for number, key in enumerate(keys, 1):
            connection.execute("insert into accounts values (%s, %s, 1e7, 0)", (number, f"account-{number}"))
            connection.execute("insert into api_keys values (%s, %s)", (hash_api_key(key), number))
    return keys


def measure_side(
    side: str, service: Service, seconds: float, tasks_sql: str, dialect: str = "crun"
) -> dict[str, float]:
    """Figures of creates spread over all accounts, creates of one account, and reads."""
    port, keys = service.port, service.keys
    spread = [create_request(dialect, port, key) for key in keys]
    drive(port, spread, WARM_SECONDS)
    with psycopg.connect(service.database_url, autocommit=True) as connection:
        connection.execute("analyze")  # autovacuum does this within a minute; before, plans are those of empty tables
    figures = measure(service, f"{side}_create", spread, seconds)
    figures |= measure(service, f"{side}_hot_create", [create_request(dialect, port, keys[0])], seconds)
    with psycopg.connect(service.database_url) as connection:
        made = connection.execute(tasks_sql, (READ_TASKS,)).fetchall()
    owners = {hash_api_key(key): key for key in keys}
    reads = [info_request(port, owners[bytes(key_hash)], str(task)) for task, key_hash in made]
    random.shuffle(reads)
    return figures | measure(service, f"{side}_info", reads, seconds)


def compare_dialect(dialect: str, service: Service, seconds: float) -> dict[str, float]:
    """Figures of creates through crun's API and through ``dialect``, each measured twice; the better one counts."""
    figures: dict[str, float] = {}
    for _ in range(2):
        for name in ("crun", dialect):
            requests = [create_request(name, service.port, key) for key in service.keys]
            found = measure(service, f"{name}_create", requests, seconds)
            cpu = f"{name}_create_cpu_us"
            if cpu not in figures or found[cpu] < figures[cpu]:
                figures |= found
    ratio = figures[f"{dialect}_create_cpu_us"] / figures["crun_create_cpu_us"]
    print(f"one create through {dialect} takes {ratio:.2f} times the processor time of one through crun's API")
    return figures | {"dialect_cpu_ratio": round(ratio, 2)}


def check_ours(service: Service) -> dict[str, float]:
    """Counts of tasks, queue entries and ledger differences after the load; no difference is expected."""
    with psycopg.connect(service.database_url) as connection:
        (tasks,) = connection.execute("select count(*) from task").fetchone() or (0,)
        (queued,) = connection.execute("select count(*) from dbos.workflow_status").fetchone() or (0,)
        (differences,) = connection.execute("select count(*) from ledger_difference").fetchone() or (0,)
    print(f"  tasks {tasks}, in the queue {queued}, differences to the ledger {differences}")
    return {"ours_tasks": tasks, "ours_queued": queued, "ours_ledger_differences": differences}


def missing_for_usual() -> str:
    """What "usual" needs and this machine lacks, with the install command; empty if nothing."""
    if not shutil.which("redis-server"):
        return "redis-server is missing (apt install redis-server)"
    if not all(importlib.util.find_spec(name) for name in ("celery", "redis")):
        return "celery and redis are missing (uv sync --inexact --group bench)"
    return ""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="three seconds each instead of ten")
    parser.add_argument("--seconds", type=float, default=10, help="duration of each measurement")
    parser.add_argument("--processes", type=int, default=1, help="API processes of each service")
    parser.add_argument("--only", choices=("ours", "usual"), help="measure only this service")
    parser.add_argument(
        "--dialect", choices=[name for name in CREATES if name != "crun"], help="compare with crun's API"
    )
    chosen = parser.parse_args()
    seconds = 3.0 if chosen.quick else chosen.seconds
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    figures: dict[str, Any] = {
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "commit": commit.stdout.strip(),
        "connections": CONNECTIONS,
        "processes": chosen.processes,
        "load_average_before": round(os.getloadavg()[0], 2),
        "probe_ms": probe_ms(),
    }
    print(
        f"{figures['cores']} cores, load average {figures['load_average_before']}, commit {figures['commit']}, "
        f"probe {figures['probe_ms']} ms"
    )
    folder = Path(tempfile.mkdtemp(prefix="bodydouble-bench-"))
    folder.chmod(0o711)  # when run as root, the database's own user needs access
    try:
        if chosen.dialect:
            with ours(folder, chosen.processes) as service:
                figures |= compare_dialect(chosen.dialect, service, seconds) | check_ours(service)
        elif chosen.only != "usual":
            with ours(folder, chosen.processes) as service:
                sql = (
                    "select t.id, k.key_hash from task as t join api_key as k using (account_id) order by t.id limit %s"
                )
                figures |= measure_side("ours", service, seconds, sql) | check_ours(service)
        reason = missing_for_usual()
        if chosen.dialect:
            pass
        elif chosen.only != "ours" and reason:
            print(f"  the usual service is not measured: {reason}")
        elif chosen.only != "ours":
            with usual(folder, chosen.processes) as service:
                sql = "select t.id, k.key_hash from tasks as t join api_keys as k using (account_id) limit %s"
                figures |= measure_side("usual", service, seconds, sql)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    figures["load_average_after"] = round(os.getloadavg()[0], 2)
    if {"ours_create_cpu_us", "usual_create_cpu_us"} <= figures.keys():
        ratio = figures["usual_create_cpu_us"] / figures["ours_create_cpu_us"]
        figures["create_cpu_ratio"] = round(ratio, 2)
        print(f"one create takes the usual service {ratio:.1f} times as much processor time as ours")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
