"""Streaming partitioners, LDG and Fennel: a few passes over the arcs, memory for one int a node.

A node v goes to the part P that has the most of its neighbours N(v), held back by how full P is:

    LDG      |N(v) ∩ P| · (1 − |P| / C)
    Fennel   |N(v) ∩ P| − α γ |P|^(γ−1) ,   γ = 3/2 ,  α = m √k / n^(3/2)

C = (1 + slack) · n/k is the capacity, which no part exceeds. Neighbours on both sides count, each arc one, so
that a pair with arcs in both directions pulls twice. Further passes begin with empty parts and know where the
pass before had put the neighbours that are still to come (restreaming). With ``by="arcs"`` the load of a node
is one and its number of arcs in place of 1, n is the sum of the loads, and parts have about as many arcs each;
a part exceeds C only for a node that fits nowhere.

References:
    Stanton & Kliot, "Streaming graph partitioning for large distributed graphs", KDD 2012. Tsourakakis et al.,
    "FENNEL", WSDM 2014. Nishimura & Ugander, "Restreaming graph partitioning", KDD 2013.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from thence.base.errors import ConfigError
from thence.base.progress import Progress, silent
from thence.base.rng import generator
from thence.graph.arcs import Arcs
from thence.graph.partition.parts import Partition, parts_asked

Rule = Literal["ldg", "fennel"]
Load = Literal["nodes", "arcs"]


def streaming(
    arcs: Arcs,
    num_parts: int,
    *,
    rule: Rule = "ldg",
    by: Load = "nodes",
    slack: float = 0.05,
    passes: int = 5,
    seed: int | None = 0,
    progress: Progress = silent,
) -> Partition:
    """Partition by streaming; reads arcs from disk row by row where they are memory-mapped.

    Args:
        arcs: the relation.
        num_parts: how many parts.
        rule: ``ldg`` or ``fennel``.
        by: what is balanced: ``nodes`` or ``arcs``.
        slack: how far a part may exceed the mean, 0.05 for 5 %.
        passes: how often all nodes are placed; 1 is the plain streaming partitioner.
        seed: of the random order in which nodes come; None for the stored order, which reads the disk in
            sequence and is good when neighbours have near ids.
        progress: told after each pass.

    Raises:
        ConfigError: a setting is unknown or out of range.

    Example:
        >>> ring = Arcs.from_pairs([0, 1, 2, 3, 4, 5], [1, 2, 0, 4, 5, 3], num_nodes=6)  # two triangles
        >>> streaming(ring, 2, seed=None).part.tolist()
        [0, 0, 0, 1, 1, 1]
    """
    from thence.graph.partition.kernel import stream_pass

    count = parts_asked(num_parts, arcs.num_nodes)
    if rule not in ("ldg", "fennel") or passes < 1:
        raise ConfigError(f"rule={rule!r}, passes={passes}", fix="Choose ldg or fennel, and at least one pass.")
    load = loads(arcs, by)
    total, capacity = float(load.sum()), capacity_of(load, count, slack)
    alpha = arcs.num_arcs * math.sqrt(count) / total**1.5 if rule == "fennel" and total else 0.0
    if seed is None:
        order = np.arange(arcs.num_nodes)
    else:
        order = generator(seed, "partition", "order").permutation(arcs.num_nodes)
    part = np.full(arcs.num_nodes, -1, np.int32)
    out, into = (arcs.indptr, arcs.targets), (arcs.in_indptr, arcs.sources)
    for step in range(passes):
        stream_pass(order, out, into, load, part, capacity, alpha, np.zeros(count))
        progress("partition", step + 1, passes)
    return Partition.of(arcs, part, count, method=f"{rule}, {passes} passes")


def loads(arcs: Arcs, by: Load) -> np.ndarray:
    """``[num_nodes]`` float64, what each node adds to its part.

    Raises:
        ConfigError: ``by`` is neither ``nodes`` nor ``arcs``.
    """
    if by not in ("nodes", "arcs"):
        raise ConfigError(f"cannot balance by {by!r}", fix="It is 'nodes' or 'arcs'.")
    return np.ones(arcs.num_nodes) if by == "nodes" else 1.0 + arcs.out_degree + arcs.in_degree


def capacity_of(load: np.ndarray, num_parts: int, slack: float) -> float:
    """The largest load that a part may have: (1 + slack) · mean, and room for one more where that is less.

    Raises:
        ConfigError: ``slack`` is negative or not finite.
    """
    if not (math.isfinite(slack) and slack >= 0):
        raise ConfigError(f"slack is {slack}", fix="Give a share such as 0.05.")
    mean = float(load.sum()) / num_parts
    return max((1 + slack) * mean, math.ceil(mean))
