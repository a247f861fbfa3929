"""Signs the result of a shot."""

import dataclasses
from pathlib import Path

from bodydouble.perception.pack import SOURCES
from bodydouble.provenance.manifest import Production
from bodydouble.provenance.options import SigningOptions
from bodydouble.renderers.plugin import REPLACE
from bodydouble.shot import Shot, ShotResult


def unsigned_path(workspace: Path) -> Path:
    """Where a shot of ``workspace`` is finished before it is signed."""
    return workspace / "unsigned.mp4"


def sign_shot(shot: Shot, unsigned: ShotResult, target: Path, options: SigningOptions, task_id: str = "") -> ShotResult:
    """The result ``target``, signed; the unsigned file is removed. Raises SigningFailed."""
    from bodydouble.provenance.signing import sign_result  # loads C2PA's library

    request, drawing = shot.request, shot.plugin.networks
    production = Production(
        video=request.video,
        image=request.image,
        moves_picture=request.mode != REPLACE,
        renderer=unsigned.renderer,
        trained_pixels=drawing != (),
        networks=(*SOURCES, *(drawing or ())),
        task_id=task_id,
    )
    signed = sign_result(unsigned.path, target, production, options)
    if unsigned.path != target:
        unsigned.path.unlink()
    return dataclasses.replace(unsigned, path=target, provenance=signed.to_json())
