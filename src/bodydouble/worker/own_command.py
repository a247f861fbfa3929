"""Inspects media for the console's pages, in separate processes that run our command line.

An inspection uses a core for seconds or minutes, and a hostile file may crash the decoder. Neither may happen in the
process that answers requests.
"""

import asyncio
import contextlib
import json
import resource
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bodydouble.service import PeopleSeen, PersonSeen
from bodydouble.tasks.errors import MediaRejected
from bodydouble.worker.environment import child_environment

PEOPLE_SECONDS_MAX = 90
PEOPLE_MEMORY_BYTES_MAX = 4_000_000_000
"""Limit of address space. 1.0 GB were measured on two cores; each further core adds the stack of a thread."""
PROXY_SECONDS_MAX = 300
PROXY_MEMORY_BYTES_MAX = 4_000_000_000
MEASURE_SECONDS_MAX = 900
MEASURE_MEMORY_BYTES_MAX = 8_000_000_000
CORES_MAX = 4
"""Factor from a command's time limit to its limit of processor time."""


class OwnCommand:
    """``bodydouble people``, ``eval`` and ``proxy``; ``models`` is a prepared folder of networks, if any."""

    def __init__(self, models: Path | None) -> None:
        # Each further memory arena of a thread reserves 64 MB of address space.
        self._environment = child_environment(
            {"MALLOC_ARENA_MAX": "2"} | ({"BODYDOUBLE_MODELS": str(models)} if models else {})
        )

    async def find_people(self, video: Path) -> PeopleSeen:
        """The people at the start of ``video``, largest first, and a picture of them. Raises MediaRejected."""
        with tempfile.TemporaryDirectory() as folder:
            picture = Path(folder) / "people.jpg"
            arguments = ("people", str(video), "--json", "--picture", str(picture))
            answer = await self._run(arguments, PEOPLE_SECONDS_MAX, PEOPLE_MEMORY_BYTES_MAX)
            return PeopleSeen(
                people=[PersonSeen(**place) for place in answer["people"]],
                picture=picture.read_bytes() if picture.exists() else b"",
            )

    async def make_proxy(self, video: Path, target: Path) -> None:
        """Write a copy of ``video`` that browsers play to ``target``. Raises MediaRejected."""
        await self._run(("proxy", str(video), "--output", str(target)), PROXY_SECONDS_MAX, PROXY_MEMORY_BYTES_MAX)

    async def measure(self, result: Path, video: Path, image: Path, person: str) -> Mapping[str, Any]:
        """The fields of ``evaluation.Evaluation``. ``person`` as for the command. Raises MediaRejected."""
        arguments = ("eval", str(result), str(video), str(image), "--person", person, "--json")
        return await self._run(arguments, MEASURE_SECONDS_MAX, MEASURE_MEMORY_BYTES_MAX)

    async def _run(self, arguments: Sequence[str], seconds_max: int, memory_bytes_max: int) -> dict[str, Any]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bodydouble", *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=self._environment,
        )
        _limit(process.pid, memory_bytes_max, CORES_MAX * seconds_max)  # long before it has imported a decoder
        try:
            output, _ = await asyncio.wait_for(process.communicate(), seconds_max)
        except TimeoutError:
            raise MediaRejected(
                f"video: its inspection took longer than {seconds_max} seconds. Use a shorter video.", field="video"
            ) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise MediaRejected(
                "video: this file could not be decoded. Check that it plays, and convert it to MP4.", field="video"
            )
        answer: dict[str, Any] = json.loads(output)
        return answer


def _limit(pid: int, memory_bytes: int, cpu_seconds: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        resource.prlimit(pid, resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
