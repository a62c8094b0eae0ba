"""What callers ask for: an item, a direction, how many answers, and which items may be among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from thence.base.errors import nearest
from thence.index.neighbors import Direction
from thence.serve.problems import RefusedError

if TYPE_CHECKING:
    from thence.serve.store import Live


@dataclass(frozen=True)
class Filters:
    """Which items may be answered.

    Args:
        category: only items in this category or below it.
        brands: only items of one of these brands, in any case; all when empty.
        price_min: only items that cost so much or more; those without a price are left out.
        price_max: only items that cost so much or less; those without a price are left out.
        owned: external ids that are not answered; unknown ones cannot be answered anyway.
    """

    category: str | None = None
    brands: Sequence[str] = ()
    price_min: float | None = None
    price_max: float | None = None
    owned: Sequence[str] = ()

    def allowed(self, live: Live) -> np.ndarray | None:
        """``[num_nodes]`` bool: the items that pass; None where all do.

        Raises:
            RefusedError: a category or a brand is unknown, or the prices are the wrong way round (422).
        """
        catalogue, masks = live.catalogue, []
        if self.category is not None:
            masks.append(
                _some(live, "category", self.category, catalogue.in_category, catalogue.category_paths)
            )
        if self.brands:
            each = (
                _some(live, "brand", name, catalogue.of_brand, catalogue.brand_names) for name in self.brands
            )
            masks.append(np.logical_or.reduce(list(each)))
        low, high = self.price_min, self.price_max
        if low is not None and high is not None and low > high:
            raise RefusedError(422, f"price_min {low} is above price_max {high}", model_version=live.version)
        if low is not None or high is not None:
            bounds = (-np.inf if low is None else low, np.inf if high is None else high)
            masks.append((catalogue.prices >= bounds[0]) & (catalogue.prices <= bounds[1]))
        return np.logical_and.reduce(masks) if masks else None

    def left_out(self, live: Live) -> list[int]:
        """Nodes of the owned items that are known."""
        return [live.index.ids.index(id_) for id_ in self.owned if id_ in live.index.ids] if self.owned else []


@dataclass(frozen=True)
class Question:
    """What a caller of /v1/related asks for.

    Args:
        item_id: external id of the query item.
        k: answers wanted; fewer come back only where fewer exist.
        direction: ``"next"`` for what follows, ``"before"`` for what leads here.
        filters: which items may be answered.
    """

    item_id: str
    k: int = 10
    direction: Direction = "next"
    filters: Filters = field(default_factory=Filters)


def _some(
    live: Live, kind: str, name: str, mask: Callable[[str], np.ndarray], names: Callable[[], list[str]]
) -> np.ndarray:
    """The items that a mask gives a name.

    Raises:
        RefusedError: there are none (422); the answer names what comes nearest.
    """
    found = mask(name)
    if not found.any():
        raise RefusedError(
            422, f"no item in {kind} {name!r}", fix=nearest(name, names()), model_version=live.version
        )
    return found
