"""Parts of the cases that an average hides: rarely known queries, one-way arcs, cold products.

Degree buckets count *queries*, not cases: the distinct sources are sorted by degree and cut into equal parts,
so that the low bucket is a third of the products even when it holds few of the cases.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.base.errors import ConfigError
from thence.evaluate.cases import Cases

LOW, MID, HIGH = "low_degree", "mid_degree", "high_degree"


@dataclass(frozen=True, eq=False)
class Slice:
    """A named part of the cases.

    Args:
        name: as it stands in figures, such as ``low_degree``.
        what: what is in it, in words.
        keep: ``[M]`` bool.
    """

    name: str
    what: str
    keep: np.ndarray


def slices(cases: Cases) -> list[Slice]:
    """The slices that apply to these cases; empty ones are left out.

    ``low_degree``, ``mid_degree``, ``high_degree`` by terciles of the source's degree; ``one_way`` for arcs
    whose reverse does not exist; ``cold`` for targets of which nothing was known; ``cold_source`` for sources
    of which nothing was known.

    Example:
        >>> from thence.graph.arcs import Arcs
        >>> known = Arcs.from_pairs([0, 0, 0, 1, 1, 2], [1, 2, 3, 2, 3, 3], num_nodes=5)
        >>> cases = Cases.make([0, 1, 2], [4, 4, 4], num_nodes=5, known=known)
        >>> [(part.name, part.what, int(part.keep.sum())) for part in slices(cases)]
        [('low_degree', 'query degree 1', 1), ('mid_degree', 'query degree 2', 1),
         ('high_degree', 'query degree 3', 1), ('cold', 'targets never seen before', 3)]
    """
    parts = []
    buckets = degree_buckets(cases, 3)
    if len(buckets) == 3:
        for name, part in zip((LOW, MID, HIGH), buckets, strict=True):
            parts.append(Slice(name, f"query degree {part.name}", part.keep))
    if cases.one_way is not None:
        parts.append(Slice("one_way", "arcs without a reverse", cases.one_way))
    parts.append(Slice("cold", "targets never seen before", cases.cold))
    unseen = (cases.popularity + cases.degree == 0)[cases.source]
    parts.append(Slice("cold_source", "queries never seen before", unseen))
    return [part for part in parts if part.keep.any()]


def degree_buckets(cases: Cases, num: int) -> list[Slice]:
    """Cases by the degree of their source, in at most ``num`` buckets of about equally many sources.

    Sources of equal degree always share a bucket, so that buckets can be fewer than asked.

    Raises:
        ConfigError: ``num`` is below 1.

    Example:
        >>> from dataclasses import replace
        >>> cases = Cases.make([0, 1, 2, 3], [4, 4, 4, 4], num_nodes=5)
        >>> cases = cases.with_degree(np.array([1.0, 1.0, 5.0, 9.0, 0.0]))
        >>> [(part.name, part.keep.tolist()) for part in degree_buckets(cases, 2)]
        [('1', [True, True, False, False]), ('5–9', [False, False, True, True])]
    """
    if num < 1:
        raise ConfigError(f"{num} degree buckets", fix="Give at least 1.")
    degree = np.sort(cases.degree[cases.sources])
    if not len(degree):
        return []
    edges = np.unique(degree[np.ceil(np.arange(1, num + 1) * len(degree) / num).astype(int) - 1])
    bucket = np.searchsorted(edges, cases.degree[cases.source])
    parts = []
    for i in range(len(edges)):
        inside = cases.degree[cases.source][bucket == i]
        low, high = f"{inside.min():,.4g}", f"{inside.max():,.4g}"
        parts.append(Slice(low if low == high else f"{low}–{high}", "query degree", bucket == i))
    return parts
