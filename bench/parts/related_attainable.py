"""What anybody could reach in a simulated world: the ranking of one who knows its law and reads its log.

The truth's own ranking (:class:`~parts.related_temporal.Ceiling`) knows which arcs there are. A method does
not; it sees what few customers did. The best that can be made of that is the posterior mean of each arc's
probability, given the law by which worlds draw their arcs (``thence.events.worlds.affinity``) and all views
that followed from purchases before the clock,

    score(i → j) = E[ p_ij | views ] · exposure_ij ,

with exposure_ij how many purchases in the test period the arc would lead to were it certain. Nobody ranks
better: this one also knows types, series and ranks without having to read titles, is told of every view whether
and from which purchase it followed, which no log says, and who buys the sources in the test period. So it is a
bound from above, and no method.

For accessories and consumables the posterior is drawn by a Markov chain over the picks of each source
(:mod:`parts.related_attainable_kernel`); for upgrades and complements it is an integral over one number.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from parts.related_attainable_kernel import posterior
from thence.base.ids import IdMap
from thence.events.worlds import World, WorldConfig, simulate
from thence.events.worlds.affinity import (
    FITTING_SHARE,
    MAX_PROBABILITY,
    TO_COMPLEMENT,
    UPGRADE_RATE,
    UPGRADE_SLOWNESS,
)
from thence.events.worlds.catalogue import ACCESSORY, DEVICE, Catalogue, make_catalogue
from thence.events.worlds.config import DAY
from thence.events.worlds.ownership import FOLLOWED_RATE

SWEEPS, BURN = 2_000, 200
GRID = np.linspace(0.5, 1.5, 201)


@dataclass(frozen=True, eq=False)
class Attainable:
    """The posterior's ranking among a graph's nodes; the world is made again where and when it is asked.

    Args:
        shape: the world's settings.
        seed: its seed.
        since: the clock.
        ids: of the graph's nodes.
    """

    shape: WorldConfig
    seed: int
    since: int
    ids: IdMap

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Scores ``[len(sources), num_nodes]``."""
        own = np.asarray(sources, np.int64)
        found = np.zeros((len(own), len(self.ids)), np.float32)
        for row, source in enumerate(self._items[own]):
            items, values = self._seen.row(int(source))
            place = self._nodes[items]
            found[row, place[place >= 0]] = values[place >= 0]
        return found

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Scores ``[len(targets), num_nodes]``, of which only the sources' own are known."""
        raise NotImplementedError("this ranking is one of targets alone")

    @cached_property
    def _seen(self) -> Seen:
        made = simulate(self.shape, seed=self.seed)
        return Seen.of(made, make_catalogue(int(self.shape.items), self.seed), self.since)

    @cached_property
    def _items(self) -> np.ndarray:
        """``[num_nodes]`` the world's ints of the graph's nodes."""
        return self._seen.catalogue.ids.encode(self.ids.array)

    @cached_property
    def _nodes(self) -> np.ndarray:
        """``[num_items]`` the graph's nodes of the world's ints, -1 for none."""
        nodes = np.full(len(self._seen.catalogue), -1, np.int64)
        nodes[self._items] = np.arange(len(self._items))
        return nodes


@dataclass(frozen=True, eq=False)
class Seen:
    """What is known of a world at a clock, and its law.

    Args:
        config: its settings.
        catalogue: its catalogue.
        rank: ``[num_items]`` rank in the Zipf law.
        launch: ``[num_items]`` when each item is launched.
        bought: first purchases as (indptr ``[num_items + 1]``, times), of items in order.
        views: by source · num_items + target, how many views followed before the clock.
        complements: by item, the complements that have been seen.
        clock: the clock.
    """

    config: WorldConfig
    catalogue: Catalogue
    rank: np.ndarray
    launch: np.ndarray
    bought: tuple[np.ndarray, np.ndarray]
    views: dict[int, int]
    complements: dict[int, list[int]]
    clock: int

    @classmethod
    def of(cls, made: World, catalogue: Catalogue, clock: int) -> Seen:
        """Read a world's truth up to a clock."""
        truth, told = made.truth, made.truth.exposures
        end = truth.span[1]
        rows = np.flatnonzero((told.conversion_time >= 0) & (told.conversion_time < end))
        rows = rows[np.argsort(told.conversion_time[rows], kind="stable")]
        key = told.customer[rows].astype(np.int64) * len(catalogue) + told.item[rows]
        rows = rows[np.unique(key, return_index=True)[1]]
        rows = rows[np.argsort(told.item[rows], kind="stable")]
        indptr = np.searchsorted(told.item[rows], np.arange(len(catalogue) + 1))
        followed = told.arc[(told.parent >= 0) & (told.arc >= 0) & (told.time < clock)]
        count = np.bincount(followed, minlength=truth.arcs.shape[1])
        arcs = np.flatnonzero(count)
        views = dict(
            zip(
                (truth.arcs[0] * len(catalogue) + truth.arcs[1])[arcs].tolist(),
                count[arcs].tolist(),
                strict=True,
            )
        )
        complements: dict[int, list[int]] = {}
        for arc in arcs[truth.kind[arcs] == TO_COMPLEMENT]:
            one, other = truth.arcs[:, arc].tolist()
            complements.setdefault(one, []).append(other)
            complements.setdefault(other, []).append(one)
        bought = indptr, told.conversion_time[rows]
        return cls(made.config, catalogue, truth.rank, truth.launch_time, bought, views, complements, clock)

    def row(self, source: int) -> tuple[np.ndarray, np.ndarray]:
        """Targets that may follow a source, and their scores."""
        items, pools = self._pools(source)
        scores = np.zeros(len(items))
        if len(items):
            seen, tried, coming = self._tried(source, items)
            budget = self.config.affinity * (1.0 if self.catalogue.role[source] == DEVICE else 0.5)
            law = budget, MAX_PROBABILITY, FOLLOWED_RATE
            scores = coming * posterior(pools, (seen, tried), law, SWEEPS, BURN, source)
        more, values = self._rest(source)
        return np.concatenate([items, more]), np.concatenate([scores, values])

    def _pools(self, source: int) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        """Items that the source may lead to by type, popular ones first, and those of its series among them."""
        catalogue = self.catalogue
        kind = catalogue.type[source]
        below = self._children.get(int(kind), [])
        fits_from, members = [0], []
        begin = [0]
        fitting: list[int] = []
        for child in below:
            low, high = np.searchsorted(catalogue.type, [child, child + 1])
            own = low + np.argsort(self.rank[low:high], kind="stable")
            series = catalogue.series[source]
            same = np.flatnonzero(catalogue.series[own] == series) if series >= 0 else np.empty(0, np.int64)
            fitting += (same + begin[-1]).tolist()
            fits_from.append(len(fitting))
            members.append(own)
            begin.append(begin[-1] + len(own))
        items = np.concatenate(members) if members else np.empty(0, np.int64)
        pools = np.array(begin), np.array(fits_from), np.array(fitting, np.int64)
        return items, (*pools, np.array([FITTING_SHARE]))

    @cached_property
    def _children(self) -> dict[int, list[int]]:
        types, found = self.catalogue.types, {}
        for child in np.flatnonzero(types.role != DEVICE):
            parent = int(types.parent[child])
            if types.role[parent] == (DEVICE if types.role[child] == ACCESSORY else ACCESSORY):
                found.setdefault(parent, []).append(int(child))
        return found

    def _tried(
        self, source: int, items: np.ndarray, slow: float = 1.0, basket: float | None = None
    ) -> tuple[np.ndarray, ...]:
        """By target: views that followed, chances that were given before the clock, and after it."""
        basket = self.config.basket_share if basket is None else basket
        gap = slow * self.config.follow_days * DAY
        at, times = self.bought
        own = times[at[source] : at[source + 1]].astype(np.float64)
        launches, which = np.unique(np.maximum(self.launch[items], 0), return_inverse=True)
        tried, coming = (
            np.array([chances(own, max(low, launch), high, basket, gap) for launch in launches])
            for low, high in ((0, self.clock), (self.clock, self.config.end))
        )
        seen = np.array(
            [self.views.get(source * len(self.catalogue) + int(item), 0) for item in items], np.float64
        )
        return seen, tried[which], coming[which]

    def _rest(self, source: int) -> tuple[np.ndarray, np.ndarray]:
        """The next generation, and complements that have been seen, with their scores."""
        catalogue, items, scores = self.catalogue, [], []
        after = source + 1
        if (
            catalogue.generation[source] > 0
            and after < len(catalogue)
            and catalogue.series[after] == catalogue.series[source]
            and catalogue.generation[after] == catalogue.generation[source] + 1
        ):
            seen, tried, coming = self._tried(source, np.array([after]), UPGRADE_SLOWNESS, 0.0)
            items.append(after)
            scores.append(coming[0] * mean_rate(seen[0], tried[0], self.config.affinity * UPGRADE_RATE))
        for other in sorted(set(self.complements.get(source, []))):
            forth, back = self._tried(source, np.array([other])), self._tried(other, np.array([source]))
            rate = mean_rate(forth[0][0] + back[0][0], forth[1][0] + back[1][0], self.config.complement)
            items.append(other)
            scores.append(forth[2][0] * rate)
        return np.array(items, np.int64), np.array(scores)


def chances(own: np.ndarray, low: float, high: float, basket: float, gap: float) -> float:
    """How many views of a target first purchases at some times lead to between two moments, were it sure."""
    if high <= low:
        return 0.0
    now = basket * ((own >= low) & (own < high))
    late = np.exp(-np.maximum(low - own, 0) / gap) - np.exp(-np.maximum(high - own, 0) / gap)
    return float((now + (1 - basket) * late).sum())


def mean_rate(seen: float, tried: float, mean: float) -> float:
    """E[p | seen views in so many tries] for p = mean · U(.5, 1.5)."""
    rate = np.minimum(mean * GRID, MAX_PROBABILITY)
    chance = rate / FOLLOWED_RATE
    log = seen * np.log(chance) + max(tried - seen, 0.0) * np.log1p(-chance)
    weight = np.exp(log - log.max())
    return float((rate * weight).sum() / weight.sum())
