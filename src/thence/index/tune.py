"""How hard to look: the least work that reaches a recall on sampled queries.

Work is counted, not timed, so that the same data and seed give the same index. The recall must be reached by
the mean less one standard error, since what is chosen on a sample looks a little better there than elsewhere;
what is reported is measured on other queries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.base.errors import ConfigError
from thence.index.ann import Side
from thence.index.engine.engine import Effort
from thence.index.filters import Filter
from thence.index.kernels import score_each
from thence.index.recall import TOLERANCE
from thence.index.scan import NO_SCORES
from thence.index.space import Space

POOLS = (1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
"""Candidates for each answer."""


@dataclass(frozen=True)
class Choice:
    """An effort, what it finds on the queries that it was chosen on, and its reckoned nanoseconds a query.

    ``reached`` says whether the recall that was asked for was.
    """

    effort: Effort
    recall: float
    cost: float
    reached: bool


def choose_effort(
    side: Side, space: Space, nodes: np.ndarray, exact: np.ndarray, k: int, target: float
) -> Choice:
    """The cheapest effort that reaches a recall, or the one that comes nearest.

    Args:
        side: the structure over the answers.
        space: the question.
        nodes: query nodes to choose by.
        exact: ``[Q, k]`` scores of their exact answers.
        k: answers a query.
        target: recall@k to reach.

    Raises:
        ConfigError: k is more than the structure can be asked for.
    """
    asked = np.ascontiguousarray(space.asking[nodes])
    bar = Filter.of(nodes, len(space.rows), alive=None, allowed=None, exclude=None)
    most = max(k + 1, side.engine.num_rows // 4)
    pools = sorted({min(most, int(np.ceil(factor * k)) + 1) for factor in POOLS})
    best: Choice | None = None
    nearest: Choice | None = None
    for reach in side.engine.reaches:
        fit = [pool for pool in pools if pool <= side.engine.most(reach)]
        if not fit:
            continue
        if best is not None and side.engine.cost(reach, fit[0]) >= best.cost:
            break
        found = side.engine.candidates(side.ask(asked, space.question), fit[-1], reach)
        mean, error = _recall_by_pool(found, side, space, asked, bar, exact)
        for pool in fit:
            at, cost = pool - 1, side.engine.cost(reach, pool)
            choice = Choice(Effort(reach, pool, k), float(mean[at]), cost, bool(mean[at] - error[at] >= target))
            if choice.reached and (best is None or cost < best.cost):
                best = choice
            if nearest is None or choice.recall > nearest.recall:
                nearest = choice
    chosen = best or nearest
    if chosen is None:
        raise ConfigError(f"k={k} is more than {side.engine!r} can be asked for", fix="Choose another kind.")
    return chosen


def _recall_by_pool(
    found: np.ndarray, side: Side, space: Space, asked: np.ndarray, bar: Filter, exact: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean recall ``[P]`` when the first 1 … P candidates are scored, and its standard error."""
    plus = NO_SCORES if space.bias is None else space.bias
    scores = score_each(asked, found, side.node_of, space.rows, plus, bar.barred)
    exist = np.isfinite(exact).sum(axis=1)
    last = np.take_along_axis(exact, np.maximum(exist - 1, 0)[:, None], axis=1)
    hit = np.isfinite(scores) & (scores >= last - TOLERANCE * np.abs(last))
    share = np.minimum(np.cumsum(hit, axis=1), exist[:, None]) / np.maximum(exist, 1)[:, None]
    return share.mean(axis=0), share.std(axis=0) / np.sqrt(len(share))
