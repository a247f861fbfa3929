"""Quality of a finished result: background, pose, body, likeness, steadiness, residue, media integrity."""

from bodydouble.evaluation.evaluate import evaluate
from bodydouble.evaluation.result import Evaluation, MediaIntegrity

__all__ = ["Evaluation", "MediaIntegrity", "evaluate"]
