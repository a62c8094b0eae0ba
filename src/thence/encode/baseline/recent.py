"""Counts that fade: what was last seen long ago is trusted less.

    score(i → j) = w_ij · 2^(-(t - t_ij) / half_life)

with t_ij when the pair was last seen and t when anything was. On a graph without times nothing fades.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from thence.base.errors import ConfigError
from thence.encode.baseline.matrix import MatrixScorer
from thence.graph import DiGraph

DAY = 86_400_000_000


def recent_counts(graph: DiGraph, half_life: float = 56.0) -> MatrixScorer:
    """Counts of the main relation, each halved for every ``half_life`` since its pair was last seen.

    Args:
        graph: the graph; the arcs' value ``last_time`` (µs UTC) is used where they have one.
        half_life: in days.

    Raises:
        ConfigError: ``half_life`` is not positive.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> times = {"last_time": np.array([0, 7 * DAY])}
        >>> arcs = Arcs.from_pairs([0, 0], [1, 2], num_nodes=3, weight=[8.0, 3.0], values=times)
        >>> recent_counts(DiGraph(IdMap("abc"), {"same_basket": arcs}), half_life=7.0).scores([0]).tolist()
        [[0.0, 4.0, 3.0]]
    """
    if not half_life > 0:
        raise ConfigError(f"half_life={half_life}", fix="Give a number of days above 0.")
    arcs = graph.main
    matrix: Any = sp.csr_matrix(arcs.matrix(), dtype=np.float32, copy=True)
    if "last_time" in arcs.values:
        times = arcs.values["last_time"]
        matrix.data *= fading((times.max() - times) / DAY, half_life)
    return MatrixScorer(graph.ids, matrix)


def fading(age: np.ndarray, half_life: float) -> np.ndarray:
    """``[n]`` float32: 2^(-age / half_life).

    Example:
        >>> fading(np.array([0.0, 7.0, 14.0]), 7.0).tolist()
        [1.0, 0.5, 0.25]
    """
    return np.exp2(-np.asarray(age, np.float64) / half_life).astype(np.float32)
