"""Cold start: products that nobody has bought yet ask, and are asked for.

Nodes are divided (:func:`~thence.graph.split.split_nodes`); a held-out node has no arc that a model may see.
Two questions are judged apart: what follows a cold product (``"source"``: its arcs into warm ones), and after
what a cold product belongs (``"target"``: the arcs of warm ones into it). All nodes are candidates in both.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from thence.base.errors import ConfigError, DataError, nearest
from thence.evaluate.cases import Cases, arc_cases
from thence.graph.arcs import Arcs

Side = Literal["source", "target"]
SIDES = ("source", "target")


def cold_cases(held_out: Arcs, known: Arcs, cold: np.ndarray, *, side: Side = "source") -> Cases:
    """Held-out arcs that join a cold node and a warm one.

    Args:
        held_out: arcs that touch a cold node (``NodeSplit.test`` or ``.valid``).
        known: arcs that the model has seen; none of them touches a cold node.
        cold: ``[num_nodes]`` bool.
        side: which end is cold.

    Raises:
        ConfigError: the side is unknown.
        DataError: a known arc touches a cold node, or no held-out arc joins a cold node and a warm one.

    Example:
        >>> known = Arcs.from_pairs([0, 1], [1, 0], num_nodes=3)
        >>> held_out = Arcs.from_pairs([2, 0], [1, 2], num_nodes=3)
        >>> cases = cold_cases(held_out, known, np.array([False, False, True]))
        >>> cases.source.tolist(), cases.target.tolist()
        ([2], [1])

    References:
        Virinchi et al., ECML-PKDD 2022, evaluation question 4.
    """
    if side not in SIDES:
        raise ConfigError(f"unknown side {side!r}", fix=nearest(str(side), SIDES))
    if cold[known.pairs].any():
        raise DataError("a known arc touches a cold node", fix="Give the arcs between warm nodes as known.")
    ends = cold[held_out.pairs]
    chosen = ends[0] & ~ends[1] if side == "source" else ends[1] & ~ends[0]
    if not chosen.any():
        raise DataError(f"no held-out arc has a cold {side} and a warm other end", fix="Hold out more nodes.")
    return arc_cases(held_out.select(chosen), known)
