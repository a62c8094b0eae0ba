"""Examples for the trees of a timely re-ranker: what came after a clock, and what did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from thence.base.errors import ConfigError, FitError
from thence.base.rng import generator
from thence.graph import Arcs
from thence.rerank.learn import Examples, RerankConfig
from thence.rerank.parts import columns
from thence.rerank.walks import Candidates

if TYPE_CHECKING:
    from thence.rerank.timely import Known

LESSON = RerankConfig(candidates=60, negatives=0.5, trees=120, leaves=31, rate=0.06)


def lesson_examples(lesson: Known, config: RerankConfig = LESSON, seed: int = 0) -> Examples:
    """Candidates of every source that something came after, with their parts and how often they came.

    Args:
        lesson: what was known, and what came after it.
        config: settings.
        seed: of the draw of negatives.

    Raises:
        ConfigError: nothing came after it.
        FitError: nothing that came after it is among the candidates.
    """
    after = lesson.after
    if after is None:
        raise ConfigError("a lesson without anything that came after", fix="Give Known(..., after=arcs).")
    rng, tables, labels, weights = generator(seed, "timely", "negatives"), [], [], []
    for at, table in lesson.tables(np.flatnonzero(after.out_degree), config.candidates):
        came = weights_of(after, source_of(at), at[2])
        keep = (came > 0) | (rng.random(len(came)) < config.negatives)
        tables.append(table[keep])
        labels.append(came[keep] > 0)
        weights.append(np.where(came[keep] > 0, came[keep], 1.0))
        if lesson.against is not None:
            doubt = config.negatives * weights_of(lesson.against, source_of(at), at[2])
            tables.append(table[doubt > 0])
            labels.append(np.zeros(len(tables[-1]), bool))
            weights.append(doubt[doubt > 0])
    label = np.concatenate(labels) if labels else np.zeros(0, bool)
    if not label.any():
        raise FitError("nothing that came after is among the candidates", fix="Raise candidates.")
    weight = np.concatenate(weights).astype(np.float32)
    found = float(weight[label].sum() / after.weight.sum())
    names = tuple(columns(lesson.parts))
    return Examples(np.concatenate(tables), label, weight, names, found, (1.0, 0.0))


def source_of(at: Candidates) -> np.ndarray:
    """The source of each candidate."""
    return np.repeat(at[0], np.diff(at[1]))


def weights_of(arcs: Arcs, source: np.ndarray, target: np.ndarray, value: str = "weight") -> np.ndarray:
    """A value of each pair's arc, 0 where there is none."""
    if not arcs.num_arcs:
        return np.zeros(len(target), np.float32)
    place = arcs.positions(source, target)
    return np.where(place >= 0, arcs.values[value][np.maximum(place, 0)], 0).astype(np.float32)
