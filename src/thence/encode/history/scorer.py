"""What every method of this room is: a function from histories to scores of all items."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from thence.base.ids import IdMap
from thence.events.datasets.sessions import Sessions


class HistoryScorer(Protocol):
    """Scores what comes next after each of some histories, the latest item standing last."""

    @property
    def ids(self) -> IdMap:
        """External ids of the items."""
        ...

    def scores(self, histories: Sessions) -> np.ndarray:
        """Scores ``[len(histories), num_items]`` float32; ``-inf`` for what must never be answered."""
        ...
