"""Ours: directed embeddings by regularised likeness, walks and relations, weighted on arcs that were hidden.

Three steps, none of which needs gradients through the graph:

1. A share of the arcs is hidden, parts are made of the rest (:mod:`parts`), and the hidden arcs teach how much
   each part says for sources of each degree (:mod:`mix`), and what the odds of an arc are (:mod:`calibrate`).
2. The parts are made again of all that is known and weighted so.
3. Their sum, which is never written out, is factored into dual embeddings (:mod:`compress`): retrieval is an
   inner product. :class:`SpectralScorer` keeps the sum itself, for a second stage that need not retrieve.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thence.base.ids import IdMap
from thence.encode.embeddings import Embeddings
from thence.encode.known import check_fittable, forget_unknown, is_known
from thence.encode.spectral.calibrate import Odds, labelled, learn_odds
from thence.encode.spectral.compress import compress
from thence.encode.spectral.mix import Mix, learn_mix, plain_mix, scales
from thence.encode.spectral.operator import Operator
from thence.encode.spectral.parts import PartsConfig, make_parts
from thence.graph import Arcs, DiGraph
from thence.graph.split import split_arcs

HIDDEN_SHARE, LEAST_HIDDEN = 0.2, 20
DIMS, LEAST_DIM = ((20_000, 1024), (100_000, 512)), 256


@dataclass(frozen=True, eq=False, repr=False)
class SpectralScorer:
    """The weighted sum of the parts, exactly. It is a :class:`~thence.encode.Scorer`.

    Args:
        ids: external ids of the nodes.
        parts: operators by name.
        share: ``[parts, num_nodes]`` float32, weight of each part for each source.
        lean: ``[num_nodes]`` float32, what the targets' popularity counts for each source.
        popularity: ``[num_nodes]`` float32, log(1 + in-degree).
        alpha: ``[num_nodes]`` float32, and ``offset`` beside it: from scores to log odds.
        offset: ``[num_nodes]`` float32.
        info: how it came about.
    """

    ids: IdMap
    parts: Mapping[str, Operator]
    share: np.ndarray
    lean: np.ndarray
    popularity: np.ndarray
    alpha: np.ndarray
    offset: np.ndarray
    info: Mapping[str, Any]

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"SpectralScorer({len(self.ids):,} nodes, {len(self.parts)} parts)"

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Log odds ``[len(sources), num_nodes]`` of the arcs from each source to every node."""
        own = np.asarray(sources, np.int64)
        total = self.lean[own][:, None] * self.popularity
        for share, part in zip(self.share, self.parts.values(), strict=True):
            total += share[own][:, None] * part.rows(own)
        return total * self.alpha[own][:, None] + self.offset[own][:, None]

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Log odds ``[len(targets), num_nodes]`` of the arcs from every node to each target."""
        own = np.asarray(targets, np.int64)
        total = self.popularity[own][:, None] * self.lean
        for share, part in zip(self.share, self._turned, strict=True):
            total += share * part.rows(own)
        return total * self.alpha + self.offset

    @cached_property
    def _turned(self) -> list[Operator]:
        return [part.turned() for part in self.parts.values()]

    def embeddings(self, dim: int, *, seed: int = 0) -> Embeddings:
        """Dual embeddings of a given length whose scores are near these.

        The last two of the ``dim`` numbers carry the popularity and the offset exactly.
        """
        source, target = compress(self.parts, self.share, max(dim - 2, 1), seed=seed)
        source = np.column_stack([source * self.alpha[:, None], self.lean * self.alpha, self.offset])
        target = np.column_stack([target, self.popularity, np.ones(len(target))])
        return Embeddings(self.ids, source, target, info={**self.info, "dim": source.shape[1]})


def spectral_scorer(
    graph: DiGraph,
    config: PartsConfig | None = None,
    *,
    hidden: Arcs | None = None,
    whole_pairs: bool = False,
    seed: int = 0,
) -> SpectralScorer:
    """Learn the weights of the parts on hidden arcs and weigh those of the whole graph by them.

    Args:
        graph: what may be known; its main relation is learned.
        config: how parts are made.
        hidden: arcs to learn the weights on that are not in the graph, such as those of the weeks that follow
            it; a fifth of the graph's own, hidden at random, when not given.
        whole_pairs: hide an arc together with its reverse, so that reverses count for no more than they are
            worth to a pair of which nothing is known.
        seed: of what is hidden and drawn.

    A graph of too few arcs to hide some of them has equal weights for all parts, and log odds mean nothing.

    Raises:
        FitError: the main relation has no arcs, a negative weight, or no weight above 0.
    """
    check_fittable(graph)
    config = config or PartsConfig()
    rest, taught = (graph, hidden) if hidden is not None else hide(graph, HIDDEN_SHARE, seed, whole_pairs)
    enough = taught.num_arcs >= LEAST_HIDDEN
    rest = rest if enough else graph
    parts, known = make_parts(rest, config, seed=seed), rest.main
    if enough:
        mix = learn_mix(parts, known, taught, seed=seed)
        odds = _odds(parts, mix, known, taught, seed)
    else:
        mix, odds = plain_mix(len(parts)), Odds((0.0, 0.0), (0.0, 0.0, 0.0))
    if rest is not graph:
        parts, known = make_parts(graph, config, seed=seed), graph.main
    info = {"encoder": "spectral", "parts": asdict(config), "mix": _described(parts, mix)}
    level = mix.level(known.out_degree)
    alpha, offset = odds.at(level, known)
    said = is_known(graph).astype(np.float32)  # of what nothing is known nothing is said, not what is popular
    return SpectralScorer(
        ids=graph.ids,
        parts=parts,
        share=mix.shares(scales(parts, known, seed=seed), known.out_degree),
        lean=mix.lean(known.out_degree) * said,
        popularity=np.log1p(known.in_degree).astype(np.float32),
        alpha=alpha,
        offset=offset * said,
        info=info,
    )


def spectral(
    graph: DiGraph,
    dim: int = 0,
    *,
    rank: int = 512,
    damp: float = 0.25,
    weight_power: float = 0.5,
    whole_pairs: bool = False,
    hidden: Arcs | None = None,
    seed: int = 0,
) -> Embeddings:
    """Directed embeddings of a graph.

    Args:
        graph: what may be known.
        dim: length of the embeddings; 0 chooses 1,024 up to 20,000 nodes, 512 up to 100,000 and 256 beyond;
            never more than there are nodes.
        rank: see :class:`PartsConfig`; likewise ``damp`` and ``weight_power``.
        damp: how strongly arcs between common nodes are damped.
        weight_power: how strongly weights count.
        whole_pairs: see :func:`spectral_scorer`.
        hidden: see :func:`spectral_scorer`.
        seed: of all that is random.

    Example:
        >>> from thence.base.ids import IdMap
        >>> pairs = [(i, j) for i in range(8) for j in range(8, 16) if i + j != 15]  # all but eight
        >>> arcs = Arcs.from_pairs(*zip(*pairs), num_nodes=16)
        >>> graph = DiGraph(IdMap([f"n{k}" for k in range(16)]), {"bought_after": arcs})
        >>> scores = spectral(graph).scores([0])[0]
        >>> bool(scores[15] > scores[1:8].max())  # the missing arc of node 0 beats those against the grain
        True
    """
    config = PartsConfig(rank=rank, damp=damp, weight_power=weight_power)
    scorer = spectral_scorer(graph, config, hidden=hidden, whole_pairs=whole_pairs, seed=seed)
    wide = next((width for nodes, width in DIMS if graph.num_nodes <= nodes), LEAST_DIM)
    embeddings = scorer.embeddings(min(dim or wide, graph.num_nodes), seed=seed)
    return forget_unknown(embeddings, graph)


SPECTRAL_GRID: tuple[dict[str, Any], ...] = ({}, {"damp": 0.0})
"""Settings to choose among on validation."""


def hide(graph: DiGraph, share: float, seed: int, whole_pairs: bool) -> tuple[DiGraph, Arcs]:
    """The graph without a share of its main relation's arcs, drawn at random, and those.

    Args:
        graph: the graph.
        share: of its arcs.
        seed: of what is drawn.
        whole_pairs: hide an arc together with its reverse.

    Example:
        >>> from thence.base.ids import IdMap
        >>> arcs = Arcs.from_pairs([0, 1, 2, 3], [1, 2, 3, 0], num_nodes=4)
        >>> rest, hidden = hide(DiGraph(IdMap("abcd"), {"bought_after": arcs}), 0.25, 0, False)
        >>> rest.main.num_arcs, hidden.num_arcs
        (3, 1)
    """
    name = next(iter(graph.relations))
    parts = split_arcs(graph.main, (1 - share, 0.0, share), seed=seed, leak_free=whole_pairs)
    return DiGraph(graph.ids, {**graph.relations, name: parts.train}, graph.nodes), parts.test


def _odds(parts: Mapping[str, Operator], mix: Mix, known: Arcs, hidden: Arcs, seed: int) -> Odds:
    pairs, label, weight = labelled(known, hidden, seed=seed)
    share = mix.shares(scales(parts, known, seed=seed), known.out_degree)
    lean, popular = mix.lean(known.out_degree), np.log1p(known.in_degree)
    score = np.empty(pairs.shape[1])
    order = np.argsort(pairs[0], kind="stable")
    for at in np.array_split(order, max(1, len(order) // 2048)):
        own, row = np.unique(pairs[0, at], return_inverse=True)
        rows = np.zeros((len(own), known.num_nodes), np.float32)
        for weight_of, part in zip(share, parts.values(), strict=True):
            rows += weight_of[own][:, None] * part.rows(own)
        score[at] = rows[row, pairs[1, at]] + lean[pairs[0, at]] * popular[pairs[1, at]]
    return learn_odds(score, pairs, label, weight, mix.level(known.out_degree), known)


def _described(parts: Mapping[str, Operator], mix: Mix) -> dict[str, Any]:
    weights = {name: [float(w), float(s)] for name, w, s in zip(parts, mix.weight, mix.slope, strict=True)}
    return {"weights": weights, "popularity": list(mix.popularity)}
