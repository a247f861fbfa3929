"""Looks at media that a page asks for, each by a process of its own that runs our command line.

Such a look keeps a core busy for seconds or minutes, and a hostile file may end whoever decodes it: neither is for the
process that answers requests.
"""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bodydouble.service import PersonSeen
from bodydouble.tasks.errors import MediaRejected
from bodydouble.worker.environment import child_environment

PEOPLE_SECONDS_MAX = 90
MEASURE_SECONDS_MAX = 900


class OwnCommand:
    """``bodydouble people`` and ``bodydouble eval``; ``models`` is a prepared folder of networks, if any."""

    def __init__(self, models: Path | None) -> None:
        self._environment = child_environment({"BODYDOUBLE_MODELS": str(models)} if models else {})

    async def find_people(self, video: Path) -> Sequence[PersonSeen]:
        """Everybody who is there when ``video`` begins, largest first. Raises MediaRejected."""
        answer = await self._run(("people", str(video), "--json"), PEOPLE_SECONDS_MAX)
        return [PersonSeen(**place) for place in answer["people"]]

    async def measure(self, result: Path, video: Path, image: Path, person: str) -> Mapping[str, Any]:
        """The fields of ``evaluation.Evaluation``. ``person`` is as the command takes it. Raises MediaRejected."""
        arguments = ("eval", str(result), str(video), str(image), "--person", person, "--json")
        return await self._run(arguments, MEASURE_SECONDS_MAX)

    async def _run(self, arguments: Sequence[str], seconds_max: float) -> dict[str, Any]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bodydouble", *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=self._environment,
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(), seconds_max)
        except TimeoutError:
            raise MediaRejected(
                f"video: looking at it took longer than {seconds_max} seconds.", field="video"
            ) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise MediaRejected("video: this file could not be looked at.", field="video")
        answer: dict[str, Any] = json.loads(output)
        return answer
