"""Whether the model knows anything of an item, and what is said where it does not.

The model's score is ⟨source, target⟩ + bias. Where an item's own vector is zero, only the bias is left, and the
list would be what is popular, whatever was asked. Such an item is answered by the student, from what is written
of it, where one is served; else by its category, counted, when the catalogue names one (``fallback``); and
not at all otherwise. The answer says which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from thence.base.arrow import pc
from thence.index.neighbors import Direction
from thence.serve.place import product_of

if TYPE_CHECKING:
    from thence.serve.store import Live

Route = Literal["table", "model", "student", "fallback", "none"]


def route_of(live: Live, node: int, direction: Direction) -> Route:
    """By what an item is answered: the model, the student, its category, or nothing."""
    if live.known[direction][node]:
        return "model"
    if live.newcomers is not None and live.newcomers.read(product_of(live, node)):
        return "student"
    return "fallback" if by_category(live, node, direction).any() else "none"


def by_category(live: Live, node: int, direction: Direction) -> np.ndarray:
    """``[num_nodes]`` float64: weight of the main relation's arcs that join each item to the node's category.

    Zeros when the catalogue gives the item no category, or the others of it have no arcs that way.
    """
    arcs, categories = live.graph.main, live.catalogue.categories
    weight, category = np.zeros(arcs.num_nodes), categories[node].as_py()
    if category is None or not category.strip():
        return weight
    same = pc.equal(categories, category).fill_null(False).to_numpy(zero_copy_only=False).astype(bool)
    here, there = arcs.pairs if direction == "next" else arcs.pairs[::-1]
    inside = same[here]
    np.add.at(weight, there[inside], arcs.weight[inside])
    weight[node] = 0.0
    return weight


def note_of(route: Route, title: str, category: str | None, direction: Direction) -> str | None:
    """What a reader should know of the answer; None where there is nothing to say."""
    if route in ("table", "model"):
        return None
    what = "follows" if direction == "next" else "leads to"
    known = f"nothing is known of what {what} {title}: it has no arcs, and the model has no vector for it"
    if route == "student":
        return f"{known}. Shown is what its title and category speak for, by a student of the model."
    if route == "none":
        return f"{known}. No list is better than a list of what is merely popular."
    return f"{known}. Shown is what {what} other products of its category, {category}, counted."
