"""Boundaries of score and uncertainty: who finds the best one for a goal on a sample.

``SOLVERS`` maps names to solvers. All take every goal; ``exact`` is the optimum over thresholds per level,
``mist`` its relaxation, ``single`` the baseline. What is best on the sample need not be best elsewhere.
"""

from thence.decide.boundary.solver import SOLVERS, Solver

__all__ = ["SOLVERS", "Solver"]
