"""Artefacts that are damaged between two attempts, or during a shot."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bodydouble.shot import Shot, ShotRequest
from bodydouble.tasks.atomic_files import publish
from bodydouble.tasks.errors import WorkspaceDamaged
from box_shot import PACK, BoxRenderer, box_plugin


def flip(path: Path) -> None:
    """Change bytes in the middle of the file; its size stays."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(byte ^ 0xFF for byte in content[middle : middle + 64])
    path.write_bytes(content)


def cut(path: Path) -> None:
    """Remove the second half of the file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


DAMAGES = {"flip": flip, "cut": cut, "delete": Path.unlink, "empty": lambda path: path.write_bytes(b"")}
ARTEFACTS = (
    "perception/frames",
    "renderer/colour",
    "plan.json",
    "segments/segment-00001.nut",
    "segments/segment-00001.carry",
    "segments/segment-00001.nut.sha256",
    "shot.json",
    "inputs.json",
    "result.mp4",
)


def open_shot(workspace: Path, request: ShotRequest) -> Shot:
    return Shot.create(workspace, request, PACK, plugin=box_plugin(BoxRenderer()))


@pytest.fixture(scope="module")
def finished(box_request: ShotRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of an undisturbed run."""
    with pytest.MonkeyPatch.context() as patch:
        from box_shot import fake_load, fake_perceive

        patch.setattr("bodydouble.shot.shot.perceive", fake_perceive)
        patch.setattr("bodydouble.shot.shot.load_perception", fake_load)
        folder = tmp_path_factory.mktemp("undisturbed")
        open_shot(folder, box_request).run()
    return folder


@pytest.fixture(scope="module")
def undisturbed(finished: Path) -> bytes:
    """The result's bytes."""
    return (finished / "result.mp4").read_bytes()


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("artefact", ARTEFACTS)
def test_a_damaged_artefact_is_made_again(
    artefact: str,
    damage: Callable[[Path], object],
    box_request: ShotRequest,
    workspace: Path,
    finished: Path,
    undisturbed: bytes,
) -> None:
    """After any damage, the next attempt gives the same bytes as an undisturbed run."""
    shutil.copytree(finished, workspace)
    damage(workspace / artefact)
    assert open_shot(workspace, box_request).run().path.read_bytes() == undisturbed


@pytest.mark.parametrize("artefact", [name for name in ARTEFACTS if name.startswith(("renderer", "segments"))])
def test_an_artefact_that_is_damaged_meanwhile_is_not_delivered(
    artefact: str, box_request: ShotRequest, workspace: Path, undisturbed: bytes
) -> None:
    """A shot that used a damaged artefact ends with an error; the next attempt gives the correct bytes."""
    shot = open_shot(workspace, box_request)
    shot.perceive()
    for segment in shot.prepare():
        shot.render_segment(segment.index)
    flip(workspace / artefact)
    with pytest.raises(WorkspaceDamaged, match=artefact.removesuffix(".sha256")):
        shot.finish()
    assert open_shot(workspace, box_request).run().path.read_bytes() == undisturbed


@pytest.mark.parametrize("suffix", [".nut", ".carry"])
def test_damage_right_after_a_segment_has_its_name_is_found(
    suffix: str, box_request: ShotRequest, workspace: Path, undisturbed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A segment or carry that changes as soon as its name exists is made again, and never delivered."""

    def publish_and_damage(part: Path, target: Path) -> None:
        publish(part, target)
        if target.name == f"segment-00001{suffix}":
            flip(target)

    with monkeypatch.context() as patch:
        patch.setattr("bodydouble.tasks.digests.publish", publish_and_damage)
        with pytest.raises(WorkspaceDamaged, match=f"segment-00001{suffix}"):
            open_shot(workspace, box_request).run()
    assert open_shot(workspace, box_request).run().path.read_bytes() == undisturbed


def test_an_undamaged_segment_is_kept(box_request: ShotRequest, workspace: Path) -> None:
    """Only the damaged segment is rendered again."""
    open_shot(workspace, box_request).run()
    flip(workspace / "segments" / "segment-00002.nut")
    renderer = BoxRenderer()
    Shot.create(workspace, box_request, PACK, plugin=box_plugin(renderer)).run()
    assert renderer.rendered == [2]
