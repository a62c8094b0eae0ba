"""Boundaries found by trying all of them, with whole numbers and fractions alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np

from thence.decide.goal import Goal, Kind
from thence.decide.rule import Outcome, Rule, Thresholds, outcome
from thence.decide.sample import Sample

Pair = tuple[int, int]  # cases taken, positives among them
Best = tuple[Fraction, int]  # worth, cases taken
BOUNDS: dict[Kind, list[Fraction]] = {
    "recall": [Fraction(1, 2), Fraction(2, 3), Fraction(3, 4), Fraction(9, 10), Fraction(1)],
    "precision": [Fraction(1, 5), Fraction(1, 3), Fraction(1, 2), Fraction(3, 4), Fraction(1)],
    "cost": [Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(2)],
    "budget": [Fraction(1, 10), Fraction(1, 4), Fraction(1, 2), Fraction(1)],
}


def tiny(seed: int, most: int = 12, levels: int = 4) -> Sample:
    """A few cases with equal scores and equal uncertainties among them."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, most + 1))
    score = rng.integers(0, rng.integers(1, 8) + 1, n) / 4
    return Sample.make(score, rng.integers(0, rng.integers(1, levels + 1), n), rng.random(n) < rng.random())


def goals(seed: int) -> list[tuple[Goal, Fraction]]:
    """One goal of each kind, with its bound as a fraction."""
    rng = np.random.default_rng([seed, 1])
    drawn = {kind: bounds[int(rng.integers(len(bounds)))] for kind, bounds in BOUNDS.items()}
    return [(Goal(kind, float(bound)), bound) for kind, bound in drawn.items()]


def worth(pair: Pair, goal: Goal, bound: Fraction) -> Fraction:
    taken, positives = pair
    if goal.kind == "precision":
        return Fraction(positives, taken) if taken else Fraction(0)
    if goal.kind == "cost":
        return positives - bound * (taken - positives)
    return Fraction(positives)


def keeps(pair: Pair, goal: Goal, bound: Fraction, sample: Sample) -> bool:
    taken, positives = pair
    if goal.kind == "recall":
        return positives >= bound * taken
    if goal.kind == "precision":
        return positives >= bound * sample.positives
    return goal.kind == "cost" or taken <= bound * len(sample)


def best(pairs: Iterable[Pair], goal: Goal, bound: Fraction, sample: Sample) -> Best:
    """Greatest worth of the pairs that keep the bound, and the fewest taken for it."""
    kept = {pair for pair in pairs if keeps(pair, goal, bound, sample)}
    found = max((worth(pair, goal, bound), -pair[0]) for pair in kept)
    return found[0], -found[1]


def reached(rule: Rule, goal: Goal, bound: Fraction, sample: Sample) -> Best:
    """The same of what a rule does; infinitely bad where it breaks the bound."""
    did = outcome(rule, sample)
    if not keeps((did.taken, did.hits), goal, bound, sample):
        return Fraction(-(10**9)), 0
    return worth((did.taken, did.hits), goal, bound), did.taken


def rows_of(sample: Sample, cuts: Sequence[float] | np.ndarray) -> list[list[tuple[float, int]]]:
    """Scores and labels of each level."""
    found: list[list[tuple[float, int]]] = [[] for _ in range(len(cuts) + 1)]
    for score, unsure, label in zip(sample.score, sample.uncertainty, sample.label, strict=True):
        found[sum(unsure >= cut for cut in cuts)].append((float(score), int(label)))
    return found


def above(rows: list[tuple[float, int]], threshold: float) -> Pair:
    """What a threshold takes of some rows."""
    labels = [label for score, label in rows if score >= threshold]
    return len(labels), sum(labels)


def total(pairs: Iterable[Pair]) -> Pair:
    taken, positives = zip(*pairs, strict=True)
    return sum(taken), sum(positives)


def all_pairs(sample: Sample, cuts: np.ndarray, order: int = 0) -> set[Pair]:
    """What every tuple of thresholds takes; only rising (order 1) or falling (-1) ones where asked."""
    levels = rows_of(sample, cuts)
    if not order:
        each = [{above(rows, at) for at in [math.inf, *(score for score, _ in rows)]} for rows in levels]
        return {total(chosen) for chosen in itertools.product(*each)}
    grid = sorted({*sample.score.tolist(), math.inf})
    tuples = itertools.combinations_with_replacement(grid, len(levels))
    return {
        total(above(rows, at) for rows, at in zip(levels[::order], chosen, strict=True)) for chosen in tuples
    }


def did(rule: Thresholds, sample: Sample) -> Outcome:
    """What thresholds do, level by level, without the rule's own code."""
    taken, positives = total(
        above(rows, at) for rows, at in zip(rows_of(sample, rule.cuts), rule.threshold, strict=True)
    )
    return Outcome(taken, positives, len(sample), sample.positives)
