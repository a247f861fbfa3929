"""Figures of a finished replacement: background, pose, face, steadiness, residue, delivery."""

from bodydouble.evaluation.evaluate import evaluate
from bodydouble.evaluation.result import Evaluation, MediaIntegrity, format_table

__all__ = ["Evaluation", "MediaIntegrity", "evaluate", "format_table"]
