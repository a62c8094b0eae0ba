"""A re-ranker for shops whose log is dense and whose future is asked for: parts at a clock, trees over them.

Where every product has been seen beside a third of all others, walks and hidden arcs say little: what is asked
is which pair will be seen *next*. So the trees are taught on what came after an earlier clock, with every part
counted before it, and then stand over everything that is known now. A pair's label is how often it came; the
trees' answer is the log odds of its coming.

    lesson:  parts of (graph, log) before the clock  →  pairs seen after it, with how often
    now:     the same parts of all that is known     →  scores
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError, ConfigError, DataError, FitError
from thence.base.ids import IdMap
from thence.base.progress import Progress, silent
from thence.encode.baseline.backed_off import backed_off
from thence.encode.baseline.counts import counts, lift
from thence.encode.baseline.svd import svd
from thence.encode.scorer import Scorer
from thence.events import EventLog
from thence.graph import Arcs, DiGraph
from thence.rerank.alike import Alike, Lent
from thence.rerank.learn import BATCH, RerankConfig
from thence.rerank.model import Trees
from thence.rerank.parts import Part, catalogue_parts, columns, part_table
from thence.rerank.timely_parts import label_parts, timely_parts
from thence.rerank.timely_teach import LESSON, lesson_examples, source_of, weights_of
from thence.rerank.timely_views import seen_next, view_parts
from thence.rerank.walks import Candidates

FIRST: Mapping[str, Callable[[DiGraph], Scorer]] = {
    "counts": counts,
    "lift": lambda graph: lift(graph, 0.4),
    "backed_off": lambda graph: backed_off(graph, 400.0),
    "kinds": lambda graph: backed_off(graph, 400.0, ("category",)),
    "svd": lambda graph: svd(graph, 64),
}
"""What retrieves, and is a part as well; all are plain."""
GROUP = {"counts": "arc", "lift": "arc", "backed_off": "category", "kinds": "category", "svd": "factors"}
GROUP |= {"alike": "features", "lent": "features"}
"""Under what a part of these is explained."""
KIND, TREES = "timely-reranker", "trees.ubj"
ROWS = 1 << 24


@dataclass(frozen=True, eq=False)
class Known:
    """What is known at a clock.

    Args:
        graph: built from the log.
        log: seen up to the clock.
        first: a learned first stage over the graph, where there is one.
        after: pairs that came after the clock, weighted by how often; None for now.
        against: pairs that speak against themselves, weighted likewise, such as what came the other way round.
        titles: products of like titles retrieve too, what follows them as well, and the catalogue's parts of
            :mod:`thence.rerank.parts` count; for shops that sell much of what has hardly been sold.

    Example:
        >>> import pyarrow as pa
        >>> events = pa.table({"timestamp": [0, 0], "user_id": ["u", "u"], "item_id": ["phone", "case"],
        ...                    "event": ["purchase"] * 2, "order_id": ["a", "a"]})
        >>> arcs = Arcs.from_pairs([0], [1], num_nodes=2)
        >>> graph = DiGraph(IdMap(["phone", "case"]), {"same_basket": arcs})
        >>> now = Known(graph, EventLog.from_tables(events).before(10))
        >>> now.candidates([0], 2)[2].tolist(), {"reverse", "counts"} <= {part.name for part in now.parts}
        ([1], True)
    """

    graph: DiGraph
    log: EventLog
    first: Scorer | None = None
    after: Arcs | None = None
    against: Arcs | None = None
    titles: bool = False

    def __post_init__(self) -> None:
        if self.titles and (self.graph.nodes is None or "title" not in self.graph.nodes.column_names):
            raise DataError("the catalogue has no titles", fix="Leave titles=False.")

    @cached_property
    def scorers(self) -> dict[str, Scorer]:
        """What retrieves candidates, by name."""
        found = {name: make(self.graph) for name, make in FIRST.items()}
        if self.titles and self.graph.nodes is not None:
            alike = Alike(self.graph.ids, self.graph.nodes)
            found |= {"alike": alike, "lent": Lent(alike, self.graph.main)}
        return found if self.first is None else found | {"first": self.first}

    @cached_property
    def parts(self) -> list[Part]:
        """All parts: of the graph, of the catalogue, of the log."""
        main = self.graph.main
        out, into = _sums(main, 0), _sums(main, 1)
        found = [
            Part("reverse", "reverse", lambda at: weights_of(main, at[2], source_of(at))),
            Part("source_out", "popularity", lambda at: out[source_of(at)]),
            Part("target_in", "popularity", lambda at: into[at[2]]),
        ]
        if "lift" in main.values:
            found.append(Part("arc.lift", "arc", lambda at: weights_of(main, source_of(at), at[2], "lift")))
        found += [Part(name, GROUP.get(name, "first"), self._scored(name)) for name in self.scorers]
        if self.titles:
            found += catalogue_parts(self.graph)
        return found + label_parts(self.graph) + timely_parts(self.log, self.graph.ids) + view_parts(self.looks)

    @cached_property
    def looks(self) -> Arcs:
        """What customers looked at right after they bought something."""
        return seen_next(self.log, self.graph.ids)

    def then(self, after: Arcs, against: Arcs | None = None) -> Known:
        """The same with what came after the clock; what has been worked out already is shared."""
        found, shared = replace(self, after=after, against=against), ("scorers", "parts", "looks", "_kept")
        self._kept  # noqa: B018  there from now on, as parts that are shared keep their rows there
        done = {name: value for name, value in vars(self).items() if name in shared}
        vars(found).update(done)
        return found

    def candidates(self, sources: np.ndarray, num: int) -> Candidates:
        """The ``num`` best of each scorer, each node once and ascending, never the source itself."""
        sources = np.asarray(sources, np.int64)
        found = np.concatenate([_best(self._rows(name, sources), num) for name in self.scorers], axis=1)
        row = np.repeat(np.arange(len(sources)), found.shape[1])
        node = found.ravel()
        keep = (node >= 0) & (node != sources[row])
        n = self.graph.num_nodes
        row, node = np.divmod(np.unique(row[keep] * n + node[keep]), n)
        return (
            sources,
            np.searchsorted(row, np.arange(len(sources) + 1)).astype(np.int64),
            node.astype(np.int32),
        )

    def tables(self, sources: np.ndarray, num: int) -> Iterator[tuple[Candidates, np.ndarray]]:
        """Candidates and their parts, some sources at a time."""
        size = max(1, min(BATCH, ROWS // max(self.graph.num_nodes, 1)))
        for begin in range(0, len(sources), size):
            at = self.candidates(sources[begin : begin + size], num)
            yield at, part_table(self.parts, at)
            self._kept.clear()

    @cached_property
    def _kept(self) -> dict[str, tuple[bytes, np.ndarray]]:
        return {}

    def _rows(self, name: str, sources: np.ndarray) -> np.ndarray:
        """A scorer's rows; the last are kept, as candidates and parts ask for the same."""
        key = np.ascontiguousarray(sources, np.int64).tobytes()
        if name not in self._kept or self._kept[name][0] != key:
            self._kept[name] = key, self.scorers[name].scores(sources)
        return self._kept[name][1]

    def _scored(self, name: str) -> Callable[[Candidates], np.ndarray]:
        def values(at: Candidates) -> np.ndarray:
            row = np.repeat(np.arange(len(at[0])), np.diff(at[1]))
            rows = self._rows(name, at[0])
            step = _step(rows)[row]
            return (np.round(rows[row, at[2]] / step) * step).astype(np.float32)

        return values


@dataclass(frozen=True, eq=False, repr=False)
class TimelyReranker:
    """Trees over parts at a clock. It is a :class:`~thence.encode.scorer.Scorer`.

    Candidates of a source have the trees' log odds; all others stand below them in the order of ``base``.

    Args:
        now: what is known.
        trees: the ranker.
        config: its settings; of these ``candidates``, ``negatives``, ``trees``, ``leaves`` and ``rate`` count.
        info: how it was fitted, JSON-able.
        asked: ascending sources whose candidates are re-ranked, all when None; others keep the base's order.
    """

    now: Known
    trees: Trees
    config: RerankConfig = LESSON
    info: dict[str, Any] = field(default_factory=dict)
    asked: np.ndarray | None = None

    @classmethod
    def fit(
        cls,
        now: Known,
        lessons: Iterable[Known],
        config: RerankConfig = LESSON,
        *,
        seed: int = 0,
        progress: Progress = silent,
    ) -> TimelyReranker:
        """Teach the trees on what came after earlier clocks, then stand them over what is known now.

        Args:
            now: what is known.
            lessons: what was known at earlier clocks, with what came after; none may reach beyond ``now``.
            config: settings.
            seed: of the draw of negatives and of the trees.
            progress: told after each lesson.

        Raises:
            ConfigError: a lesson has nothing that came after, or its log reaches as far as the one of now.
            FitError: nothing can be learned, or XGBoost is not installed.

        Example:
            >>> import pyarrow as pa
            >>> pairs = [(i, j) for i in range(6) for j in range(6, 12) if i + j != 11]  # all but six
            >>> arcs = Arcs.from_pairs(*zip(*pairs), num_nodes=12)
            >>> graph = DiGraph(IdMap([f"n{k}" for k in range(12)]), {"same_basket": arcs})
            >>> log = EventLog.from_tables(pa.table({"timestamp": [0], "user_id": ["u"], "item_id": ["n0"],
            ...                                      "event": ["purchase"], "order_id": ["a"]}))
            >>> after = Arcs.from_pairs([0, 1, 2], [11, 10, 9], num_nodes=12)
            >>> config = RerankConfig(candidates=12, negatives=1.0, trees=20)
            >>> lesson, now = Known(graph, log.before(10), after=after), Known(graph, log.before(20))
            >>> scores = TimelyReranker.fit(now, [lesson], config).scores([0])[0]
            >>> bool(scores[11] > scores[1:6].max())  # what came beats those of its own kind
            True
        """
        taught = []
        for number, lesson in enumerate(lessons):
            _check(lesson, now)
            taught.append(lesson_examples(lesson, config, seed + number))
            progress("timely re-ranker", number + 1, None)
        if not taught:
            raise FitError("no lessons", fix="Give what was known at an earlier clock.")
        trees = Trees.fit(taught, config, seed)
        info = {"lessons": len(taught), "candidate_recall": float(np.mean([one.found for one in taught]))}
        return cls(now, trees, config, info)

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"TimelyReranker({len(self.ids):,} nodes, {self.trees!r})"

    @property
    def ids(self) -> IdMap:
        """External ids of the nodes."""
        return self.now.graph.ids

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Scores ``[len(sources), num_nodes]`` of the arcs from each source to every node."""
        own = np.asarray(sources, np.int64)
        rows = self._below(self._base.scores(own), own[:, None])
        return _put(rows, self._matrix[own])

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Scores ``[len(targets), num_nodes]`` of the arcs from every node to each target."""
        own = np.asarray(targets, np.int64)
        rows = self._below(self._base.scores_into(own), np.arange(len(self.ids))[None, :])
        return _put(rows, self._columns[own])

    def of(self, sources: ArrayLike) -> TimelyReranker:
        """The same for those who ask of some sources alone, at their share of the cost."""
        return replace(self, asked=np.unique(np.asarray(sources, np.int64)))

    def check(self) -> None:
        """Raise DataError where what is known has other parts than the trees were fitted to."""
        names = tuple(columns(self.now.parts))
        if names != self.trees.names:
            wrong = sorted(set(names) ^ set(self.trees.names))[:3]
            raise DataError(f"the graph has other parts than the trees were fitted to, such as {wrong}")

    def tables(self) -> Iterator[tuple[Candidates, np.ndarray]]:
        """Candidates of the sources that are re-ranked and their parts, some sources at a time.

        Raises:
            DataError: what is known has other parts than the trees were fitted to.
        """
        self.check()
        asked = np.arange(len(self.ids)) if self.asked is None else self.asked
        return self.now.tables(asked, self.config.candidates)

    def save(self, folder: str | Path) -> None:
        """Write trees and settings as an artifact of kind ``timely-reranker``; what is known is saved apart."""
        with write_artifact(folder, KIND) as draft:
            draft.path(TREES).write_bytes(self.trees.text())
            draft.counts.update(columns=len(self.trees.names))
            names, offset = list(self.trees.names), self.trees.offset
            draft.config.update(settings=asdict(self.config), names=names, offset=offset, info=self.info)

    @classmethod
    def load(cls, folder: str | Path, now: Known) -> TimelyReranker:
        """Stand saved trees over what is known now.

        Raises:
            ArtifactError: they are absent, torn, tampered with, or no re-ranker of this kind.
            FitError: XGBoost is not installed.
        """
        art = open_artifact(folder, KIND)
        try:
            names, offset = tuple(art.config["names"]), float(art.config["offset"])
            trees = Trees.read(art.path(TREES).read_bytes(), names, offset)
            return cls(now, trees, RerankConfig(**art.config["settings"]), dict(art.config["info"]))
        except (OSError, KeyError, TypeError, ValueError, ConfigError) as error:
            raise ArtifactError(f"inconsistent re-ranker: {error}", where=folder) from error

    @property
    def _base(self) -> Scorer:
        return self.now.scorers["backed_off" if self.now.first is None else "first"]

    def _below(self, base: np.ndarray, source: np.ndarray) -> np.ndarray:
        """Scores of others than candidates: below the source's lowest, between it and 1 less."""
        squashed = np.arctan(np.clip(base, -1e6, 1e6)) / np.pi - 0.5
        return (self._lowest[source] + squashed).astype(np.float32)

    @cached_property
    def _matrix(self) -> Any:
        """The trees' scores of all candidates of the sources that are re-ranked."""
        size = len(self.ids)
        counts, nodes, values = np.zeros(size, np.int64), [np.empty(0, np.int32)], [np.empty(0, np.float32)]
        for at, table in self.tables():
            counts[at[0]] = np.diff(at[1])
            nodes.append(at[2])
            values.append(self.trees.margins(table))
        pointers = np.concatenate([[0], np.cumsum(counts)])
        data = np.concatenate(values), np.concatenate(nodes), pointers
        return sp.csr_matrix(data, shape=(size, size))

    @cached_property
    def _columns(self) -> Any:
        return self._matrix.T.tocsr()

    @cached_property
    def _lowest(self) -> np.ndarray:
        lowest = np.full(len(self.ids), self._matrix.data.min(initial=0.0), np.float32)
        filled = np.flatnonzero(np.diff(self._matrix.indptr))
        if len(filled):
            lowest[filled] = np.minimum.reduceat(self._matrix.data, self._matrix.indptr[filled])
        return lowest


def _check(lesson: Known, now: Known) -> None:
    if lesson.after is None:
        raise ConfigError("a lesson without anything that came after", fix="Give Known(..., after=arcs).")
    if lesson.after.num_nodes != lesson.graph.num_nodes:
        raise DataError(f"{lesson.after.num_nodes} nodes after the clock, {lesson.graph.num_nodes} before it")
    until = lesson.log.until
    if until is None or (now.log.until is not None and until >= now.log.until):
        raise ConfigError("a lesson's clock is not before the one of now", fix="Use log.before(moment).")


def _put(rows: np.ndarray, matrix: Any) -> np.ndarray:
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    rows[row, matrix.indices] = matrix.data
    return rows


def _best(scores: np.ndarray, num: int) -> np.ndarray:
    """``[B, num]`` nodes of the largest scores, -1 where a score is ``-inf``."""
    num = min(num, scores.shape[1])
    found = np.argpartition(-scores, num - 1, axis=1)[:, :num]
    return np.where(np.isfinite(np.take_along_axis(scores, found, 1)), found, -1)


def _sums(arcs: Arcs, end: int) -> np.ndarray:
    return np.bincount(arcs.pairs[end], weights=arcs.weight, minlength=arcs.num_nodes).astype(np.float32)


def _step(scores: np.ndarray) -> np.ndarray:
    """``[rows]``: how finely trees are told scores ``[rows, n]``, 2⁻¹⁸ of the power of two above the largest.

    A product over fewer rows rounds otherwise in its last bits; what stands at a tree's split would then fall
    on either side, with who else is asked.
    """
    largest = np.abs(scores).max(1, initial=0, where=np.isfinite(scores))
    return np.exp2(np.frexp(largest)[1] - 18.0)
