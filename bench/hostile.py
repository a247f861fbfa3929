"""Floods of hostile requests beside a well-behaved client: its latency, and what the service uses meanwhile.

    python bench/hostile.py [--minutes 5] [--quick] [--only KIND]

A service without workers runs on a disk of its own where this user may mount one. A client creates a task and reads it,
ten times a second. Each kind of flood (``hostile_floods.py``) runs from 1 and from 64 connections, in a process of low
priority. For each flood the bench prints the client's p50 and p99, and their ratio to the values without a flood; the
service's private memory and open descriptors, both at most; the free space of the disk, at least; and responses with a
status from 500 on that no limit explains (503 for too many connections and 507 for a full disk are limits).

The exit status is 1 if such a response was seen, the client got a wrong answer, or its p50 or p99 was more than three
times the value without a flood. Other load on the machine changes these values: look at the load that is printed. The
last line is one flat JSON object.
"""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

FLOODS = Path(__file__).with_name("hostile_floods.py")
TESTS = Path(__file__).parents[1] / "tests"
DISK = "1200m"
RESERVE_BYTES = 200_000_000
RATIO_MAX = 3.0
EXPLAINED = frozenset({503, 507})
PAUSE_SECONDS = 0.1
"""Between two rounds of the client."""
CLIENT = {"img_urls": ["https://example.com/a.png"], "video_urls": ["https://example.com/a.mp4"], "resolution": "480P"}


@dataclass(kw_only=True)
class Watch:
    """What was seen during one flood."""

    create_ms: list[float] = field(default_factory=list[float])
    read_ms: list[float] = field(default_factory=list[float])
    wrong: list[str] = field(default_factory=list[str])
    memory_mb: float = 0
    descriptors: int = 0
    free_mb: float = float("inf")


@contextlib.contextmanager
def own_disk() -> Iterator[Path]:
    """A folder on a small file system in memory, or an ordinary one if this user may not mount."""
    with tempfile.TemporaryDirectory(prefix="bodydouble-hostile-") as name:
        Path(name).chmod(0o755)
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", name], capture_output=True, check=False
        )
        try:
            yield Path(name)
        finally:
            if mounted.returncode == 0:
                subprocess.run(["umount", "-l", name], check=False)


def hostile_video(path: Path) -> Path:
    """A QuickTime file with a compressed header that claims to be 1.5 GB."""
    packed = zlib.compress(b"\0" * 50_000_000)

    def box(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", 8 + len(body)) + kind + body

    header = box(b"moov", box(b"cmov", box(b"dcom", b"zlib") + box(b"cmvd", struct.pack(">I", 1_500_000_000) + packed)))
    path.write_bytes(box(b"ftyp", b"qt  \0\0\0\0qt  ") + header + box(b"mdat", b"\0" * 100))
    return path


class Bench:
    """One service, and its keys."""

    def __init__(self, service: Any, disk: Path) -> None:
        self.service, self.disk = service, disk
        self.media = hostile_video(disk / "hostile.mov")
        self.poor = self._admin("accounts", "create", "poor", "--credits", "0") or ""
        self.poor_key = self._admin("keys", "create", "--account", "poor")
        self.read_key = self._admin("keys", "create", "--account", "poor", "--scope", "read")

    def _admin(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "bodydouble", *arguments, "--data", str(self.service.folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""

    async def flood(self, kind: str, connections: int, seconds: float) -> tuple[Watch, dict[str, int]]:
        """What was seen during one flood, and the answers to it by status."""
        order = {
            "kind": kind, "port": self.service.port, "connections": connections, "seconds": seconds,
            "key": self.poor_key, "read_key": self.read_key, "media": str(self.media),
        }  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(FLOODS), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(order).encode())
        process.stdin.close()
        watch = await self.watch(seconds)
        assert process.stdout is not None
        answers: dict[str, int] = json.loads(await process.stdout.read())
        await process.wait()
        return watch, answers

    async def watch(self, seconds: float) -> Watch:
        """The well-behaved client and the service for so long."""
        watch, until = Watch(), time.monotonic() + seconds
        headers = {"x-api-key": self.service.key}
        async with httpx.AsyncClient(
            base_url=f"{self.service.url}/api/v1/client/job/", headers=headers, timeout=30
        ) as client:
            await asyncio.gather(self._behave(client, watch, until), self._look(watch, until))
        return watch

    async def _behave(self, client: httpx.AsyncClient, watch: Watch, until: float) -> None:
        while time.monotonic() < until:
            try:
                began = time.perf_counter()
                body = {"model": "wan/2-2-animate-replace", "input": CLIENT}
                made = await client.post("CreateTask", json=body)
                watch.create_ms.append((time.perf_counter() - began) * 1000)
                task = made.json()["data"]["task_id"]
                began = time.perf_counter()
                read = await client.get("TaskInfo", params={"task_id": task})
                watch.read_ms.append((time.perf_counter() - began) * 1000)
                if read.json()["data"]["task_id"] != task:
                    watch.wrong.append(read.text[:200])
            except (httpx.HTTPError, KeyError, TypeError, ValueError) as error:
                watch.wrong.append(repr(error)[:200])
            await asyncio.sleep(PAUSE_SECONDS)

    async def _look(self, watch: Watch, until: float) -> None:
        api = psutil.Process(self.service.process.pid)
        while time.monotonic() < until:
            family = [api, *(p for p in api.children(recursive=True) if "postgres" not in p.name())]
            memory = 0
            for process in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    memory += process.memory_full_info().uss
            watch.memory_mb = max(watch.memory_mb, memory / 1e6)
            watch.descriptors = max(watch.descriptors, api.num_fds())
            watch.free_mb = min(watch.free_mb, psutil.disk_usage(str(self.disk)).free / 1e6)
            await asyncio.sleep(0.5)


def percentile(values: list[float], share: float) -> float:
    """The value that so great a share of ``values`` does not exceed."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)] if values else float("inf")


def figures(watch: Watch) -> dict[str, float]:
    """The client's latencies in milliseconds."""
    return {
        "create_p50_ms": percentile(watch.create_ms, 0.5),
        "create_p99_ms": percentile(watch.create_ms, 0.99),
        "read_p50_ms": percentile(watch.read_ms, 0.5),
        "read_p99_ms": percentile(watch.read_ms, 0.99),
    }


async def run(bench: Bench, kinds: list[str], seconds: float) -> tuple[dict[str, Any], bool]:
    """The flat report, and whether all was well."""
    await bench.watch(3)  # warm
    before = await bench.watch(max(seconds, 10))
    calm, flat, good = figures(before), {}, not before.wrong
    flat |= {f"calm_{name}": round(value, 1) for name, value in calm.items()}
    flat |= {"calm_memory_mb": round(before.memory_mb), "calm_descriptors": before.descriptors}
    latencies = f"{'create p50/p99':>17}{'ratio':>12}{'read p50/p99':>17}{'ratio':>12}"
    print(f"{'flood':32}{latencies}{'MB':>7}{'fds':>6}{'free MB':>9}  answers")
    print(_line("none", before, calm, {}))
    for kind in kinds:
        for connections in (1, 64):
            watch, answers = await bench.flood(kind, connections, seconds)
            faults = sum(n for status, n in answers.items() if int(status) >= 500 and int(status) not in EXPLAINED)
            name = f"{kind}_{connections}"
            print(_line(name, watch, calm, answers), flush=True)
            for wrong in watch.wrong[:3]:
                print("   WRONG", wrong)
            seen = figures(watch)
            ratios = {n: seen[n] / calm[n] for n in seen}
            good &= not faults and not watch.wrong and max(ratios.values()) <= RATIO_MAX
            flat |= {f"{name}_{n.removesuffix('_ms')}_ratio": round(r, 2) for n, r in ratios.items()}
            flat |= {
                f"{name}_memory_mb": round(watch.memory_mb),
                f"{name}_faults": faults,
                f"{name}_wrong": len(watch.wrong),
            }
            flat |= {f"{name}_descriptors": watch.descriptors, f"{name}_free_mb": round(watch.free_mb)}
    return flat, good


def _line(name: str, watch: Watch, calm: dict[str, float], answers: dict[str, int]) -> str:
    seen = figures(watch)
    parts = [f"{name:32}"]
    for call in ("create", "read"):
        low, high = f"{call}_p50_ms", f"{call}_p99_ms"
        parts.append(f"{seen[low]:9.1f}/{seen[high]:7.1f}{seen[low] / calm[low]:7.1f}/{seen[high] / calm[high]:4.1f}")
    parts.append(f"{watch.memory_mb:7.0f}{watch.descriptors:6d}{watch.free_mb:9.0f}  {answers}")
    return "".join(parts)


def main() -> None:
    """Run, print the report, and exit with 1 if something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5, help="of all floods together")
    parser.add_argument("--quick", action="store_true", help="two seconds a flood")
    parser.add_argument("--only", action="append", help="this kind of flood; may be repeated")
    chosen = parser.parse_args()
    sys.path.insert(0, str(TESTS))
    from hostile_floods import KINDS
    from live_service import LiveService

    kinds = chosen.only or list(KINDS)
    seconds = 2 if chosen.quick else max(chosen.minutes * 60 / (2 * len(kinds)), 2)
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    print(f"{machine}, load {os.getloadavg()[0]:.1f}, commit {git.stdout.strip()}, {seconds:.0f} s a flood")
    with own_disk() as disk:
        service = LiveService(disk)
        service.start(
            "--no-worker",
            BODYDOUBLE_FREE_BYTES_MIN=str(RESERVE_BYTES),
            BODYDOUBLE_CREATES_PER_MINUTE="1000000",
            BODYDOUBLE_READS_PER_MINUTE="1000000",
            BODYDOUBLE_TASKS_ACTIVE_MAX="1000000",
            BODYDOUBLE_STARTING_CREDITS="100000000",
        )
        try:
            flat, good = asyncio.run(run(Bench(service, disk), kinds, seconds))
            log = (service.folder / "serve.log").read_text()
            traces = log.count("Traceback")
        finally:
            service.stop()
            service.remove()
    print(f"{traces} stack traces in the log; {'all is well' if good and not traces else 'NOT WELL'}")
    print(
        json.dumps(
            {"machine": machine, "commit": git.stdout.strip(), "seconds_a_flood": seconds, "traces": traces} | flat
        )
    )
    sys.exit(0 if good and not traces else 1)


if __name__ == "__main__":
    main()
