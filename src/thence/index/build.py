"""Build an index: structures over both roles, efforts that reach a recall, and the recall that is reported."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from thence.base.errors import ConfigError, FitError
from thence.base.progress import Progress, silent
from thence.base.rng import generator
from thence.encode.embeddings import Embeddings
from thence.index.ann import NO_ROWS, AnnIndex, Side
from thence.index.engine.engine import Effort, Engine, chunks_of
from thence.index.engine.ivf import CODE_TRAINING, POINTS_A_CENTROID, default_lists, train_ivf
from thence.index.exact import ExactIndex
from thence.index.filters import Filter
from thence.index.neighbors import Question
from thence.index.options import IndexOptions
from thence.index.recall import exact_scores, recalls, sampled
from thence.index.report import IndexReport, check_kind
from thence.index.scan import scan_cost
from thence.index.space import ANSWERS, MULTIPLE, Role, has_bias, space_of, widened
from thence.index.tune import Choice, choose_effort

TRIED_BY_AUTO = ("ivf_pq", "ivf_rabitq")
FLOOR = 0.9
DEEP = 5
"""How many times as many answers as efforts are chosen for, to see whether they can be raised that far."""
FEW = 20_000
"""Nodes, up to which scoring all of them is as fast as a search."""
BATCHED = 256


def build_index(
    embeddings: Embeddings,
    kind: str = "auto",
    recall: float = 0.95,
    *,
    k: int = 20,
    floor: float | None = FLOOR,
    allow_exact: bool = False,
    options: IndexOptions | None = None,
    progress: Progress = silent,
) -> AnnIndex | ExactIndex:
    """An index of embeddings that finds a wanted share of the exact answers, with the least work.

    Args:
        embeddings: two vectors a node; they may be memory-mapped.
        kind: ``"exact"``, ``"ivf_pq"``, ``"ivf_rabitq"``, ``"hnsw"``, ``"scann"``, or ``"auto"``: exact up to
            20,000 nodes, beyond that the first of IVF-PQ and IVF-RaBitQ that reaches the recall for less work
            than scoring all nodes.
        recall: recall@k to reach on sampled queries.
        k: the k of that recall.
        floor: recall@k below which nothing is built; None for no floor.
        allow_exact: answer exactly where the recall cannot be had for less; ``report.reason`` says so.
        options: questions, samples, sizes and the seed.
        progress: told what is being done.

    Returns:
        An index with the :class:`thence.index.Index` interface; ``report`` holds what was measured.

    Raises:
        ConfigError: a setting is out of range, the kind is unknown, or its library is not installed.
        FitError: the recall on held-out queries is below the floor, and exact answers are not allowed.

    Example:
        >>> from thence.base.ids import IdMap
        >>> eye = np.eye(3, dtype=np.float32)
        >>> ring = Embeddings(IdMap(["a", "b", "c"]), source=eye, target=eye[[2, 0, 1]])  # a → b → c → a
        >>> index = build_index(ring)
        >>> index.report.kind, index.search([0], k=1).nodes.tolist()
        ('exact', [[1]])
    """
    options = options or IndexOptions()
    check_kind(kind)
    _check_shares(recall, floor, k)
    begun, num_nodes = time.process_time(), len(embeddings.ids)
    if kind == "exact" or (kind == "auto" and num_nodes <= FEW):
        reason = "it was asked for" if kind == "exact" else f"{num_nodes:,} nodes: scoring all is as fast"
        return _exact(embeddings, kind, reason, recall, begun)
    if num_nodes < 4:
        raise ConfigError(f"{num_nodes} nodes for kind {kind!r}", fix="Choose 'exact' or 'auto'.")
    k = min(k, num_nodes - 1)
    truth = _Truth.of(embeddings, k, options, progress)
    tried: list[_Built] = []
    for one in TRIED_BY_AUTO if kind == "auto" else (kind,):
        tried.append(_build(embeddings, one, recall, truth, options, progress))
        if tried[-1].good:
            break
    best = max(tried, key=lambda built: (built.good, built.worst))
    if kind == "auto" and not best.good and allow_exact:
        return _exact(embeddings, kind, best.verdict(recall), recall, begun)
    if floor is not None and best.worst < floor:
        if allow_exact:
            return _exact(embeddings, kind, best.verdict(floor), recall, begun)
        raise FitError(
            best.verdict(floor),
            where=repr(embeddings),
            fix="Give allow_exact=True, another kind or a lower floor; isotropic vectors need exact answers.",
        )
    index = best.index
    reason = best.verdict(recall) if kind == "auto" or not best.reached else "it was asked for"
    spent = time.process_time() - begun
    report = replace(index.report, asked=kind, reason=reason, target=recall, seconds=spent)
    return replace(index, report=report)


def measured(index: AnnIndex, options: IndexOptions | None = None, progress: Progress = silent) -> AnnIndex:
    """The same index with its recall measured anew, after changes say; none where no two nodes are left.

    Example: see :meth:`AnnIndex.upsert`.
    """
    options = options or IndexOptions(questions=tuple(index.efforts))
    _, nodes = sampled(len(index.ids), options.queries, options.seed, index.alive)
    found: dict[str, float] = {}
    for question in index.efforts if len(nodes) else ():
        space = space_of(index.embeddings, question)
        bar = Filter.of(nodes, len(index.ids), alive=index.alive, allowed=None, exclude=None)
        exact = exact_scores(space, nodes, index.report.k, bar)
        progress("measure", len(found), len(index.efforts))
        found[question] = _recall(index, question, nodes, exact, index.report.k)
    return replace(index, report=replace(index.report, recall=found, queries=len(nodes)))


@dataclass(frozen=True, eq=False)
class _Truth:
    """Exact answers to two samples of queries: one to choose by, one to report on.

    ``scores`` are of more answers than k, so that :func:`_deepened` can look further down.
    """

    k: int
    choose: np.ndarray
    report: np.ndarray
    scores: dict[Question, tuple[np.ndarray, np.ndarray]]

    @classmethod
    def of(cls, embeddings: Embeddings, k: int, options: IndexOptions, progress: Progress) -> _Truth:
        choose, report = sampled(len(embeddings.ids), options.queries, options.seed)
        both, scores = np.concatenate([choose, report]), {}
        bar = Filter.of(both, len(embeddings.ids), alive=None, allowed=None, exclude=None)
        for question in options.questions:
            progress("exact answers", len(scores), len(options.questions))
            deep = min(DEEP * k, len(embeddings.ids) - 1)
            exact = exact_scores(space_of(embeddings, question), both, deep, bar)
            scores[question] = exact[: len(choose)], exact[len(choose) :]
        return cls(k, choose, report, scores)


@dataclass(frozen=True, eq=False)
class _Built:
    """One kind, built and measured."""

    index: AnnIndex
    choices: dict[Question, Choice]

    @property
    def worst(self) -> float:
        return min(self.index.report.recall.values())

    @property
    def reached(self) -> bool:
        return all(choice.reached for choice in self.choices.values())

    @property
    def good(self) -> bool:
        """The recall is reached for less work than scoring every node."""
        nodes, dim = len(self.index.ids), self.index.embeddings.dim
        return self.reached and all(one.cost < scan_cost(nodes, dim, BATCHED) for one in self.choices.values())

    def verdict(self, wanted: float) -> str:
        """What was found, in one clause."""
        report, nodes = self.index.report, len(self.index.ids)
        question = min(report.recall, key=lambda name: report.recall[name])
        what = f"{report.kind} finds recall@{report.k} {report.recall[question]:.3f} of {question!r}"
        cost = max(one.cost for one in self.choices.values()) / scan_cost(
            nodes, self.index.embeddings.dim, BATCHED
        )
        below = f", below {wanted:.2f}" if report.recall[question] < wanted else ""
        return f"{what}{below}, for {cost:.2f} of the work of scoring all {nodes:,} nodes"


def _build(
    embeddings: Embeddings, kind: str, recall: float, truth: _Truth, options: IndexOptions, progress: Progress
) -> _Built:
    sides: dict[Role, Side] = {}
    choices: dict[Question, Choice] = {}
    spent = 0.0
    for question in options.questions:
        role = ANSWERS[question]
        if role not in sides:
            with_bias = role == "target" and "next" in options.questions and has_bias(embeddings)
            begun = time.process_time()
            engine = structure(embeddings, kind, role, with_bias, options, progress)
            sides[role] = Side(engine, NO_ROWS, with_bias)
            spent += time.process_time() - begun
        exact = truth.scores[question][0][:, : truth.k]
        space = space_of(embeddings, question)
        choices[question] = choose_effort(sides[role], space, truth.choose, exact, truth.k, recall)
        progress(f"choose effort of {question}", len(choices), len(options.questions))
    efforts: dict[Question, Effort] = {question: choice.effort for question, choice in choices.items()}
    settings = {"efforts": {name: [effort.reach, effort.pool] for name, effort in efforts.items()}}
    settings |= {role: dict(side.engine.settings) for role, side in sides.items()} | {"seed": options.seed}
    sample = len(truth.report)
    report = IndexReport(kind, k=truth.k, queries=sample, settings=settings, structure_seconds=spent)
    index = _deepened(AnnIndex(embeddings, sides, efforts, report), truth)
    report = index.report
    recalled = {
        question: _recall(index, question, truth.report, truth.scores[question][1], truth.k)
        for question in options.questions
    }
    return _Built(replace(index, report=replace(report, recall=recalled)), choices)


def _deepened(index: AnnIndex, truth: _Truth) -> AnnIndex:
    """The same with efforts that know whether they can be raised for more answers than they were chosen for.

    A graph, for one, is linked so that the greatest products are found; much further down it may lead nowhere.
    """
    efforts, found = dict(index.efforts), {}
    for question, effort in efforts.items():
        exact = truth.scores[question][0]
        found[question] = _recall(index, question, truth.choose, exact, exact.shape[1])
        if found[question] < FLOOR:
            efforts[question] = replace(effort, deepest=truth.k)
    settings = {**index.report.settings, f"recall@{min(DEEP * truth.k, len(index.ids) - 1)}": found}
    return replace(index, efforts=efforts, report=replace(index.report, settings=settings))


def _recall(index: AnnIndex, question: Question, nodes: np.ndarray, exact: np.ndarray, k: int) -> float:
    """Recall on query nodes, by the route that a search takes."""
    space = space_of(index.embeddings, question)
    bar = Filter.of(nodes, len(index.ids), alive=index.alive, allowed=None, exclude=None)
    found = index.answer(np.ascontiguousarray(space.asking[nodes]), space, k, bar)[1]
    return float(recalls(found, exact, k).mean())


def structure(
    embeddings: Embeddings,
    kind: str,
    role: Role,
    with_bias: bool,
    options: IndexOptions,
    progress: Progress = silent,
) -> Engine:
    """One role's structure, trained on a sample and filled chunk by chunk."""
    rows: np.ndarray = getattr(embeddings, role)
    bias = embeddings.bias if with_bias else None
    multiple = MULTIPLE.get(kind, 1)

    def widen(part: slice | np.ndarray) -> np.ndarray:
        return widened(rows[part], None if bias is None else bias[part], multiple)

    lists = options.lists or default_lists(len(rows))
    wanted = min(len(rows), options.sample, max(lists * POINTS_A_CENTROID, CODE_TRAINING))
    rng = generator(options.seed, "index", "sample", role)
    drawn = np.sort(rng.choice(len(rows), wanted, replace=False))
    sample = widen(drawn)[rng.permutation(wanted)]
    if kind == "hnsw":
        from thence.index.engine.hnsw import train_hnsw

        engine = train_hnsw(sample, links=options.links, breadth=options.breadth, seed=options.seed)
    elif kind == "scann":
        from thence.index.engine.scann import train_scann

        return train_scann(widen(slice(None)), lists=lists, sample=wanted)
    else:
        engine = train_ivf(kind, sample, len(rows), seed=options.seed, lists=lists)  # type: ignore[arg-type]
    done = 0
    for chunk in chunks_of(rows, widen):
        engine.fill([chunk])
        done += len(chunk)
        progress(f"add {role} vectors", done, len(rows))
    return engine


def _exact(embeddings: Embeddings, asked: str, reason: str, target: float, begun: float) -> ExactIndex:
    index = ExactIndex(embeddings)
    spent = time.process_time() - begun
    report = replace(index.report, asked=asked, reason=reason, target=target, seconds=spent)
    return replace(index, report=report)


def _check_shares(recall: float, floor: float | None, k: int) -> None:
    if not 0.0 < recall <= 1.0:
        raise ConfigError(f"recall={recall!r}", fix="Give a share above 0, at most 1.")
    if floor is not None and not 0.0 <= floor <= 1.0:
        raise ConfigError(f"floor={floor!r}", fix="Give a share from 0 to 1, or None.")
    if k < 1:
        raise ConfigError(f"k={k!r}", fix="Give at least 1.")
