"""The re-ranker: a scorer in two stages. The first retrieves by an inner product, the second orders by trees.

Scores are log odds of an arc. Candidates of a source have those of the trees. All other nodes stand below
them in the order of the first stage, on the same scale: with c the lowest candidate's score and z the log odds
that the first stage alone gives,

    score = c - log(1 + exp(c - z)) .
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError, DataError, FitError
from thence.base.ids import IdMap
from thence.base.progress import Progress, silent
from thence.base.rng import derive_seed
from thence.encode.scorer import Scorer
from thence.graph import DiGraph
from thence.rerank.candidates import Finder
from thence.rerank.learn import BATCH, Examples, Lesson, RerankConfig, Retrieve, examples, hidden_lessons
from thence.rerank.model import Trees
from thence.rerank.parts import columns, part_table
from thence.rerank.walks import Candidates

KIND = "reranker"
TREES = "trees.ubj"
MANY = 4
"""Asked for more than a fourth of the nodes, every node is re-ranked and kept."""


@dataclass(frozen=True, eq=False, repr=False)
class Reranker:
    """A first stage and the trees that re-rank its candidates, over one graph. It is a :class:`Scorer`.

    Args:
        graph: what may be known.
        first: the first stage, fitted to it.
        trees: the ranker.
        config: its settings.
        scale: slope and offset that turn the first stage's score into log odds.
        seed: of the factorisations among the parts.
        info: how it was fitted, JSON-able.

    Raises:
        DataError: the first stage knows other nodes than the graph, or the graph has other parts than the trees
            were fitted to (another number of relations, say).
    """

    graph: DiGraph
    first: Scorer
    trees: Trees
    config: RerankConfig
    scale: tuple[float, float]
    seed: int = 0
    info: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.first.ids != self.graph.ids:
            raise DataError("the first stage and the graph have different ids")

    @classmethod
    def fit(
        cls,
        graph: DiGraph,
        retrieve: Retrieve,
        config: RerankConfig | None = None,
        *,
        lessons: Iterable[Lesson] | None = None,
        first: Scorer | None = None,
        seed: int = 0,
        progress: Progress = silent,
    ) -> Reranker:
        """Teach the trees on arcs that are hidden from the graph, then stand them over the whole of it.

        Args:
            graph: all that may be known.
            retrieve: from a graph to a first stage; called for every lesson and for the whole.
            config: settings.
            lessons: what to learn from instead of random hidden arcs, such as the graph before a validation
                period and the first purchases in it.
            first: the first stage of the whole, where it has been fitted already.
            seed: of all that is random.
            progress: told after each lesson.

        Raises:
            FitError: the graph has no arcs, nothing can be learned, or XGBoost is not installed.

        Example:
            >>> from thence.encode.baseline.svd import svd
            >>> from thence.graph import Arcs
            >>> pairs = [(i, j) for i in range(6) for j in range(6, 12) if i + j != 11]  # all but six
            >>> arcs = Arcs.from_pairs(*zip(*pairs), num_nodes=12)
            >>> graph = DiGraph(IdMap([f"n{k}" for k in range(12)]), {"bought_after": arcs})
            >>> config = RerankConfig(candidates=12, folds=2, trees=20, negatives=1.0)
            >>> forward = Reranker.fit(graph, lambda rest: svd(rest, 2), config).scores([0])[0]
            >>> bool(forward[11] > forward[1:6].max())  # the missing arc of node 0 beats those of its kind
            True
        """
        config = config or RerankConfig()
        if not graph.main.num_arcs:
            raise FitError("the main relation has no arcs", where=repr(graph), fix="Lower min_count.")
        teaching = replace(config, known=False) if lessons is None else config  # fresh ones are asked for
        taught: list[Examples] = []
        source = hidden_lessons(graph, config, seed) if lessons is None else lessons
        for number, lesson in enumerate(source):
            if lesson.hidden.num_arcs:
                own = derive_seed(seed, "lesson", number)
                taught.append(examples(lesson, retrieve(lesson.graph), teaching, own))
            progress("re-ranker", number + 1, config.folds if lessons is None else None)
        if not taught:
            raise FitError("no arcs to learn from", where=repr(graph), fix="Hide a larger share.")
        trees = Trees.fit(taught, config, seed)
        slope, offset = np.mean([lesson.scale for lesson in taught], axis=0).tolist()
        found = [lesson.found for lesson in taught]
        info: dict[str, Any] = {"lessons": len(taught), "candidate_recall": float(np.mean(found))}
        first = retrieve(graph) if first is None else first
        info["first"] = type(first).__name__
        return cls(graph, first, trees, config, (slope, offset), seed, info)

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"Reranker({self.graph.num_nodes:,} nodes, {self.trees!r} over {type(self.first).__name__})"

    @property
    def ids(self) -> IdMap:
        """External ids of the nodes."""
        return self.graph.ids

    @cached_property
    def finder(self) -> Finder:
        """Candidates and parts over the graph."""
        config = self.config
        finder = Finder(self.graph, self.first, config.candidates, known=config.known, seed=self.seed)
        if tuple(columns(finder.parts)) != self.trees.names:
            wrong = sorted(set(columns(finder.parts)) ^ set(self.trees.names))[:3]
            raise DataError(f"the graph has other parts than the trees were fitted to, such as {wrong}")
        return finder

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Scores ``[len(sources), num_nodes]`` of the arcs from each source to every node."""
        asked = np.asarray(sources, np.int64)
        rows = self._outside(asked)
        if not len(asked):
            return rows
        distinct, back = np.unique(asked, return_inverse=True)
        matrix = self._whole[distinct] if len(distinct) * MANY > len(self.ids) else self._matrix(distinct)
        for row, at in enumerate(back):
            part = slice(matrix.indptr[at], matrix.indptr[at + 1])
            _join(rows[row], matrix.indices[part], matrix.data[part])
        return rows

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Scores ``[len(targets), num_nodes]`` of the arcs from every node to each target."""
        asked = np.asarray(targets, np.int64)
        rows = self._log_odds(self.first.scores_into(asked))
        if not len(asked):
            return rows
        rows = _below(rows, self._lowest[None, :])
        columns = self._columns[asked]
        for row in range(len(asked)):
            part = slice(columns.indptr[row], columns.indptr[row + 1])
            rows[row, columns.indices[part]] = columns.data[part]
        return rows

    def table(self, sources: np.ndarray) -> tuple[Candidates, np.ndarray]:
        """Candidates of some sources and their parts ``[num, columns]``."""
        at = self.finder.candidates(np.asarray(sources, np.int64))
        return at, part_table(self.finder.parts, at)

    def _outside(self, sources: np.ndarray) -> np.ndarray:
        return self._log_odds(self.first.scores(sources))

    def _log_odds(self, scores: np.ndarray) -> np.ndarray:
        slope, offset = self.scale
        return np.asarray(scores * np.float32(slope) + np.float32(offset), np.float32)

    def _matrix(self, sources: np.ndarray) -> Any:
        """The trees' scores of the candidates of some sources, a sparse matrix with a row for each."""
        pointers, nodes, values = [np.zeros(1, np.int64)], [], []
        for begin in range(0, len(sources), BATCH):
            at, table = self.table(sources[begin : begin + BATCH])
            pointers.append(at[1][1:] + pointers[-1][-1])
            nodes.append(at[2])
            values.append(self.trees.margins(table))
        shape = (len(sources), len(self.ids))
        return sp.csr_matrix(
            (np.concatenate(values), np.concatenate(nodes), np.concatenate(pointers)), shape=shape
        )

    @cached_property
    def _whole(self) -> Any:
        return self._matrix(np.arange(len(self.ids)))

    @cached_property
    def _columns(self) -> Any:
        return self._whole.T.tocsr()

    @cached_property
    def _lowest(self) -> np.ndarray:
        whole = self._whole
        lowest = np.full(len(self.ids), np.inf, np.float32)
        filled = np.flatnonzero(np.diff(whole.indptr))
        lowest[filled] = np.minimum.reduceat(whole.data, whole.indptr[filled]) if len(filled) else np.inf
        return lowest

    def save(self, folder: str | Path) -> None:
        """Write trees and settings as an artifact of kind ``reranker``; the first stage is saved apart."""
        with write_artifact(folder, KIND) as draft:
            draft.path(TREES).write_bytes(self.trees.text())
            draft.counts.update(nodes=len(self.ids), columns=len(self.trees.names))
            draft.config.update(
                settings=asdict(self.config),
                names=list(self.trees.names),
                offset=self.trees.offset,
                scale=list(self.scale),
                seed=self.seed,
                info=self.info,
            )

    @classmethod
    def load(cls, folder: str | Path, graph: DiGraph, first: Scorer) -> Reranker:
        """Stand saved trees over a graph and a first stage.

        Raises:
            ArtifactError: they are absent, torn, tampered with, or no re-ranker.
            DataError: the graph and the first stage have different ids.
        """
        art = open_artifact(folder, KIND)
        try:
            names, offset = tuple(art.config["names"]), float(art.config["offset"])
            trees = Trees.read((Path(folder) / TREES).read_bytes(), names, offset)
            slope, shift = art.config["scale"]
            settings = RerankConfig(**art.config["settings"])
            seed, info = int(art.config["seed"]), dict(art.config["info"])
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"inconsistent re-ranker: {error}", where=folder) from error
        return cls(graph, first, trees, settings, (float(slope), float(shift)), seed, info)


def _join(row: np.ndarray, nodes: np.ndarray, values: np.ndarray) -> None:
    """Put candidates' scores into a row of log odds, and everything else below them."""
    if len(nodes):
        row[:] = _below(row, values.min())
        row[nodes] = values


def _below(z: np.ndarray, lowest: Any) -> np.ndarray:
    """C - log(1 + exp(c - z)), which is below both c and z and rises with z; z itself where c is infinite."""
    with np.errstate(invalid="ignore"):
        lower = (lowest - np.logaddexp(0, lowest - z)).astype(np.float32)
    return np.where(np.isfinite(lowest), lower, z)
