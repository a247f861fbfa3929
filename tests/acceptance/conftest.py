"""One service for the tests that leave it running, and the two files that they work on."""

import gc
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bodydouble.perception import ModelPack
from live_service import LiveService
from material import astronaut, carphone, write_image, write_video
from sdk_service import running_service

collect_ignore = [] if importlib.util.find_spec("torch") else ["test_wan.py"]

FRAMES, RATE = 8, 6
"""Of the video: few, because each is rendered in every test. 1.3 s: two seconds are charged."""


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """A picture and a clip on disk."""

    image: Path
    video: Path
    frames: int


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """The astronaut and little more than a second of the man in the car, small and slowly, with a tone."""
    folder = tmp_path_factory.mktemp("inputs")
    return Inputs(
        image=write_image(folder / "astronaut.png", astronaut()),
        video=write_video(folder / "carphone.mp4", carphone(FRAMES, 216), RATE, sound=True),
        frames=FRAMES,
    )


@pytest.fixture(scope="session")
def service(model_pack: ModelPack) -> Iterator[LiveService]:
    """A running service; nobody stops it but this."""
    live = LiveService().start()
    yield live
    assert live.stop() == 0
    live.remove()


@pytest.fixture(scope="session")
def service_for_sdks() -> Iterator[LiveService]:
    """A service of its own: its tasks at unreachable addresses give credits back while other tests count theirs."""
    with running_service() as live:
        yield live


@pytest.fixture(scope="module")
def abandoned_connections() -> Iterator[None]:
    """Ends connections that SDKs leave to the garbage collector: tests of the next module would be warned of them."""
    yield
    gc.collect()


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A task that nothing disturbed."""

    task: dict[str, Any]
    content: bytes
    balance_before: float
    balance_after: float

    @property
    def unsigned(self) -> str:
        """The digest of the file before signing: what every run of the same task has in common."""
        return str(self.task["result"]["media_info"]["provenance"]["unsigned_sha256"])


@pytest.fixture(scope="session")
def undisturbed(service: LiveService, inputs: Inputs) -> Finished:
    """What the task answers, and the finished file's bytes."""
    before = service.balance()
    created = service.create(service.upload(inputs.image), service.upload(inputs.video))
    task = service.wait(created["data"]["task_id"])
    assert task["status"] == "success", task
    content = httpx.get(task["result"]["media_urls"][0], timeout=30).content
    return Finished(task=task, content=content, balance_before=before, balance_after=service.balance())
