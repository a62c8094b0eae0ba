"""What every boundary solver does, and all of them by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from thence.decide.boundary.evidence import Evidence
from thence.decide.boundary.ew_dpmt import EwDpmt
from thence.decide.boundary.exact import Exact
from thence.decide.boundary.gmt import Gmt
from thence.decide.boundary.mist import Mist
from thence.decide.boundary.monotone import Monotone
from thence.decide.boundary.rectangle import BestRectangle
from thence.decide.boundary.single import Single
from thence.decide.boundary.smooth import Smooth
from thence.decide.boundary.vw_dpmt import VwDpmt
from thence.decide.goal import Goal
from thence.decide.rule import Rule
from thence.decide.sample import Sample


class Solver(Protocol):
    """Finds the rule that is best for a goal on a sample; its settings are its fields."""

    def fit(self, sample: Sample, goal: Goal) -> Rule:
        """The rule.

        Raises:
            FitError: no boundary keeps the goal's bound.
        """
        ...


SOLVERS: dict[str, Callable[..., Solver]] = {
    "single": Single,
    "ew_dpmt": EwDpmt,
    "vw_dpmt": VwDpmt,
    "gmt": Gmt,
    "mist": Mist,
    "exact": Exact,
    "rectangle": BestRectangle,
    "monotone": Monotone,
    "evidence": Evidence,
    "ours": Smooth,
}
"""From a name to the solver's class, each with settings that stand."""
