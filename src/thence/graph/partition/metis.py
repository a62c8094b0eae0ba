"""METIS through ``pymetis``: the multilevel partitioner that others are measured against. Holds all in memory.

The graph is symmetrised, a pair with arcs in both directions weighing 2, so that what METIS minimises is the
number of arcs cut.

References:
    Karypis & Kumar, "A fast and high quality multilevel scheme for partitioning irregular graphs", SIAM J. Sci.
    Comput. 20(1), 1998.
"""

from __future__ import annotations

import importlib.util

import numpy as np

from thence.base.errors import ConfigError
from thence.graph.arcs import Arcs
from thence.graph.partition.parts import Partition, parts_asked
from thence.graph.partition.streaming import Load, capacity_of, loads
from thence.graph.partition.symmetric import symmetrised


def installed() -> bool:
    """Whether the binding is there."""
    return importlib.util.find_spec("pymetis") is not None


def metis(arcs: Arcs, num_parts: int, *, by: Load = "nodes", slack: float = 0.05, seed: int = 0) -> Partition:
    """Partition by METIS: recursive bisection up to 8 parts, multilevel k-way above.

    Args:
        arcs: the relation.
        num_parts: how many parts.
        by: what is balanced: ``nodes`` or ``arcs``.
        slack: how far a part should not exceed the mean. METIS aims at it, and misses it where hubs or few
            nodes a part leave no choice.
        seed: same seed, same partition.

    Raises:
        ConfigError: the binding is not installed, or a setting is out of range.

    Example:
        >>> two = Arcs.from_pairs([0, 1, 2, 3, 4, 5, 0], [1, 2, 0, 4, 5, 3, 3], num_nodes=6)
        >>> metis(two, 2)
        Partition(6 nodes, 2 parts, 14.3% of arcs cut, balance 1.00 by nodes, 1.00 by arcs)
    """
    count = parts_asked(num_parts, arcs.num_nodes)
    load = loads(arcs, by)
    capacity_of(load, count, slack)
    try:
        import pymetis
    except ImportError as error:
        raise ConfigError(
            "METIS needs pymetis", fix="Run pip install 'thence[partition]', or choose method='ldg'."
        ) from error
    part = np.zeros(arcs.num_nodes, np.int32)
    if count > 1 and arcs.num_arcs:
        pairs, size = symmetrised(arcs), pymetis.zero_copy_dtype()
        rows = pymetis.CSRAdjacency(pairs.indptr.astype(size), pairs.indices.astype(size))  # type: ignore[arg-type]
        found = pymetis.part_graph(
            count,
            rows,
            eweights=pairs.data.astype(size),  # type: ignore[arg-type]
            vweights=None if by == "nodes" else load.astype(size),  # type: ignore[arg-type]
            options=pymetis.Options(seed=seed % 2**31, ufactor=max(1, round(1000 * slack))),
        )
        part = np.asarray(found.vertex_part, np.int32)
    elif count > 1:
        part = (np.arange(arcs.num_nodes) * count // arcs.num_nodes).astype(np.int32)
    return Partition.of(arcs, part, count, method="metis")
