"""One model for three questions: what to list, whether an arc exists, and which way it points.

The spectral score alone ranks each list; between lists, and far down in them, it knows little of pairs that
share no evidence at all. A logistic regression on hidden arcs adds what does: the logarithm of item CF with
reverse arcs, which tells little evidence from none, and the degrees of the source,

    log odds_ij = c_0 + c_1 x_ij + c_2 log CF_ij + c_3 log(1 + in_i) + c_4 log(1 + out_i) ,

against random pairs and against the reverses of hidden one-way arcs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from thence.base.ids import IdMap
from thence.base.rng import derive_seed
from thence.encode.baseline.cf_reverse import cf_reverse
from thence.encode.blend import Blend, fit_blend
from thence.encode.scorer import Scorer
from thence.encode.spectral.calibrate import labelled
from thence.encode.spectral.model import hide, spectral_scorer
from thence.encode.spectral.parts import PartsConfig
from thence.graph import DiGraph

HIDDEN_SHARE, DAMP = 0.15, 0.3


@dataclass(frozen=True, eq=False)
class OfSource:
    """A number that every arc of a source has: it compares lists and changes none.

    Example:
        >>> OfSource(IdMap("ab"), np.array([1.0, 2.0])).scores([1]).tolist()
        [[2.0, 2.0]]
    """

    ids: IdMap
    value: np.ndarray

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """``[len(sources), num_nodes]``, each row one number."""
        own = self.value[np.asarray(sources, np.int64)].astype(np.float32)
        return np.repeat(own[:, None], len(self.ids), axis=1)

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """``[len(targets), num_nodes]``, all rows alike."""
        return np.repeat(self.value.astype(np.float32)[None, :], len(np.asarray(targets)), axis=0)


def arc_odds(
    graph: DiGraph, config: PartsConfig | None = None, *, whole_pairs: bool = False, seed: int = 0
) -> Blend:
    """Log odds of every possible arc.

    Args:
        graph: what may be known.
        config: how the parts of the spectral score are made.
        whole_pairs: hide an arc together with its reverse.
        seed: of what is hidden and drawn.

    Raises:
        FitError: the main relation has no arcs, a negative weight, or no weight above 0.
        DataError: there are too few arcs to hide some of them.

    Example:
        >>> from thence.graph import Arcs
        >>> pairs = [(i, j) for i in range(8) for j in range(8, 16) if i + j != 15]  # all but eight
        >>> arcs = Arcs.from_pairs(*zip(*pairs), num_nodes=16)
        >>> odds = arc_odds(DiGraph(IdMap([f"n{k}" for k in range(16)]), {"bought_after": arcs}))
        >>> forward, backward = odds.pairs([0, 15], [15, 0])
        >>> bool(forward > backward)
        True
    """
    rest, hidden = hide(graph, HIDDEN_SHARE, derive_seed(seed, "odds"), whole_pairs)
    pairs, label, _ = labelled(rest.main, hidden, seed=seed)
    taught = fit_blend(
        _opinions(rest, config, whole_pairs, seed), pairs[:, label == 1], pairs[:, label == 0], logarithm=["cf"]
    )
    return replace(taught, scorers=_opinions(graph, config, whole_pairs, seed))


def _opinions(graph: DiGraph, config: PartsConfig | None, whole_pairs: bool, seed: int) -> dict[str, Scorer]:
    main = graph.main
    return {
        "spectral": spectral_scorer(graph, config, whole_pairs=whole_pairs, seed=seed),
        "cf": cf_reverse(graph, weight=0.5, power=DAMP),
        "in-degree": OfSource(graph.ids, np.log1p(main.in_degree)),
        "out-degree": OfSource(graph.ids, np.log1p(main.out_degree)),
    }
