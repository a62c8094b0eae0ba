"""Where a node stands with respect to some well-known nodes: chances to get there, and hops.

Anchors are the nodes with the most arcs; with ``choose="cover"`` one that is next to an anchor already chosen
is passed over, so that they spread. For each node v and anchor a

    chance   π_v(a): the chance that a walk from v, which stops with chance α at each step, stops at a,
             as log(1 + π / ε) / log(1 + 1 / ε), from 0 to 1
    hops     1 / (1 + fewest arcs from v to a), 0 where there is no way or a longer one than ``most``

``.out`` follows the arcs from v, ``.in`` goes against them.

References:
    You, Ying & Leskovec, "Position-aware graph neural networks", ICML 2019 (arXiv 1906.04817), section 4
    (anchors and 1 / (1 + distance)); page_rank.contributions for the chances and its ε.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from thence.base.errors import ConfigError
from thence.graph.arcs import Arcs
from thence.graph.position.found import Found
from thence.graph.position.kernel.reach import cover, hops_from
from thence.graph.walk.page_rank import contributions
from thence.graph.walk.rows import in_order, kernel_array, whole

Choice = Literal["degree", "cover"]


def anchors(
    arcs: Arcs,
    *,
    k: int = 16,
    choose: Choice = "cover",
    alpha: float = 0.15,
    epsilon: float = 1e-3,
    most: int = 32,
) -> Found:
    """Chances and hops to ``k`` anchors, out and in.

    Args:
        arcs: the relation.
        k: how many anchors; columns beyond the number of nodes are zeros.
        choose: ``degree``: the nodes with the most arcs; ``cover``: the same, none next to another while there
            are others.
        alpha: the chance to stop at each step.
        epsilon: a chance is known within this.
        most: longest way that is looked for.

    Returns:
        ``anchors.chance.out``, ``anchors.chance.in``, ``anchors.hops.out`` and ``anchors.hops.in``, each
        ``[num_nodes, k]``; ``info["anchors"]``, the nodes.

    Raises:
        ConfigError: a setting is unknown or out of range.

    Example:
        >>> path = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)
        >>> found = anchors(path, k=1).blocks  # node 1 has the most arcs
        >>> found["anchors.hops.out"].ravel().tolist(), found["anchors.hops.in"].ravel().tolist()
        ([0.5, 1.0, 0.0], [0.0, 1.0, 0.5])
    """
    whole("k", k, 1)
    whole("most", most, 1)
    if choose not in ("degree", "cover"):
        raise ConfigError(f"no choice {choose!r}", fix="choose is 'degree' or 'cover'.")
    chosen = _chosen(arcs, min(k, arcs.num_nodes), choose)
    blocks = {}
    for name, along in (("out", arcs), ("in", arcs.reversed())):
        chance = np.zeros((arcs.num_nodes, k), np.float32)
        found = contributions(along, chosen, alpha, epsilon)
        for at in range(len(chosen)):
            nodes, mass = found.row(at)
            chance[nodes, at] = np.log1p(mass / epsilon) / np.log1p(1 / epsilon)
        blocks[f"anchors.chance.{name}"] = chance
        blocks[f"anchors.hops.{name}"] = _near(along, chosen, k, most)
    info = {
        "k": k,
        "choose": choose,
        "alpha": alpha,
        "epsilon": epsilon,
        "most": most,
        "anchors": chosen.tolist(),
    }
    return Found(blocks, info)


def _chosen(arcs: Arcs, k: int, choose: Choice) -> np.ndarray:
    order = np.argsort(-(arcs.out_degree + arcs.in_degree), kind="stable")
    if choose == "degree":
        return order[:k]
    found = np.empty(k, np.int64)
    sides = tuple(kernel_array(each) for each in (arcs.indptr, arcs.targets, arcs.in_indptr, arcs.sources))
    count = cover(sides, order, found)
    rest = order[~np.isin(order, found[:count])]
    return np.concatenate([found[:count], rest[: k - count]])


def _near(arcs: Arcs, chosen: np.ndarray, k: int, most: int) -> np.ndarray:
    """1 / (1 + hops) from every node to each anchor, found backwards from the anchors."""
    near = np.zeros((arcs.num_nodes, k), np.float32)
    rows = kernel_array(arcs.in_indptr), kernel_array(arcs.sources)

    def work(begin: int, end: int) -> None:
        hops = np.empty(arcs.num_nodes, np.int32)
        for at in range(begin, end):
            hops_from(*rows, int(chosen[at]), most, hops)
            near[:, at] = np.where(hops >= 0, 1.0 / np.maximum(hops + 1, 1), 0.0)

    in_order(work, len(chosen), 1)
    return near
