"""What follows what: arcs from a device to its accessories, from an accessory to its consumables, and upgrades.

The first purchase of i by a customer leads to a purchase of j with probability p_ij, once, and never the other
way round. For each accessory type of its family a device has K ≥ 1 arcs, P(K ≥ k) = k^-1.5 (a power law of
out-degrees, cut by the size of the type). An accessory that fits the device's series is picked with
probability .7, any accessory of the type otherwise; popular ones first, the place in the list of n sorted by
popularity being ⌊n u²⌋. The device's total

    Σ_j p_ij = affinity · U(.5, 1.5),   shares ∝ Exp(1) · (2 if j fits the series, else 1),   p_ij ≤ .5.

Symmetric complements (two devices of one department; of any where it has one type) stand in both directions
with p = complement · U(.5, 1.5).
Substitutes are the neighbours by price within a type: they are compared in a visit and lose when the other is
discounted, but no purchase follows from them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.base.rng import generator
from thence.events.worlds.catalogue import ACCESSORY, CONSUMABLE, DEVICE, Catalogue
from thence.events.worlds.config import WorldConfig

KINDS = ("accessory", "consumable", "upgrade", "complement")
TO_ACCESSORY, TO_CONSUMABLE, TO_UPGRADE, TO_COMPLEMENT = range(4)
MAX_PROBABILITY = 0.5
OUT_TAIL = 1.5
MAX_PICKS = 64
FITTING_SHARE = 0.7
UPGRADE_RATE = 0.1
UPGRADE_SLOWNESS = 6.0


@dataclass(frozen=True, eq=False, repr=False)
class Affinity:
    """The arcs, sorted by source and target.

    Args:
        arcs: ``[2, num_arcs]`` int64 item ints; row 0 source, row 1 target.
        probability: ``[num_arcs]`` p_ij, the chance that a first purchase of i leads to one of j.
        kind: ``[num_arcs]`` place in :data:`KINDS`.
        basket: ``[num_arcs]`` share of these purchases made in the same order.
        gap_days: ``[num_arcs]`` mean days until the others.
        substitutes: ``[2, num_pairs]`` both directions, sorted.
    """

    arcs: np.ndarray
    probability: np.ndarray
    kind: np.ndarray
    basket: np.ndarray
    gap_days: np.ndarray
    substitutes: np.ndarray


def make_affinity(config: WorldConfig, catalogue: Catalogue, rank: np.ndarray, seed: int) -> Affinity:
    """The arcs of a catalogue.

    Args:
        config: ``affinity``, ``complement``, ``basket_share`` and ``follow_days`` are used.
        catalogue: the items.
        rank: ``[num_items]`` popularity rank from 1; popular accessories are in more arcs.
        seed: seed of the world.
    """
    rng = generator(seed, "world", "affinity")
    parts = [
        _accessories(config.affinity, catalogue, rank, rng),
        _consumables(config.affinity / 2, catalogue, rank, rng),
        _upgrades(config.affinity * UPGRADE_RATE, catalogue, rng),
        _complements(config.complement, catalogue, rng),
    ]
    kind = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
    source, target, probability = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(source * len(catalogue) + target, kind="stable")
    keep = order[probability[order] > 0]
    kind = kind[keep].astype(np.int8)
    upgrade = kind == TO_UPGRADE
    return Affinity(
        arcs=np.stack([source[keep], target[keep]]),
        probability=probability[keep],
        kind=kind,
        basket=np.where(upgrade, 0.0, config.basket_share),
        gap_days=np.where(upgrade, UPGRADE_SLOWNESS, 1.0) * config.follow_days,
        substitutes=_substitutes(catalogue),
    )


Part = tuple[np.ndarray, np.ndarray, np.ndarray]


def _accessories(budget: float, catalogue: Catalogue, rank: np.ndarray, rng: np.random.Generator) -> Part:
    return _to_types(budget, catalogue, rank, rng, (DEVICE, ACCESSORY))


def _consumables(budget: float, catalogue: Catalogue, rank: np.ndarray, rng: np.random.Generator) -> Part:
    return _to_types(budget, catalogue, rank, rng, (ACCESSORY, CONSUMABLE))


def _to_types(
    budget: float, catalogue: Catalogue, rank: np.ndarray, rng: np.random.Generator, roles: tuple[int, int]
) -> Part:
    """Arcs from every item of one role to items of the types that belong to its type."""
    types = catalogue.types
    below = np.flatnonzero(types.role == roles[1])
    child_count = np.bincount(types.parent[below], minlength=len(types))
    child_start = np.cumsum(child_count) - child_count
    children = below[np.argsort(types.parent[below], kind="stable")]
    sources = np.flatnonzero(catalogue.role == roles[0])
    per_source = child_count[catalogue.type[sources]]
    rows = np.repeat(sources, per_source)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(per_source) - per_source, per_source)
    child = children[child_start[catalogue.type[rows]] + place]
    picks = np.minimum(rng.random(len(rows)) ** (-1 / OUT_TAIL), MAX_PICKS).astype(np.int64)
    source, child = np.repeat(rows, picks), np.repeat(child, picks)
    target, fits = _pick(catalogue, rank, source, child, rng)
    key, first = np.unique(source * len(catalogue) + target, return_index=True)
    source, target, fits = source[first], target[first], fits[first]
    raw = rng.exponential(size=len(key)) * np.where(fits, 2.0, 1.0)
    total = budget * rng.uniform(0.5, 1.5, len(catalogue))
    norm = np.bincount(source, raw, minlength=len(catalogue))
    return source, target, np.minimum(total[source] * raw / norm[source], MAX_PROBABILITY)


def _pick(
    catalogue: Catalogue, rank: np.ndarray, source: np.ndarray, child: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """One item of type ``child`` for each row, and whether it was picked because it fits the series."""
    width = int(catalogue.series.max()) + 2
    key = catalogue.type.astype(np.int64) * width + catalogue.series + 1
    by_series, by_type = np.lexsort((rank, key)), np.lexsort((rank, catalogue.type))
    wanted = child.astype(np.int64) * width + catalogue.series[source] + 1
    low, high = (np.searchsorted(key[by_series], wanted, side=side) for side in ("left", "right"))
    start, end = (np.searchsorted(catalogue.type, child, side=side) for side in ("left", "right"))
    fits = (rng.random(len(source)) < FITTING_SHARE) & (high > low) & (catalogue.series[source] >= 0)
    skew = rng.random(len(source)) ** 2
    from_series = by_series[np.where(fits, low + (skew * (high - low)).astype(np.int64), 0)]
    from_type = by_type[start + (skew * (end - start)).astype(np.int64)]
    return np.where(fits, from_series, from_type), fits


def _upgrades(mean: float, catalogue: Catalogue, rng: np.random.Generator) -> Part:
    """From each generation of a series to the next; items of a series are neighbours in number."""
    source = np.flatnonzero(catalogue.generation > 0)
    source = source[source + 1 < len(catalogue)]
    next_one = (catalogue.series[source] == catalogue.series[source + 1]) & (
        catalogue.generation[source + 1] == catalogue.generation[source] + 1
    )
    source = source[next_one]
    return source, source + 1, np.minimum(mean * rng.uniform(0.5, 1.5, len(source)), MAX_PROBABILITY)


def _complements(mean: float, catalogue: Catalogue, rng: np.random.Generator) -> Part:
    """Pairs of devices of different types, about one a device, in both directions."""
    devices = np.flatnonzero(catalogue.role == DEVICE)
    by_department = devices[np.argsort(catalogue.department[devices], kind="stable")]
    department = catalogue.department[by_department]
    low, high = (np.searchsorted(department, department, side=side) for side in ("left", "right"))
    alone = catalogue.type[by_department[low]] == catalogue.type[by_department[high - 1]]
    low, high = np.where(alone, 0, low), np.where(alone, len(devices), high)
    other = by_department[low + (rng.random(len(devices)) * (high - low)).astype(np.int64)]
    pair = np.sort(np.stack([by_department, other]), axis=0)
    pair = pair[:, catalogue.type[pair[0]] != catalogue.type[pair[1]]]
    pair = np.unique(pair, axis=1) if pair.size else pair
    probability = np.minimum(mean * rng.uniform(0.5, 1.5, pair.shape[1]), MAX_PROBABILITY)
    return (
        np.concatenate([pair[0], pair[1]]),
        np.concatenate([pair[1], pair[0]]),
        np.tile(probability, 2),
    )


def _substitutes(catalogue: Catalogue) -> np.ndarray:
    """Within a type, each item with the next and the next but one by price, in both directions."""
    order = np.lexsort((catalogue.price, catalogue.type))
    pairs = []
    for step in (1, 2):
        one, other = order[:-step], order[step:]
        same = catalogue.type[one] == catalogue.type[other]
        pairs += [np.stack([one[same], other[same]]), np.stack([other[same], one[same]])]
    both = np.concatenate(pairs, axis=1)
    return both[:, np.argsort(both[0] * len(catalogue) + both[1], kind="stable")]
