"""How good recommendations are, next to plain baselines, how sure that is, and where it does not hold."""

from thence.evaluate.cases import Cases, arc_cases, arcs_of
from thence.evaluate.direction import Direction, DirectionCases, direction_cases, judge_direction
from thence.evaluate.purchases import first_purchase_cases
from thence.evaluate.ranking import Ranking, rank_cases
from thence.evaluate.report import Figure, Gap, Report
from thence.evaluate.run import EvaluateConfig, evaluate
from thence.evaluate.tallies import hit_rate

__all__ = [
    "Cases",
    "Direction",
    "DirectionCases",
    "EvaluateConfig",
    "Figure",
    "Gap",
    "Ranking",
    "Report",
    "arc_cases",
    "arcs_of",
    "direction_cases",
    "evaluate",
    "first_purchase_cases",
    "hit_rate",
    "judge_direction",
    "rank_cases",
]
