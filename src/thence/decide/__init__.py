"""From scores to decisions that know how sure the model is.

The public names are loaded when they are first asked for::

    (score, uncertainty, label) → DecisionBoundary → Policy → act | ask | hold
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from thence.base.lazy import lazily

if TYPE_CHECKING:
    from thence.decide.boundary import SOLVERS as SOLVERS
    from thence.decide.estimator import DecisionBoundary as DecisionBoundary
    from thence.decide.fitting import Fitted as Fitted
    from thence.decide.fitting import fit_policy as fit_policy
    from thence.decide.goal import Goal as Goal
    from thence.decide.policy import Decisions as Decisions
    from thence.decide.policy import Policy as Policy
    from thence.decide.report import DecisionReport as DecisionReport
    from thence.decide.report import decision_report as decision_report
    from thence.decide.rule import Outcome as Outcome
    from thence.decide.rule import outcome as outcome
    from thence.decide.sample import Sample as Sample

_HOME = {
    "SOLVERS": "thence.decide.boundary",
    "DecisionBoundary": "thence.decide.estimator",
    "DecisionReport": "thence.decide.report",
    "Decisions": "thence.decide.policy",
    "Fitted": "thence.decide.fitting",
    "Goal": "thence.decide.goal",
    "Outcome": "thence.decide.rule",
    "Policy": "thence.decide.policy",
    "Sample": "thence.decide.sample",
    "decision_report": "thence.decide.report",
    "fit_policy": "thence.decide.fitting",
    "outcome": "thence.decide.rule",
}
__all__ = sorted(_HOME)  # type: ignore[reportUnsupportedDunderAll]
__getattr__ = lazily(__name__, _HOME)


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return __all__
