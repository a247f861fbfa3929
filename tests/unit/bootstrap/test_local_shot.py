"""A shot at a terminal whose model runner is lost."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bodydouble.bootstrap import local_shot
from bodydouble.perception import ModelPack
from bodydouble.shot import ShotRequest
from bodydouble.tasks.errors import RendererLost


class Runners:
    """Fake of ``RunnerPool``; ``reason`` is the signal that ended each runner, if one did."""

    reason: str | None = None
    leased = 0

    def __init__(self, options: object, cards: object) -> None: ...

    async def lease(self, wanted: Mapping[str, Any]) -> SimpleNamespace:
        type(self).leased += 1
        return SimpleNamespace(address=Path(f"runner-{self.leased}"))

    async def discard(self, lease: object) -> str | None:
        return self.reason

    async def close(self) -> None: ...


@pytest.fixture
def losses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The reasons for which the shot's runners are lost, one after the other; then the shot returns its runner."""
    losses: list[str] = []

    def run(runner: Path) -> Path:
        if losses:
            raise RendererLost(losses.pop(0))
        return runner

    def create(workspace: Path, request: object, pack: object, listener: object, *, runner: Path) -> SimpleNamespace:
        return SimpleNamespace(run=lambda output: run(runner))

    monkeypatch.setattr(local_shot.Renderers, "resolve", lambda renderers, name, mode: renderers.plugin("wan"))
    monkeypatch.setattr(local_shot, "Shot", SimpleNamespace(create=create))
    monkeypatch.setattr(local_shot, "RunnerPool", type("Fresh", (Runners,), {}))
    return losses


def draw(tmp_path: Path, told: list[str]) -> Any:
    request = ShotRequest(image=tmp_path / "image.png", video=tmp_path / "video.mp4")
    pack = ModelPack(folder=tmp_path)
    return local_shot.make_local_shot(request, pack, tmp_path, tmp_path / "out.mp4", lambda progress: None, told.append)


def test_a_lost_runner_is_replaced_once(losses: list[str], tmp_path: Path) -> None:
    """The second one continues, and a warning gives the reason."""
    losses.append("the model's process ran out of memory")
    told: list[str] = []
    assert draw(tmp_path, told) == Path("runner-2")
    (line,) = told
    assert "ran out of memory; a new one continues" in line


def test_a_second_loss_is_the_end(losses: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The signal that ended the runner is reported rather than what its client noticed."""
    losses += ["it ended", "it ended"]
    monkeypatch.setattr(local_shot.RunnerPool, "reason", "it was killed (signal 9)")
    told: list[str] = []
    with pytest.raises(RendererLost, match=r"lost, 2 times: it was killed \(signal 9\)\. .*runner-0\.log"):
        draw(tmp_path, told)
    assert len(told) == 1
