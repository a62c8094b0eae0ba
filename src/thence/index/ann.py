"""An approximate index: a structure names candidates, exact scores choose among them.

Whatever the structure, the answers carry exact float32 scores, equal scores stand by node, and filters leave
k answers while k exist: the pool grows until enough of it is fit to be answered, and when that does not help,
or few nodes are allowed, every allowed node is scored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from thence.base.errors import ConfigError
from thence.base.ids import MISSING, IdMap
from thence.encode.embeddings import Embeddings
from thence.index.engine.engine import Effort, Engine
from thence.index.filters import Filter
from thence.index.kernels import score_candidates
from thence.index.neighbors import Neighbors, Question, asked_nodes, check_k, check_question
from thence.index.report import IndexReport
from thence.index.scan import NO_SCORES, empty_answers, scan, scan_cost
from thence.index.space import ANSWERS, Role, Space, check_vectors, space_of, widened

BATCH = 1024
GROWTH = 4
DEEPER_REACH, DEEPER_POOL = 0.75, 1.25
"""Powers of how many times as many answers as were chosen for are wanted."""
NO_ROWS = np.zeros(0, np.int32)


@dataclass(frozen=True, eq=False)
class Side:
    """The structure over one role's vectors.

    Args:
        engine: the structure.
        node_of: ``[num_rows]`` int32, the node of each row, -1 for a void row; empty where row i is node i.
        with_bias: whether the rows have the bias as a dimension after the vector's own.
    """

    engine: Engine
    node_of: np.ndarray
    with_bias: bool

    def ask(self, asked: np.ndarray, question: Question) -> np.ndarray:
        """Queries as wide as the rows."""
        extra = (1.0 if question == "next" else 0.0) if self.with_bias else None
        wide = widened(asked, extra)
        return widened(wide, None, self.engine.width)


@dataclass(frozen=True, eq=False, repr=False)
class AnnIndex:
    """Embeddings that answer approximately and fast. Immutable; made by :func:`thence.index.build_index`.

    Args:
        embeddings: the two vectors of each node.
        sides: the structure of each role that was built.
        efforts: how hard to look, for each question that can be asked.
        report: how it was built.
        alive: ``[num_nodes]`` bool, False for nodes that were deleted; None when all are there.
    """

    embeddings: Embeddings
    sides: Mapping[Role, Side]
    efforts: Mapping[Question, Effort]
    report: IndexReport
    alive: np.ndarray | None = None

    def __repr__(self) -> str:
        """One line with the kind, the counts and the recall."""
        recall = ", ".join(f"{name} {value:.3f}" for name, value in self.report.recall.items())
        size = f"{len(self.ids):,} nodes, dim {self.embeddings.dim}"
        return f"AnnIndex({self.report.kind}, {size}, recall@{self.report.k} {recall or 'not measured'})"

    @property
    def ids(self) -> IdMap:
        """External ids of the nodes."""
        return self.embeddings.ids

    @property
    def kind(self) -> str:
        """Which structure answers."""
        return self.report.kind

    def search(
        self,
        nodes: ArrayLike,
        k: int,
        direction: Question = "next",
        *,
        allowed: np.ndarray | None = None,
        exclude: Sequence[ArrayLike] | None = None,
    ) -> Neighbors:
        """The k best answers for each of ``nodes``; arguments and errors as in :meth:`Index.search`."""
        space = self._space(direction)
        own = asked_nodes(nodes, k, len(self.ids))
        bar = self._filter(own, allowed, exclude)
        found, scores = self.answer(np.ascontiguousarray(space.asking[own]), space, k, bar)
        if space.constant is not None:
            scores = scores + space.constant[own][:, None]
        return Neighbors(self.ids, own, found, scores, direction)

    def search_vectors(
        self,
        vectors: ArrayLike,
        k: int,
        direction: Question = "next",
        *,
        allowed: np.ndarray | None = None,
        exclude: Sequence[ArrayLike] | None = None,
    ) -> Neighbors:
        """The k best answers for vectors; arguments and errors as in :meth:`Index.search_vectors`."""
        space = self._space(direction)
        check_k(k, len(self.ids))
        asked = check_vectors(vectors, space.dim)
        own = np.full(len(asked), MISSING, np.int64)
        found, scores = self.answer(asked, space, k, self._filter(own, allowed, exclude))
        return Neighbors(self.ids, own, found, scores, direction)

    def answer(
        self, asked: np.ndarray, space: Space, k: int, bar: Filter, effort: Effort | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Nodes and scores ``[Q, k]`` of query vectors, by an effort of one's choice; nothing is checked.

        Queries that exclude much are searched apart from those that exclude little: each bears its own cost.
        """
        chosen = effort or self.efforts[space.question]
        nodes, scores = empty_answers(len(asked), k)
        depth = np.ceil(np.log2(np.maximum(1.0, (k + bar.counts) / chosen.k)))
        for step in np.unique(depth):
            alike = np.flatnonzero(depth == step)
            for begin in range(0, len(alike), BATCH):
                part = alike[begin : begin + BATCH]
                nodes[part], scores[part] = self._batch(asked[part], space, k, bar.take(part), chosen)
        return nodes, scores

    def save(self, folder: str | Path) -> None:
        """Write it as an artifact of kind ``index``, without the vectors; load_index opens it."""
        from thence.index.keep import save_index

        save_index(self, folder)

    def upsert(self, changes: Embeddings) -> AnnIndex:
        """An index in which the nodes of ``changes`` are new or have new vectors, without a new build."""
        from thence.index.change import upserted

        return upserted(self, changes)

    def delete(self, ids: Sequence[str]) -> AnnIndex:
        """An index that never answers with these nodes; they keep their numbers."""
        from thence.index.change import deleted

        return deleted(self, ids)

    def _space(self, question: Question) -> Space:
        check_question(question)
        if question not in self.efforts:
            raise ConfigError(
                f"the index was not built for {question!r}",
                where=repr(self),
                fix=f"Name it in IndexOptions(questions=...); it answers {', '.join(self.efforts)}.",
            )
        return space_of(self.embeddings, question)

    def _filter(
        self, own: np.ndarray, allowed: np.ndarray | None, exclude: Sequence[ArrayLike] | None
    ) -> Filter:
        return Filter.of(own, len(self.ids), alive=self.alive, allowed=allowed, exclude=exclude)

    def _effort(self, space: Space, k: int, bar: Filter, chosen: Effort) -> Effort | None:
        """The chosen effort, raised for a larger k and for what filters bar; None where all is to be scored.

        Excluded nodes are likely to be among the best (one owns what one likes), so they count as answers.
        Further down, answers lie more scattered and nearer to each other: pools grow faster than lists.
        """
        engine = self.sides[ANSWERS[space.question]].engine
        wanted, share = k + bar.longest, bar.kept / max(1, engine.num_rows)
        if not share or (chosen.deepest is not None and wanted > chosen.deepest):
            return None
        more = max(1.0, wanted / chosen.k)
        pool = min(engine.num_rows, int(np.ceil(chosen.pool * more**DEEPER_POOL / share)))
        return Effort(int(np.ceil(chosen.reach * more**DEEPER_REACH / np.sqrt(share))), pool, k)

    def _batch(
        self, asked: np.ndarray, space: Space, k: int, bar: Filter, chosen: Effort
    ) -> tuple[np.ndarray, np.ndarray]:
        """Search with growing pools; score every allowed node for queries that still lack answers."""
        side, effort = self.sides[ANSWERS[space.question]], self._effort(space, k, bar, chosen)
        scanned = scan_cost(bar.kept, space.dim, len(asked))
        if effort is None or (len(bar.keep) and scanned <= side.engine.cost(effort.reach, effort.pool)):
            return scan(asked, space, k, bar)
        rows, pool, reach = side.engine.num_rows, effort.pool, effort.reach
        enough = max(k, effort.pool * bar.kept // rows // 2) if len(bar.keep) else k
        nodes, scores = empty_answers(len(asked), k)
        left = np.arange(len(asked))
        plus = NO_SCORES if space.bias is None else space.bias
        while len(left):
            some = bar.take(left)
            if pool * GROWTH > rows:
                nodes[left], scores[left] = scan(asked[left], space, k, some)
                break
            found = side.engine.candidates(side.ask(asked[left], space.question), pool, reach)
            best = empty_answers(len(left), k)
            fit = score_candidates(asked[left], found, side.node_of, space.rows, plus, some.barred, best)
            nodes[left], scores[left] = best
            few = np.flatnonzero(fit < enough)
            if not len(few):
                break
            left = left[few][fit[few] < some.take(few).exist()]
            pool, reach = pool * GROWTH, reach * GROWTH
        return nodes, scores
