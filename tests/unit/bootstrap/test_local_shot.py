"""A shot at a terminal whose runner is lost."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bodydouble.bootstrap import drawing
from bodydouble.perception import ModelPack
from bodydouble.shot import ShotRequest
from bodydouble.tasks.errors import RendererLost


class Runners:
    """In place of the worker's: of what each one ended, ``None`` where none knows."""

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
    """What the shot's runners are lost of, one after the other; then it is made, and answers its runner."""
    losses: list[str] = []

    def run(runner: Path) -> Path:
        if losses:
            raise RendererLost(losses.pop(0))
        return runner

    def create(workspace: Path, request: object, pack: object, listener: object, *, runner: Path) -> SimpleNamespace:
        return SimpleNamespace(run=lambda output: run(runner))

    monkeypatch.setattr(drawing.Renderers, "resolve", lambda renderers, name, mode: renderers.plugin("wan"))
    monkeypatch.setattr(drawing, "Shot", SimpleNamespace(create=create))
    monkeypatch.setattr(drawing, "Runners", type("Fresh", (Runners,), {}))
    return losses


def draw(tmp_path: Path, told: list[str]) -> Any:
    request = ShotRequest(image=tmp_path / "image.png", video=tmp_path / "video.mp4")
    pack = ModelPack(folder=tmp_path)
    return drawing.draw_shot(request, pack, tmp_path, tmp_path / "out.mp4", lambda progress: None, told.append)


def test_a_lost_runner_is_replaced_once(losses: list[str], tmp_path: Path) -> None:
    """The second one goes on, and whoever watches is told why."""
    losses.append("the model's process ran out of memory")
    told: list[str] = []
    assert draw(tmp_path, told) == Path("runner-2")
    (line,) = told
    assert "ran out of memory; a fresh one goes on" in line


def test_a_second_loss_is_the_end(losses: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason: what the runner died of counts before what its client saw."""
    losses += ["it ended", "it ended"]
    monkeypatch.setattr(drawing.Runners, "reason", "it was killed (signal 9)")
    told: list[str] = []
    with pytest.raises(RendererLost, match=r"lost, 2 times: it was killed \(signal 9\)\. .*runner-0\.log"):
        draw(tmp_path, told)
    assert len(told) == 1
