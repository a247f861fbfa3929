"""Figures of a finished replacement: background, pose, face, steadiness, residue, delivery."""

from bodydouble.evaluation.evaluate import evaluate
from bodydouble.evaluation.result import Delivery, Evaluation, format_table

__all__ = ["Delivery", "Evaluation", "evaluate", "format_table"]
