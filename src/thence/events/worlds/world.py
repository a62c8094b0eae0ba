"""A whole world from its settings and a seed: the log that a shop would have, and the truth behind it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from thence.base.progress import Progress, silent
from thence.base.rng import generator
from thence.events.worlds.affinity import Affinity, make_affinity
from thence.events.worlds.assemble import CART, EXPOSURE, PURCHASE, RETURN, event_table
from thence.events.worlds.browse import FOLLOWED, Views, browse
from thence.events.worlds.catalogue import Catalogue, make_catalogue
from thence.events.worlds.config import WorldConfig
from thence.events.worlds.customers import Customers, make_customers
from thence.events.worlds.effects import Effects, make_effects
from thence.events.worlds.funnel import Appeal, convert, make_appeal, signals
from thence.events.worlds.ownership import FOLLOWED_RATE, Followed, Purchases, Rules, follow, make_rules
from thence.events.worlds.popularity import Popularity, make_popularity
from thence.events.worlds.truth import Exposures, Truth

if TYPE_CHECKING:
    from thence.events import EventLog

VIEWS_PER_BLOCK = 1_000_000
FINGERPRINT_ROWS = 1_000_000
ORDER_GAP = 15 * 60 * 1_000_000
TASK = "simulate"


@dataclass(frozen=True, eq=False, repr=False)
class World:
    """A simulated marketplace.

    Args:
        config: its settings.
        seed: its seed.
        events: the log in the canonical columns, sorted by time.
        items: the catalogue, in the order of the truth's item ints.
        truth: what is known and hidden from the log.
    """

    config: WorldConfig
    seed: int
    events: pa.Table
    items: pa.Table
    truth: Truth

    def __repr__(self) -> str:
        """One line with the counts."""
        return (
            f"World({self.events.num_rows:,} events, {self.items.num_rows:,} items, "
            f"{self.config.customers:,} customers, {self.truth.arcs.shape[1]:,} arcs)"
        )

    @cached_property
    def log(self) -> EventLog:
        """The events and the catalogue as an event log."""
        from thence.events import EventLog

        return EventLog.from_tables(self.events, self.items)

    def fingerprint(self) -> str:
        """SHA-256 over all events, items and exposures: equal worlds, equal fingerprints."""
        hasher = hashlib.sha256()
        for table in (self.events, self.items):
            for at in range(0, table.num_rows, FINGERPRINT_ROWS):
                part = table.slice(at, FINGERPRINT_ROWS)
                filled = [column.fill_null("" if pa.types.is_string(column.type) else -1) for column in part]
                whole = pa.table(filled, names=table.column_names).combine_chunks()
                sink = pa.BufferOutputStream()
                with pa.ipc.new_stream(sink, whole.schema) as stream:
                    stream.write_table(whole)
                hasher.update(sink.getvalue())
        exposures = self.truth.exposures
        for array in (
            exposures.probability,
            exposures.conversion_time,
            exposures.parent,
            self.truth.probability,
        ):
            hasher.update(np.ascontiguousarray(array).tobytes())
        return hasher.hexdigest()

    def save(self, folder: str | Path) -> None:
        """Write the world as an artifact of kind ``world`` (Parquet and npy)."""
        from thence.events.worlds.storage import save_world

        save_world(self, folder)

    @classmethod
    def load(cls, folder: str | Path) -> World:
        """Open a saved world.

        Raises:
            ArtifactError: it is absent, torn, tampered with, or not a world.
        """
        from thence.events.worlds.storage import load_world

        return load_world(folder)


@dataclass(frozen=True, eq=False)
class _Stage:
    """What all blocks of customers share."""

    config: WorldConfig
    seed: int
    catalogue: Catalogue
    popularity: Popularity
    affinity: Affinity
    effects: Effects
    appeal: Appeal
    rules: Rules


@dataclass(frozen=True, eq=False)
class Block:
    """What comes out of one block of customers; ints of exposures are the block's own.

    Args:
        first: number of the first customer.
        customers: their hidden traits.
        exposures: the columns of :class:`~thence.events.worlds.truth.Exposures`, views by browsing first.
        order: exposure that opened each purchase's order.
        events: time, exposure and role (0 exposure, 1 cart, 2 return view, 3 purchase) of rows of the log.
    """

    first: int
    customers: Customers
    exposures: dict[str, np.ndarray]
    order: np.ndarray
    events: tuple[np.ndarray, np.ndarray, np.ndarray]


def simulate(config: WorldConfig, seed: int = 0, progress: Progress = silent) -> World:
    """Simulate a marketplace.

    Args:
        config: what it is like.
        seed: same settings and seed, same bytes, whatever the number of threads.
        progress: told the customers done.

    Returns:
        The log and the truth behind it.

    Example:
        >>> world = simulate(WorldConfig(items=100, customers=500, days=30), seed=1)
        >>> world.events.column_names[:4]
        ['timestamp', 'user_id', 'item_id', 'event']
        >>> source, target = world.truth.arcs[:, world.truth.kind == 0]
        >>> set(world.truth.role[source].tolist()), set(world.truth.role[target].tolist())
        ({0}, {1})
    """
    stage = _set_up(config, seed)
    blocks = list(_blocks(stage, progress))
    return _join(stage, blocks)


def simulate_blocks(
    config: WorldConfig, seed: int = 0, progress: Progress = silent
) -> tuple[Catalogue, Iterator[Block]]:
    """The same marketplace block by block, without its log: for worlds larger than the memory.

    Args:
        config: what it is like.
        seed: same settings and seed, same exposures as :func:`simulate` makes.
        progress: told the customers done.

    Returns:
        The catalogue, and the blocks as they are made.

    Example:
        >>> catalogue, blocks = simulate_blocks(WorldConfig(items=100, customers=500, days=30), seed=1)
        >>> len(catalogue), [len(block.customers) for block in blocks]
        (100, [500])
    """
    stage = _set_up(config, seed)
    return stage.catalogue, _blocks(stage, progress)


def _blocks(stage: _Stage, progress: Progress) -> Iterator[Block]:
    config = stage.config
    size = max(64, int(VIEWS_PER_BLOCK / config.views_per_customer))
    for number, first in enumerate(range(0, int(config.customers), size)):
        progress(TASK, first, int(config.customers))
        yield _run_block(stage, number, first, min(size, int(config.customers) - first))
    progress(TASK, int(config.customers), int(config.customers))


def _set_up(config: WorldConfig, seed: int) -> _Stage:
    catalogue = make_catalogue(int(config.items), seed)
    popularity = make_popularity(config, catalogue, seed)
    affinity = make_affinity(config, catalogue, popularity.rank, seed)
    effects = make_effects(config, catalogue, affinity, popularity.weight, seed)
    appeal = make_appeal(config, catalogue, popularity, seed)
    rules = make_rules(affinity, popularity.launch_time)
    return _Stage(config, seed, catalogue, popularity, affinity, effects, appeal, rules)


def _run_block(stage: _Stage, number: int, first: int, count: int) -> Block:
    config, seed = stage.config, stage.seed
    customers = make_customers(config, stage.popularity, seed, number, count)
    views = browse(config, stage.popularity, stage.affinity, customers, seed, number)
    outcomes = convert(config, (stage.catalogue, stage.appeal, stage.effects), customers, views, seed, number)
    purchases = _purchases(views, outcomes.conversion_time, count, config.end)
    followed = follow(config, stage.rules, purchases, first, len(views), seed)
    exposures = _exposures(views, outcomes.probability, outcomes.baseline, outcomes.conversion_time, followed)
    order = _orders(exposures["customer"], exposures["conversion_time"])
    exposures["customer"] = exposures["customer"] + np.int32(first)
    rng = generator(seed, "world", "signals", number)
    events = _events(config, exposures["time"], exposures["conversion_time"], rng)
    return Block(first, customers, exposures, order, events)


def _purchases(views: Views, conversion_time: np.ndarray, count: int, end: int) -> Purchases:
    """The purchases by browsing inside the log, by customer and time."""
    bought = np.flatnonzero((conversion_time >= 0) & (conversion_time < end))
    bought = bought[np.lexsort((conversion_time[bought], views.customer[bought]))]
    indptr = np.searchsorted(views.customer[bought], np.arange(count + 1))
    return Purchases(indptr.astype(np.int64), bought, views.item[bought], conversion_time[bought])


def _exposures(
    views: Views, probability: np.ndarray, baseline: np.ndarray, conversion_time: np.ndarray, followed: Followed
) -> dict[str, np.ndarray]:
    """Views by browsing and those that follow, one after the other."""
    more, none = len(followed.item), np.full(len(views), -1, np.int64)
    rate = np.full(more, FOLLOWED_RATE)
    columns = {
        "customer": (views.customer, followed.customer),
        "item": (views.item, followed.item),
        "time": (views.time, followed.time),
        "probability": (probability.astype(np.float32), rate.astype(np.float32)),
        "baseline": (baseline.astype(np.float32), rate.astype(np.float32)),
        "conversion_time": (conversion_time, followed.conversion_time),
        "origin": (views.origin, np.full(more, FOLLOWED, np.int8)),
        "parent": (none, followed.parent),
        "arc": (none.astype(np.int32), followed.arc),
    }
    return {name: np.concatenate(parts) for name, parts in columns.items()}


def _orders(customer: np.ndarray, conversion_time: np.ndarray) -> np.ndarray:
    """``[n]`` exposure that opened each purchase's order: purchases of a customer at most 15 minutes apart."""
    order = np.arange(len(customer))
    bought = np.flatnonzero(conversion_time >= 0)
    bought = bought[np.lexsort((conversion_time[bought], customer[bought]))]
    opens = np.ones(len(bought), bool)
    near = np.diff(conversion_time[bought]) <= ORDER_GAP
    opens[1:] = ~(near & (np.diff(customer[bought]) == 0))
    order[bought] = bought[np.maximum.accumulate(np.where(opens, np.arange(len(bought)), 0))]
    return order


def _events(
    config: WorldConfig, time: np.ndarray, conversion_time: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time, exposure and role of every row of the log."""
    (carts, cart_time), (returns, return_time) = signals(config, time, conversion_time, rng)
    bought = np.flatnonzero(conversion_time >= 0)
    rows = [np.arange(len(time)), carts, returns, bought]
    times = np.concatenate([time, cart_time, return_time, conversion_time[bought]])
    role = np.repeat(np.array([EXPOSURE, CART, RETURN, PURCHASE], np.int8), [len(part) for part in rows])
    inside = times < config.end
    return times[inside], np.concatenate(rows)[inside], role[inside]


def _join(stage: _Stage, blocks: list[Block]) -> World:
    """Put the blocks together, sorted by time."""
    config = stage.config
    sizes = np.array([len(block.order) for block in blocks])
    offsets = np.cumsum(sizes) - sizes
    joined = {name: np.concatenate([block.exposures[name] for block in blocks]) for name in blocks[0].exposures}
    joined["parent"] += np.where(joined["parent"] >= 0, np.repeat(offsets, sizes), 0)
    order = np.concatenate([block.order + at for block, at in zip(blocks, offsets, strict=True)])
    events = [
        np.concatenate(
            [block.events[k] + (at if k == 1 else 0) for block, at in zip(blocks, offsets, strict=True)]
        )
        for k in range(3)
    ]
    customers = [block.customers for block in blocks]
    blocks.clear()
    by_time = np.argsort(joined["time"], kind="stable")
    place = np.empty(len(by_time), np.int64)
    place[by_time] = np.arange(len(by_time))
    joined["parent"] = np.where(joined["parent"] >= 0, place[joined["parent"]], -1)
    exposures = Exposures(**{name: column[by_time] for name, column in joined.items()})
    order = place[order[by_time]]
    rows = np.argsort(events[0], kind="stable")
    time, exposure, role = events[0][rows], place[events[1][rows]], events[2][rows].astype(np.int8)
    offered = np.concatenate([block.offered for block in customers])
    table = event_table((time, exposure, role), exposures, order, offered, stage.catalogue, stage.effects)
    truth = _truth(stage, exposures, (exposure, role), customers)
    return World(config, stage.seed, table, stage.catalogue.table, truth)


def _truth(
    stage: _Stage, exposures: Exposures, events: tuple[np.ndarray, np.ndarray], customers: list[Customers]
) -> Truth:
    config, catalogue, popularity, affinity = stage.config, stage.catalogue, stage.popularity, stage.affinity
    browsed, reuse = _browsing(config, catalogue, exposures)
    return Truth(
        ids=catalogue.ids,
        arcs=affinity.arcs,
        probability=affinity.probability,
        kind=affinity.kind,
        substitutes=affinity.substitutes,
        type=catalogue.type,
        category=catalogue.category,
        role=catalogue.role,
        rank=popularity.rank,
        popularity=popularity.weight,
        demand=stage.appeal.demand,
        launch_time=popularity.launch_time,
        cold=popularity.launch_time > config.start,
        pace=np.concatenate([block.pace for block in customers]),
        offered=np.concatenate([block.offered for block in customers]),
        exposures=exposures,
        event_exposure=events[0],
        event_role=events[1],
        effects=stage.effects,
        compare_chance=_compare_chance(stage),
        browsed=browsed,
        taste_reuse=reuse,
        span=(config.start, config.end),
    )


def _browsing(config: WorldConfig, catalogue: Catalogue, exposures: Exposures) -> tuple[np.ndarray, float]:
    """How many customers make n purchases by browsing, for each n; and the share kept in the category.

    The share q solves P(two neighbouring purchases of a customer are of one category) = q + (1 - q) Σ_c W_c².
    """
    rows = np.flatnonzero(exposures.observed(config.end) & (exposures.origin != FOLLOWED))
    customer = exposures.customer[rows]
    browsed = np.bincount(np.bincount(customer, minlength=int(config.customers)))
    category = catalogue.category[exposures.item[rows]][np.argsort(customer, kind="stable")]
    neighbours = np.diff(np.sort(customer)) == 0
    if not neighbours.any():
        return browsed, 0.0
    chance = float(((np.bincount(category) / len(category)) ** 2).sum())
    same = float((np.diff(category) == 0)[neighbours].mean())
    return browsed, float(np.clip((same - chance) / max(1 - chance, 1e-12), 0.0, 1.0))


def _compare_chance(stage: _Stage) -> np.ndarray:
    """``[num_pairs]`` chance that a buyer of i later buys its substitute j, the two compared in one visit.

    Of the views of i, w_i come by browsing and Σ_k w_k compare / deg_k by comparison. Either view may be the
    first, and either purchase: ½ (w_i compare / deg_i + w_j compare / deg_j) / views_i · P(j is bought).
    """
    (i, j), weight = stage.affinity.substitutes, stage.popularity.weight
    degree = np.bincount(i, minlength=len(weight))
    passed = weight * stage.config.compare / np.maximum(degree, 1)
    views = weight + np.bincount(j, passed[i], minlength=len(weight))
    both = np.divide(passed[i] + passed[j], views[i], out=np.zeros(len(i)), where=views[i] > 0)
    return np.minimum(0.5 * both * stage.appeal.rate[j], 1.0)
