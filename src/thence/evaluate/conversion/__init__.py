"""Are probabilities of conversion right, and how much of what could be gained was gained?"""

from thence.evaluate.conversion.ages import group_age
from thence.evaluate.conversion.judge import Judged, judge
from thence.evaluate.conversion.metrics import auc, calibration, ece, nll, pr_auc
from thence.evaluate.conversion.report import ConversionReport
from thence.evaluate.conversion.standing import Standing, recovered

__all__ = [
    "ConversionReport",
    "Judged",
    "Standing",
    "auc",
    "calibration",
    "ece",
    "group_age",
    "judge",
    "nll",
    "pr_auc",
    "recovered",
]
