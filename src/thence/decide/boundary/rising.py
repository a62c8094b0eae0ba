"""The best places, one for each level, that never fall from level to level."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from thence.decide.boundary.exact import both
from thence.decide.boundary.kernel import combine_rising
from thence.decide.boundary.relax import critical_rate, least_gain, tolerance
from thence.decide.boundary.stack import reachable
from thence.decide.goal import Goal

ROUNDS = 5


def rising_places(
    taken: np.ndarray,
    positives: np.ndarray,
    goal: Goal,
    sizes: tuple[int, int],
    known: list[int] | None = None,
) -> list[int] | None:
    """Best places that never fall from level to level.

    Args:
        taken: ``[levels, places]`` int64, cases of each level at each place of a common grid, from none to all.
        positives: likewise.
        goal: what is sought.
        sizes: cases and positive cases in the sample.
        known: places of any boundary that keeps the bound, also one that falls; only better ones matter.

    Returns:
        Places ``[levels]``; None where none is as good as those known.

    Raises:
        FitError: no boundary keeps the goal's bound.

    Example:
        >>> taken, positives = np.array([[0, 1, 2], [0, 1, 2]]), np.array([[0, 1, 2], [0, 1, 1]])
        >>> rising_places(taken, positives, Goal.recall(precision=1.0), (4, 3))
        [1, 1]
        >>> rising_places(taken[::-1], positives[::-1], Goal.recall(precision=1.0), (4, 3))
        [1, 2]
    """
    keep = promising(taken, positives, goal, sizes, known)
    if not keep.any(axis=1).all():
        return None
    used = np.flatnonzero(keep.any(axis=0))
    n, t = np.take(taken, used, axis=1), np.take(positives, used, axis=1)
    keep = np.take(keep, used, axis=1)
    low = np.where(keep, t, np.iinfo(np.int64).max).min(axis=1)
    size, loss = np.where(keep, t - low[:, None], 0), np.where(keep, n - t, 0).astype(np.int32)

    def forward(levels: int) -> np.ndarray:
        table = np.full((len(used), 1), 0, np.int32)
        for level in range(levels):
            width = table.shape[1] + int(size[level].max())
            table = combine_rising(table, keep[level], size[level], loss[level], width)
        return table

    table = forward(len(n))
    sums = reachable(table[-1])
    hits = sums + int(low.sum())
    total = int(sums[goal.pick(hits + table[-1][sums], hits, *sizes)])
    places, reached = [], len(used) - 1
    for level in reversed(range(len(n))):
        reached = int(np.argmax(table[: reached + 1, total] == table[reached, total]))
        places.append(int(used[reached]))
        total -= int(size[level, reached])
        table = forward(level)
    return places[::-1]


def promising(
    taken: np.ndarray, positives: np.ndarray, goal: Goal, sizes: tuple[int, int], known: list[int] | None
) -> np.ndarray:
    """Whether a level's place may be in an optimum, ``[levels, places]`` bool."""
    rows = list(taken), list(positives)

    def most(rate: float) -> list[int]:
        gain = positives - rate * taken
        best, places = _best_before(gain), []
        reached = gain.shape[1]
        for level in reversed(range(len(gain))):
            reached = int(np.argmax((gain[level] + best[level])[:reached])) + 1
            places.append(reached - 1)
        return places[::-1]

    rate = critical_rate(goal, lambda rate: both(*rows, most(rate)), *sizes)
    better = climb_runs(taken, positives, most(rate), goal, sizes)
    n, t = np.array([both(*rows, places) for places in (better, known or better)]).T
    worth = float(goal.worth(n, t).max())
    gain = positives - rate * taken
    after = _best_before(gain[::-1, ::-1])[::-1, ::-1]
    through = _best_before(gain) + gain + after
    return through >= least_gain(goal, rate, worth, *sizes) - tolerance(sizes[0])


def climb_runs(
    taken: np.ndarray, positives: np.ndarray, places: list[int], goal: Goal, sizes: tuple[int, int]
) -> list[int]:
    """Better places that never fall, by moving some levels that follow each other to one place at a time.

    Args:
        taken: ``[levels, places]`` int64.
        positives: likewise.
        places: to start from; they keep the goal's bound.
        goal: what is sought.
        sizes: cases and positive cases in the sample.
    """
    places = list(places)
    count, top = taken.shape
    for _ in range(ROUNDS):
        start = list(places)
        for i, j in combinations(range(count + 1), 2):
            low = places[i - 1] if i else 0
            high = places[j] + 1 if j < count else top
            others = [k for k in range(count) if not i <= k < j]
            n = taken[others, [places[k] for k in others]].sum() + taken[i:j, low:high].sum(axis=0)
            t = positives[others, [places[k] for k in others]].sum() + positives[i:j, low:high].sum(axis=0)
            now = both(list(taken), list(positives), places)
            best = goal.pick(np.append(now[0], n), np.append(now[1], t), *sizes)
            if best:
                places[i:j] = [low + best - 1] * (j - i)
        if places == start:
            break
    return places


def _best_before(gain: np.ndarray) -> np.ndarray:
    """Greatest gain of the levels before, where none of them is at a higher place; ``[levels, places]``."""
    best = np.zeros_like(gain)
    for level in range(1, len(gain)):
        best[level] = np.maximum.accumulate(best[level - 1] + gain[level - 1])
    return best
