"""How a re-ranker is taught: hide known arcs, compute every part on what is left, and ask which were hidden.

A part never sees the arc that it is judged by: the hidden arcs are taken out of the graph before the first
stage is fitted to it and before any part is computed. Every count shrinks with what is hidden, so the share is
small: a graph that lacks much more than in truth is another kind of graph. Where time decides, the hidden arcs
are those of a later period and the graph is the one before it; :class:`Lesson` takes any such pair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from thence.base.errors import ConfigError, FitError
from thence.base.rng import derive_seed, generator
from thence.encode.scorer import Scorer
from thence.graph import Arcs, DiGraph
from thence.graph.split import split_arcs
from thence.rerank.candidates import Finder
from thence.rerank.parts import columns, part_table

Retrieve = Callable[[DiGraph], Scorer]
BATCH = 256


@dataclass(frozen=True)
class RerankConfig:
    """Settings of a re-ranker.

    Args:
        candidates: how many the first stage gives for each source; counts beside it give more.
        hidden: share of the known arcs that a fold hides.
        folds: how often that is done anew; each fits the first stage once.
        whole_pairs: hide both directions of a pair together, for a test that does so.
        known: known arcs are candidates too (purchases repeat), instead of being left out. Lessons of hidden
            arcs ask for new ones all the same; what repeats is learned from lessons that are given.
        negatives: share of the candidates that were not hidden which are kept to learn from.
        trees: how many.
        leaves: of each tree.
        rate: learning rate.
        sources: at most so many sources of a lesson are learned from.

    Raises:
        ConfigError: a setting is out of range.
    """

    candidates: int = 200
    hidden: float = 0.1
    folds: int = 3
    whole_pairs: bool = False
    known: bool = False
    negatives: float = 0.15
    trees: int = 300
    leaves: int = 31
    rate: float = 0.08
    sources: int = 10_000

    def __post_init__(self) -> None:
        shares = 0 < self.hidden < 1 and 0 < self.negatives <= 1 and self.rate > 0
        if not shares or min(self.candidates, self.folds, self.trees, self.sources) < 1 or self.leaves < 2:
            raise ConfigError(
                f"out of range: {self}", fix="Shares lie between 0 and 1, numbers are at least 1."
            )


@dataclass(frozen=True, eq=False)
class Lesson:
    """A graph and the arcs that are hidden from it.

    Args:
        graph: what parts are computed on; it has none of the hidden arcs unless known arcs are candidates.
        hidden: arcs to find; their weights say how much each counts.
    """

    graph: DiGraph
    hidden: Arcs


@dataclass(frozen=True, eq=False)
class Examples:
    """Pairs to learn from.

    Args:
        table: ``[num, columns]`` float32 parts.
        label: ``[num]`` bool, the pair was hidden.
        weight: ``[num]`` float32, 1 in the mean.
        names: of the columns.
        found: share of the hidden arcs that were candidates.
        scale: the first stage's score as log odds of an arc: slope and offset.
    """

    table: np.ndarray
    label: np.ndarray
    weight: np.ndarray
    names: tuple[str, ...]
    found: float
    scale: tuple[float, float]


def hidden_lessons(graph: DiGraph, config: RerankConfig, seed: int = 0) -> Iterator[Lesson]:
    """Lessons from one graph: each hides another random share of the main relation's arcs.

    Example:
        >>> from thence.base.ids import IdMap
        >>> arcs = Arcs.from_pairs([0, 1, 2, 3], [1, 2, 3, 0], num_nodes=4)
        >>> graph = DiGraph(IdMap("abcd"), {"bought_after": arcs})
        >>> lesson = next(hidden_lessons(graph, RerankConfig(hidden=0.25)))
        >>> lesson.graph.main.num_arcs, lesson.hidden.num_arcs
        (3, 1)
    """
    name = next(iter(graph.relations))
    for fold in range(config.folds):
        shares = (1 - config.hidden, 0.0, config.hidden)
        split = split_arcs(graph.main, shares, derive_seed(seed, "hide", fold), leak_free=config.whole_pairs)
        ones = split.test.with_value("weight", np.ones(split.test.num_arcs, np.float32))
        yield Lesson(replace(graph, relations={**graph.relations, name: split.train}), ones)


def examples(lesson: Lesson, first: Scorer, config: RerankConfig, seed: int = 0) -> Examples:
    """Candidates of every source that has a hidden arc, with their parts and labels.

    Args:
        lesson: a graph and what is hidden from it.
        first: the first stage, fitted to the lesson's graph.
        config: settings.
        seed: of the draw of negatives.

    Raises:
        FitError: none of the hidden arcs is a candidate.
    """
    finder = Finder(lesson.graph, first, config.candidates, known=config.known, seed=seed)
    sources = np.flatnonzero(lesson.hidden.out_degree)
    asked = int(lesson.hidden.num_arcs)
    if len(sources) > config.sources:
        drawn = generator(seed, "sources").choice(len(sources), config.sources, replace=False)
        sources = np.sort(sources[drawn])
        asked = int(lesson.hidden.out_degree[sources].sum())
    rng, tables, labels, weights, found = generator(seed, "negatives"), [], [], [], 0
    for begin in range(0, len(sources), BATCH):
        at = finder.candidates(sources[begin : begin + BATCH])
        table = part_table(finder.parts, at)
        place = lesson.hidden.positions(np.repeat(at[0], np.diff(at[1])), at[2])
        keep = (place >= 0) | (rng.random(len(place)) < config.negatives)
        tables.append(np.ascontiguousarray(table[keep]))
        labels.append(place[keep] >= 0)
        weights.append(np.where(labels[-1], lesson.hidden.weight[place[keep]], 1.0))
        found += int(labels[-1].sum())
    if not found:
        raise FitError(
            "no hidden arc is among the candidates", where=repr(lesson.graph), fix="Raise candidates or hidden."
        )
    label, weight = np.concatenate(labels), np.concatenate(weights).astype(np.float32)
    weight[label] /= weight[label].mean()
    names = tuple(columns(finder.parts))
    scale = log_odds_scale(lesson, first, sources, seed)
    return Examples(np.concatenate(tables), label, weight, names, found / asked, scale)


def log_odds_scale(
    lesson: Lesson, first: Scorer, sources: np.ndarray, seed: int = 0, limit: int = 256
) -> tuple[float, float]:
    """Slope and offset of the logistic regression of "is hidden" on the first stage's score.

    Over all pairs of at most ``limit`` sources but the known ones. The slope is never negative.
    """
    some = np.sort(generator(seed, "scale").permutation(sources)[:limit])
    scores = first.scores(some).astype(np.float64)
    row, node = np.indices(scores.shape)
    label = lesson.hidden.contains(some[row.ravel()], node.ravel()).reshape(scores.shape)
    use = np.isfinite(scores) & (
        label | ~lesson.graph.main.contains(some[row.ravel()], node.ravel()).reshape(scores.shape)
    )
    x, y = scores[use], label[use]
    return logistic(x, y)


def logistic(x: np.ndarray, y: np.ndarray, steps: int = 30) -> tuple[float, float]:
    """Slope and offset of a logistic regression on one number, by Newton's method with a little ridge.

    Example:
        >>> slope, offset = logistic(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0, 0, 0, 1]))
        >>> slope > 0
        True
    """
    mean, spread = float(x.mean()), float(x.std()) or 1.0
    design = np.stack([(x - mean) / spread, np.ones(len(x))], axis=1)
    rate = np.clip(y.mean(), 1e-9, 1 - 1e-9)
    weights = np.array([0.0, np.log(rate / (1 - rate))])
    for _ in range(steps):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (y - chance) - 1e-3 * weights
        curve = (design * (chance * (1 - chance))[:, None]).T @ design + 1e-3 * np.eye(2)
        step = np.linalg.solve(curve, slope)
        weights = weights + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-6:
            break
    slope = max(float(weights[0]), 1e-3) / spread
    return slope, float(weights[1]) - slope * mean
