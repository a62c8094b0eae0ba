"""What every recommender in the house is, learned or counted: a function from a node to scores of all nodes."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from thence.base.ids import IdMap


class Scorer(Protocol):
    """Scores arcs by direction: ``scores`` looks forward from sources, ``scores_into`` back from targets.

    ``scores([i])[0, j]`` and ``scores_into([j])[0, i]`` are both the score of the arc i → j. A node that must
    never be answered (without any evidence, say) may score ``-inf``.
    """

    @property
    def ids(self) -> IdMap:
        """External ids of the nodes."""
        ...

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Scores ``[len(sources), num_nodes]`` float32 of the arcs from each source to every node."""
        ...

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Scores ``[len(targets), num_nodes]`` float32 of the arcs from every node to each target."""
        ...
