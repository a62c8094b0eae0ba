"""Exposures of simulated worlds: features that a shop would have, labels and signals from the known truth.

A view of an item is an exposure; its purchase within the attribution window is the conversion; carts and
return views are engagement. What a shop knows of a view is its item (category path, type, brand, price), the
hour and the day of the week, and the customer, of whom there are so many that they are hashed. A world's
customers differ in ease and taste, which no single view shows; a shop would know of them by loyalty cards and
surveys, so

    segment_u = ⌊4 + 2 (ease_u + N(0, .4²)) / .8⌋ cut to 0 … 8,
    favourite_u = the taste with the largest share,
    fits = 1 where the item's category is one of the customer's three tastes,

are observable too: ``segment`` is ease seen through noise, never a label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.base.errors import ConfigError
from thence.base.progress import Progress, silent
from thence.base.rng import generator
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.sources.gather import Gathered, Grown
from thence.conversion.sources.hashing import hashed
from thence.events.clock import DAY, HOUR, Moment, micros
from thence.events.worlds.assemble import CART, RETURN
from thence.events.worlds.catalogue import Catalogue
from thence.events.worlds.config import WorldConfig
from thence.events.worlds.customers import EASE_SD, Customers
from thence.events.worlds.world import Block, World, simulate_blocks

KINDS = ("cart", "return")
NOISE = 0.4
SEGMENTS = 9
CUSTOMER_BUCKETS = 16_384
CATEGORIES = (
    "item",
    "customer",
    "department",
    "category",
    "type",
    "brand",
    "segment",
    "favourite",
    "hour",
    "weekday",
)
NUMBERS = ("log price", "fits")


@dataclass(frozen=True, eq=False, repr=False)
class WorldExposures:
    """Exposures of a world and what is hidden of them.

    Args:
        exposures: seen up to the end of the world's log.
        probability: ``[n]`` float32, the true probability of a conversion within the window.
    """

    exposures: Exposures
    probability: np.ndarray

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"WorldExposures({len(self.probability):,} exposures, rate {self.probability.mean():.3f})"


def world_exposures(
    world: World | WorldConfig,
    seed: int = 0,
    *,
    engagement: bool = True,
    placebo: bool = False,
    last: Moment | None = None,
    customer_buckets: int = CUSTOMER_BUCKETS,
    progress: Progress = silent,
) -> WorldExposures:
    """Exposures of a world, made block by block: the log itself is never built.

    Args:
        world: its settings, or a world whose settings and seed are taken.
        seed: of the world, where settings are given.
        engagement: whether carts and return views are seen.
        placebo: hand each exposure's engagement to another one, at the same time since exposure, so that it
            tells nothing.
        last: leave out exposures from this moment on; what becomes of earlier ones is still followed.
        customer_buckets: that customers are hashed into.
        progress: told the customers done.

    Raises:
        ConfigError: a placebo of nothing was asked for.

    Example:
        >>> made = world_exposures(WorldConfig(items=100, customers=500, days=60), seed=1)
        >>> made
        WorldExposures(8,406 exposures, rate 0.274)
        >>> made.exposures.engagement.kinds, made.exposures.features.names[:3]
        (('cart', 'return'), ('item', 'customer', 'department'))
    """
    if placebo and not engagement:
        raise ConfigError("a placebo of engagement that is not seen", fix="Set engagement or leave placebo.")
    config, seed = (world.config, world.seed) if isinstance(world, World) else (world, seed)
    catalogue, blocks = simulate_blocks(config, seed, progress)
    describe = _Describer(config, catalogue, customer_buckets)
    parts, chance = Gathered(describe.buckets, CATEGORIES + NUMBERS), Grown(np.float32)
    stop = config.end if last is None else micros(last)
    for number, block in enumerate(blocks):
        shown = block.exposures
        kept = np.flatnonzero(shown["time"] < stop)
        if engagement:
            rng = generator(seed, "world", "placebo", number) if placebo else None
            parts.add_engagement(*_engagement(block, kept, parts.rows, rng))
        end = shown["conversion_time"][kept]
        codes, numbers = describe(block, kept, generator(seed, "world", "observed", number))
        parts.add(shown["time"][kept], np.where(end >= 0, end, NEVER), codes, numbers)
        chance.add(shown["probability"][kept])
    window = round(config.attribution_days * DAY)
    made = parts.exposures(window=window, until=config.end, kinds=KINDS if engagement else ())
    hidden = chance.done() if parts.order is None else chance.done()[parts.order]
    return WorldExposures(made, hidden)


def _engagement(
    block: Block, kept: np.ndarray, first: int, rng: np.random.Generator | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Owner, kind and time of carts and return views; shuffled between exposures where a generator is given."""
    time, owner, role = block.events
    place = np.full(len(block.exposures["time"]), -1)
    place[kept] = np.arange(len(kept))
    rows = np.flatnonzero(((role == CART) | (role == RETURN)) & (place[owner] >= 0))
    time, owner, kind = time[rows], place[owner[rows]], (role[rows] == RETURN).astype(np.uint8)
    if rng is not None:
        begin, other = block.exposures["time"][kept], rng.permutation(len(kept))
        time, owner = time - begin[owner] + begin[other[owner]], other[owner]
    return first + owner, kind, time


class _Describer:
    """From exposures of a block to codes and numbers."""

    def __init__(self, config: WorldConfig, catalogue: Catalogue, customer_buckets: int) -> None:
        self.catalogue = catalogue
        item = np.arange(len(catalogue))
        self.item = np.stack(
            [item, catalogue.department, catalogue.category, catalogue.type, catalogue.brand], 1
        ).astype(np.int32)
        self.price = np.log(catalogue.price).astype(np.float32)
        sizes = [int(size) for size in self.item.max(axis=0) + 1]
        categories = sizes[2]
        self.buckets = (
            sizes[0],
            customer_buckets,
            *sizes[1:],
            SEGMENTS,
            categories,
            DAY // HOUR,
            7,
        )

    def __call__(
        self, block: Block, kept: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Codes ``[k, c]`` and numbers ``[k, q]`` of the kept exposures."""
        people, time = block.customers, block.exposures["time"][kept]
        number, item = block.exposures["customer"][kept], block.exposures["item"][kept]
        who = number - block.first
        segment = self._segments(people, rng)
        favourite = people.tastes[np.arange(len(people)), people.shares.argmax(axis=1)]
        category = self.item[item, 2]
        hours = time // HOUR
        columns = [
            self.item[item, 0],
            hashed(number, self.buckets[1], "customer"),
            *self.item[item, 1:].T,
            segment[who],
            favourite[who],
            hours % 24,
            (hours // 24 + 3) % 7,  # 1970 began on a Thursday; Monday is 0
        ]
        fits = (people.tastes[who] == category[:, None]).any(axis=1)
        codes = np.empty((len(kept), len(columns)), np.int32)
        for k, column in enumerate(columns):
            codes[:, k] = column
        return codes, np.stack([self.price[item], fits], 1, dtype=np.float32, casting="unsafe")

    @staticmethod
    def _segments(people: Customers, rng: np.random.Generator) -> np.ndarray:
        seen = people.ease + rng.normal(0.0, NOISE, len(people))
        return np.clip(SEGMENTS // 2 + 2 * seen / EASE_SD, 0, SEGMENTS - 1).astype(np.int32)
