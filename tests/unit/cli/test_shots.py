"""One shot at a terminal."""

from pathlib import Path
from typing import Any

import pytest
import typer

from bodydouble.cli import shots
from bodydouble.shot import ShotRequest


def test_one_command_at_a_time_makes_a_shot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two commands never share a workspace: the second one tells which process has it, and ends."""
    for name in ("image.png", "video.mp4"):
        (tmp_path / name).write_text(name)
    request = ShotRequest(image=tmp_path / "image.png", video=tmp_path / "video.mp4")
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: tmp_path / "cache")
    made: list[Path] = []

    def make(request: ShotRequest, pack: Any, workspace: Path, *_: Any) -> str:
        made.append(workspace)
        if len(made) == 1:
            with pytest.raises(typer.Exit):
                shots._run(request, None, tmp_path / "other.mp4", None)
        return "result"

    monkeypatch.setattr("bodydouble.bootstrap.local_shot.make_local_shot", make)
    for _ in range(2):
        assert shots._run(request, None, tmp_path / "out.mp4", None) == "result"
    assert len(made) == 2
    assert "makes this shot already" in capsys.readouterr().err
    assert list((tmp_path / "cache" / "shots").iterdir()) == []


def test_an_interrupted_command_leaves_its_workspace_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workspace stays for the next run; the lock goes."""
    for name in ("image.png", "video.mp4"):
        (tmp_path / name).write_text(name)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: tmp_path / "cache")

    def interrupt(request: ShotRequest, pack: Any, workspace: Path, *_: Any) -> str:
        workspace.mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr("bodydouble.bootstrap.local_shot.make_local_shot", interrupt)
    with pytest.raises(typer.Exit):
        shots._run(
            ShotRequest(image=tmp_path / "image.png", video=tmp_path / "video.mp4"), None, tmp_path / "out.mp4", None
        )
    assert [path.suffix for path in (tmp_path / "cache" / "shots").iterdir()] == [""]


def test_a_picture_and_a_video_in_the_wrong_order_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The names of the files tell; nothing is loaded."""
    picture, video = tmp_path / "elf.jpeg", tmp_path / "clip.mp4"
    picture.touch()
    video.touch()
    with pytest.raises(typer.Exit):
        shots.make_shot(video, picture, tmp_path / "out.mp4", None, force=False, mode="replace", inputs={})
    assert "IMAGE comes first, then VIDEO" in capsys.readouterr().err
