"""Which targets of a source are worth re-ranking: the best of the first stage and of a few counts beside it."""

from __future__ import annotations

import numpy as np

from thence.encode.embeddings import Embeddings
from thence.encode.scorer import Scorer
from thence.graph import Arcs, DiGraph
from thence.rerank.parts import Part, all_parts
from thence.rerank.walks import Candidates, Step, Walker


class Finder:
    """Candidates and parts over one graph.

    Args:
        graph: what may be known.
        first: the first stage, fitted to it.
        num: how many candidates the first stage gives; half as many come from each of three walks.
        known: targets of known arcs are candidates too.
        seed: of the factorisations.
    """

    def __init__(self, graph: DiGraph, first: Scorer, num: int, *, known: bool = False, seed: int = 0) -> None:
        self.graph, self.first, self.num, self.known = graph, first, num, known
        self.walker = Walker(graph)
        self.parts: list[Part] = all_parts(graph, self.rows, walker=self.walker, seed=seed)
        self._last: tuple[bytes, np.ndarray] = (b"", np.empty((0, 0), np.float32))
        self._joined = _joined(graph)

    def rows(self, sources: np.ndarray) -> np.ndarray:
        """The first stage's scores ``[len(sources), num_nodes]``; the last answer is kept.

        Embeddings are asked for one source at a time: a product of many rows at once rounds otherwise than one
        of each does, and a source shall have the same candidates and parts in every company.
        """
        sources = np.ascontiguousarray(sources, np.int64)
        if self._last[0] != sources.tobytes() or not len(sources):
            if isinstance(self.first, Embeddings) and len(sources):
                rows = np.concatenate([self.first.scores([source]) for source in sources])
            else:
                rows = self.first.scores(sources)
            self._last = (sources.tobytes(), rows)
        return self._last[1]

    def candidates(self, sources: np.ndarray) -> Candidates:
        """The candidates of some sources, each node once and ascending, never the source itself.

        They are the ``num`` best of the first stage, the best of the walks A Aᵀ A, A A and A Aᵀ, every node
        that another relation joins to the source, and every node that leads to it.

        Args:
            sources: ``[B]`` nodes.
        """
        sources = np.asarray(sources, np.int64)
        main = next(iter(self.graph.relations))
        out, into = Step(main), Step(main, against=True)
        walks = ((out, into, out), (out, out), (out, into))
        found = [_best(self.rows(sources), self.num)]
        found += [self.walker.top(walk, sources, -(-self.num // 2)) for walk in walks]
        rows = [np.repeat(np.arange(len(sources)), part.shape[1]) for part in found]
        nodes = [part.ravel().astype(np.int64) for part in found]
        for side in self._joined:
            row, node = _listed(side, sources)
            rows.append(row)
            nodes.append(node)
        row, node = np.concatenate(rows), np.concatenate(nodes)
        keep = (node >= 0) & (node != sources[row])
        row, node = np.divmod(np.unique(row[keep] * self.graph.num_nodes + node[keep]), self.graph.num_nodes)
        if not self.known:
            fresh = ~self.graph.main.contains(sources[row], node)
            row, node = row[fresh], node[fresh]
        ptr = np.searchsorted(row, np.arange(len(sources) + 1)).astype(np.int64)
        return sources, ptr, node.astype(np.int32)


def _best(scores: np.ndarray, num: int) -> np.ndarray:
    """``[B, num]`` nodes of the largest scores, -1 where a score is ``-inf``."""
    num = min(num, scores.shape[1])
    best = np.argpartition(-scores, num - 1, axis=1)[:, :num]
    return np.where(np.isfinite(np.take_along_axis(scores, best, axis=1)), best, -1)


def _joined(graph: DiGraph) -> list[Arcs]:
    """Relations all of whose arcs make candidates."""
    sides = []
    for r, arcs in enumerate(graph.relations.values()):
        sides += [arcs] if r else []
        sides += [arcs.reversed()] if arcs.directed else []
    return sides


def _listed(arcs: Arcs, sources: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every arc of the sources, as row and target."""
    degree = arcs.out_degree[sources]
    row = np.repeat(np.arange(len(sources)), degree)
    within = np.arange(degree.sum()) - np.repeat(np.cumsum(degree) - degree, degree)
    return row, arcs.targets[arcs.indptr[sources].astype(np.int64)[row] + within].astype(np.int64)
