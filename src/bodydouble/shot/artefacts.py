"""The files of a workspace that a shot can make again, and the removal of damaged ones."""

import shutil
from pathlib import Path

from bodydouble.shot.preview import PREVIEW_PARTS, PREVIEW_PICTURE, PREVIEW_VIDEO
from bodydouble.tasks.digests import (
    DIGEST_SUFFIX,
    damaged_files,
    files_without_digest,
    remove_with_digest,
    store_digest,
)

PERCEPTION, RENDERER, SEGMENTS, PLAN = "perception", "renderer", "segments", "plan.json"
STAGE_ARTEFACTS = (PERCEPTION, RENDERER, PLAN, SEGMENTS)
"""In order of creation; each can depend on those before it. Each file has a digest."""
DELIVERED = (PREVIEW_VIDEO, "result.mp4", "result.mkv", "unsigned.mp4", "result.json")
"""Files that are made of the others within moments."""
ARTEFACTS = (*STAGE_ARTEFACTS, PLAN + DIGEST_SUFFIX, PREVIEW_PARTS, PREVIEW_PICTURE, *DELIVERED)
"""Everything in a workspace that a shot can make again. Each file is complete or missing."""


def remove_all(workspace: Path) -> None:
    """Remove every artefact."""
    for name in ARTEFACTS:
        _remove(workspace / name)


def store_digests(workspace: Path) -> None:
    """Store the digests of artefacts finished since the last call."""
    for path in files_without_digest(workspace / name for name in STAGE_ARTEFACTS):
        store_digest(path)


def find_damage(workspace: Path) -> list[Path]:
    """Artefacts that changed or disappeared after their digest was stored."""
    return damaged_files(workspace / name for name in STAGE_ARTEFACTS)


def relative_names(paths: list[Path], workspace: Path) -> str:
    """The paths below the workspace, for a message."""
    return ", ".join(str(path.relative_to(workspace)) for path in paths)


def remove_damaged(workspace: Path) -> list[Path]:
    """Remove damaged artefacts and everything that can depend on them. Returns the damaged files.

    A file without a digest is removed too, but nothing that follows it: its process ended while finishing it.
    """
    for path in files_without_digest(workspace / name for name in STAGE_ARTEFACTS):
        path.unlink()
    damaged = find_damage(workspace)
    for path in damaged:
        stage = path.relative_to(workspace).parts[0]
        if stage == SEGMENTS:
            for part in path.parent.glob(f"{path.stem}.*"):
                part.unlink()
            continue
        if stage == PERCEPTION:
            for later in path.parent.glob("*"):  # each window continues the one before
                if later.name >= path.name:
                    later.unlink()
        else:
            _remove(workspace / stage)
        for name in (*STAGE_ARTEFACTS[STAGE_ARTEFACTS.index(stage) + 1 :], PREVIEW_PARTS):
            _remove(workspace / name)
    return damaged


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        remove_with_digest(path)
