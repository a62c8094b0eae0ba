"""What sparsifiers are asked for, checked, and what they end with: the arcs that are kept."""

from __future__ import annotations

import math
from operator import index
from typing import Literal

import numpy as np

from thence.base.errors import ConfigError, DataError
from thence.graph.arcs import Arcs

Side = Literal["out", "into", "either", "both"]


def share_asked(share: float) -> float:
    """A share of arcs to keep, checked.

    Raises:
        ConfigError: it is not above 0 and at most 1.
    """
    number = isinstance(share, int | float | np.number) and math.isfinite(share)
    if not number or not 0 < share <= 1:
        raise ConfigError(f"share is {share!r}", fix="Give the share of arcs to keep, above 0 and at most 1.")
    return float(share)


def count_asked(k: int) -> int:
    """A number of arcs a row, checked.

    Raises:
        ConfigError: it is no int or negative.
    """
    try:
        count = index(k)
    except TypeError as error:
        raise ConfigError(f"k is {k!r}, not an int") from error
    if count < 0:
        raise ConfigError(f"k is {count}", fix="Give the number of arcs a node keeps, at least 0.")
    return count


def weights_of(arcs: Arcs) -> np.ndarray:
    """``[num_arcs]`` float64 weights for methods that need them to be no less than 0.

    Raises:
        DataError: a weight is negative or not finite.
    """
    weight = arcs.weight.astype(np.float64)
    if not (np.isfinite(weight).all() and (weight >= 0).all()):
        at = int(np.argmin(np.where(np.isfinite(weight), weight, -np.inf)))
        raise DataError(
            f"the weight of an arc is {weight[at]}",
            where=repr(arcs),
            fix="Drop arcs of negative weight, or give all the weight 1 with with_value.",
        )
    return weight


def sources_of(arcs: Arcs) -> np.ndarray:
    """``[num_arcs]`` int32, the source of each arc in out-order."""
    return np.repeat(np.arange(arcs.num_nodes, dtype=np.int32), arcs.out_degree)


def keep_arcs(arcs: Arcs, keep: np.ndarray, keep_structure: bool) -> Arcs:
    """The arcs at which ``keep`` (``[num_arcs]`` bool) holds, the spanning structure on request.

    Of an undirected relation both directions of a pair stay when either is kept.
    """
    from thence.graph.sparsify.structure import structure

    if keep_structure:
        keep = keep | structure(arcs)
    if not arcs.directed:
        keep = keep | keep[arcs.reverse_at]
    return arcs.select(keep)
