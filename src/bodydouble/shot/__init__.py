"""One replacement from inputs to finished video: stages, artefacts, progress, resume."""

from bodydouble.shot.request import ShotProgress, ShotRequest, ShotResult
from bodydouble.shot.sheet import compare_sheet
from bodydouble.shot.shot import MARK, Shot

__all__ = ["MARK", "Shot", "ShotProgress", "ShotRequest", "ShotResult", "compare_sheet"]
