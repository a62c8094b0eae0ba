"""How much each part says: weights learned on arcs that the parts have not seen.

    x_ij = Σ_p (w_p + w'_p z_i) P_p(i, j) / scale_p + (β + β' z_i) log(1 + in-degree_j)

with z_i the standardised log out-degree of the source, so that what a rare product's score leans on may differ
from what a common one's does, and scale_p the mean over sources of the part's largest entry, taken of the parts
at hand: parts of a denser graph are larger. The loss (:func:`~thence.encode.loss.top_loss`) looks at the top of
each list, over what any part puts forward and some nodes drawn at random, known arcs left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from thence.base.rng import generator
from thence.encode.loss import top_loss
from thence.encode.spectral.operator import Operator
from thence.graph import Arcs

SOURCES, FORWARD, DRAWN, BLOCK = 1_500, 40, 200, 20_000_000
Parts = Mapping[str, Operator]


@dataclass(frozen=True, eq=False)
class Mix:
    """Weights of the parts.

    Args:
        weight: ``[parts]``, in units of the part's scale.
        slope: ``[parts]``, how the weight changes with z.
        popularity: β and β'.
        center: mean and standard deviation of the log out-degree.
    """

    weight: np.ndarray
    slope: np.ndarray
    popularity: tuple[float, float]
    center: tuple[float, float]

    def shares(self, scale: np.ndarray, out_degree: np.ndarray) -> np.ndarray:
        """``[parts, nodes]`` float32 weights at each source, of parts with such scales."""
        share = self.weight[:, None] + self.slope[:, None] * self.level(out_degree)
        return (share / scale[:, None]).astype(np.float32)

    def lean(self, out_degree: np.ndarray) -> np.ndarray:
        """``[nodes]`` float32: what the targets' popularity counts for each source."""
        return (self.popularity[0] + self.popularity[1] * self.level(out_degree)).astype(np.float32)

    def level(self, out_degree: np.ndarray) -> np.ndarray:
        """z: the standardised log out-degree, within three deviations."""
        return np.clip((np.log1p(out_degree) - self.center[0]) / self.center[1], -3, 3)


def plain_mix(num_parts: int) -> Mix:
    """All parts alike: what there is to say where no arcs can be hidden."""
    return Mix(np.ones(num_parts), np.zeros(num_parts), (0.0, 0.0), (0.0, 1.0))


@dataclass(frozen=True, eq=False)
class Lists:
    """Candidates of S sources, at most C each.

    Args:
        values: ``[parts, S, C]`` the parts' entries, in units of their scales.
        target: ``[S, C]`` share of all hidden arcs.
        log_weight: ``[S, C]`` added in a softmax's denominator; -inf where there is no candidate.
        level: ``[S]`` z of the source.
        popularity: ``[S, C]`` log(1 + in-degree) of the candidate.
    """

    values: Tensor
    target: Tensor
    log_weight: Tensor
    level: Tensor
    popularity: Tensor


def learn_mix(
    parts: Parts, known: Arcs, hidden: Arcs, *, decay: float = 1e-4, power: float = 0.8, seed: int = 0
) -> Mix:
    """Learn the weights of parts that were made of ``known`` on arcs of ``hidden``.

    Args:
        parts: by name.
        known: arcs that the parts have seen.
        hidden: arcs that they have not; each counts by its weight.
        decay: of the ridge on the weights.
        power: of the loss; 0 is the cross-entropy, 1 the mean chance that the softmax gives to what is right.
        seed: of the sources and candidates drawn.
    """
    level = np.log1p(known.out_degree[hidden.pairs[0]])
    center = (float(level.mean()), max(float(level.std()), 1e-3))
    count = len(parts)
    start = Mix(np.ones(count), np.zeros(count), (0.0, 0.0), center)
    lists = make_lists(parts, known, hidden, start, seed)
    unknown = torch.zeros(2 * count + 2, dtype=torch.float64)
    unknown[:count] = 1.0
    unknown.requires_grad_()
    optimizer = torch.optim.LBFGS([unknown], max_iter=200, history_size=20, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = top_loss(mixed(lists, unknown.float()), lists.target, lists.log_weight, power)
        loss = loss + decay * unknown.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)  # type: ignore[arg-type]
    found = unknown.detach().numpy()
    return Mix(found[:count], found[count:-2], (float(found[-2]), float(found[-1])), center)


def mixed(lists: Lists, unknown: Tensor) -> Tensor:
    """Scores ``[S, C]`` of the candidates; the unknowns are w, w', β, β' in a row."""
    count = len(lists.values)
    weight, slope, lean = unknown[:count], unknown[count:-2], unknown[-2:]
    plain = torch.tensordot(weight, lists.values, 1)
    sloping = torch.tensordot(slope, lists.values, 1) * lists.level[:, None]
    return plain + sloping + (lean[0] + lean[1] * lists.level)[:, None] * lists.popularity


def scales(parts: Parts, known: Arcs, *, seed: int = 0, num: int = 512) -> np.ndarray:
    """``[parts]``: the mean over some sources of each part's largest entry among what is not known."""
    sources = np.flatnonzero(known.out_degree)
    size = min(num, len(sources), max(BLOCK // known.num_nodes, 8))
    sources = np.sort(generator(seed, "scales").choice(sources, size, replace=False))
    shut = _shut(known, sources)
    tops = [np.where(shut, 0.0, part.rows(sources)).max(axis=1).mean() for part in parts.values()]
    return np.maximum(np.array(tops), 1e-9)


def make_lists(parts: Parts, known: Arcs, hidden: Arcs, mix: Mix, seed: int) -> Lists:
    """Candidates of some sources: the hidden targets, what any part puts forward, and nodes drawn at random."""
    rng = generator(seed, "lists")
    sources = np.flatnonzero(hidden.out_degree)
    sources = np.sort(rng.choice(sources, min(SOURCES, len(sources)), replace=False))
    scale = scales(parts, known, seed=seed).astype(np.float32)[:, None, None]
    pieces = list(_pieces(parts, known, hidden, sources, rng))
    width = max(chosen.shape[1] for chosen, *_ in pieces)
    chosen, values, target, weight = (
        np.concatenate([_wide(piece[k], width, fill) for piece in pieces], axis=-2)
        for k, fill in enumerate((0, 0.0, 0.0, -np.inf))
    )
    level = mix.level(known.out_degree[sources])
    arrays = (values / scale, target / target.sum(), weight, level, np.log1p(known.in_degree)[chosen])
    return Lists(*(torch.from_numpy(np.ascontiguousarray(array, np.float32)) for array in arrays))


def _pieces(
    parts: Parts, known: Arcs, hidden: Arcs, sources: np.ndarray, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, ...]]:
    """Candidates, the parts' values, the right ones and log weights, of some sources at a time."""
    num_nodes = known.num_nodes
    each, rate = min(FORWARD, num_nodes), min(DRAWN / num_nodes, 1.0)
    for own in np.array_split(sources, max(1, len(sources) * num_nodes * len(parts) // (8 * BLOCK))):
        shut, right = _shut(known, own), hidden.matrix()[own].toarray()
        rows = [part.rows(own) for part in parts.values()]
        certain = right > 0
        for row in rows:
            top = np.argpartition(np.where(shut, -np.inf, row), num_nodes - each, axis=1)[:, num_nodes - each :]
            np.put_along_axis(certain, top, True, axis=1)
        kept = (certain | (rng.random(shut.shape) < rate)) & ~shut
        chosen = np.argsort(~kept, axis=1, kind="stable")[:, : int(kept.sum(1).max(initial=1))]
        real, sure = (np.take_along_axis(which, chosen, 1) for which in (kept, certain))
        weight = np.where(real, np.where(sure, 0.0, -np.log(rate)), -np.inf)
        values = np.stack([np.take_along_axis(row, chosen, 1) for row in rows])
        yield chosen, values, np.take_along_axis(right, chosen, 1) * real, weight


def _wide(array: np.ndarray, width: int, fill: float) -> np.ndarray:
    """The last axis filled up to a width."""
    room = [(0, 0)] * (array.ndim - 1) + [(0, width - array.shape[-1])]
    return np.pad(array, room, constant_values=fill)


def _shut(known: Arcs, sources: np.ndarray) -> np.ndarray:
    """``[S, n]`` bool: no candidates, being known arcs or the source itself."""
    shut = known.matrix()[sources].toarray() != 0
    shut[np.arange(len(sources)), sources] = True
    return shut
