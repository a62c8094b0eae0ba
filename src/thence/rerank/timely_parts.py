"""Parts of a re-ranked score that a log tells at its clock, beside what a graph tells.

A graph of purchases counts pairs and forgets when, in what company and by how many. At the clock the log still
knows: how often a product was somebody's first of late, how many customers have it already (those never buy it
for the first time again), how full the baskets are that it comes in, and of a pair how its sightings fade.

Everything is counted from events before the log's clock alone. Ages are measured back from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from thence.base.ids import IdMap
from thence.encode.baseline.backed_off import kinds
from thence.encode.baseline.recent import DAY, fading
from thence.events import EventLog
from thence.graph import DiGraph
from thence.graph.nodes import COUNTED, node_codes
from thence.graph.purchases import purchases_of
from thence.rerank.parts import Part, Values
from thence.rerank.timely_kernel import together
from thence.rerank.walks import Candidates

MAX_LABELS, LEVELS = 5_000, 3
WINDOWS = (14, 28, 56, 112)
SLOW, FAST = 84.0, 42.0
"""Half-lives in days: of first purchases, which are few, and of all purchases."""
Csr = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Lines:
    """Purchases before a clock, one line a product and basket, as arrays ``[L]``.

    Args:
        num_nodes: how many products.
        user: dense ints.
        basket: dense ints.
        node: products.
        age: days before the clock.
        first: bool, the user had not bought the product before.

    Example:
        >>> events = pa.table({"timestamp": [0, 5 * DAY], "user_id": ["u", "u"], "item_id": ["case", "case"],
        ...                    "event": ["purchase"] * 2, "order_id": ["a", "b"]})
        >>> lines = Lines.of(EventLog.from_tables(events).before(7 * DAY), IdMap(["case"]))
        >>> lines.age.tolist(), lines.first.tolist(), lines.per_node().tolist()
        ([7.0, 2.0], [True, False], [2.0])
    """

    num_nodes: int
    user: np.ndarray
    basket: np.ndarray
    node: np.ndarray
    age: np.ndarray
    first: np.ndarray

    @classmethod
    def of(cls, log: EventLog, ids: IdMap) -> Lines:
        """The purchases of some products that a log sees."""
        last = log.until if log.until is not None else log.span()[1] + 1
        codes = node_codes(ids, np.ones(len(ids), bool))
        with purchases_of(log, codes, len(ids)) as purchases:
            rows = purchases.table.select("user", "basket", "node", "time", "is_first").to_pyarrow()
        column = {name: rows[name].to_numpy() for name in rows.column_names}
        by = np.lexsort((column["node"], column["basket"]))  # engines hand rows over in any order
        user, basket = (np.unique(column[name][by], return_inverse=True)[1] for name in ("user", "basket"))
        age = (last - column["time"][by].astype(np.int64)) / DAY
        return cls(len(ids), user, basket, column["node"][by].astype(np.int64), age, column["is_first"][by])

    @cached_property
    def size(self) -> np.ndarray:
        """``[L]`` float32: how many products the line's basket holds."""
        return np.bincount(self.basket)[self.basket].astype(np.float32)

    def per_node(self, weight: np.ndarray | None = None) -> np.ndarray:
        """``[num_nodes]`` float32: lines, or weights of lines, added up."""
        return np.bincount(self.node, weights=weight, minlength=self.num_nodes).astype(np.float32)


def timely_parts(log: EventLog, ids: IdMap) -> list[Part]:
    """Every part that a log tells of pairs of products, as known at its clock.

    Args:
        log: the log; its clock holds.
        ids: the products, in node order.

    Returns:
        Parts of :mod:`thence.rerank.parts`' kind, which plug into any table of them.

    Example:
        >>> events = pa.table({"timestamp": [0, 0], "user_id": ["u", "u"], "item_id": ["phone", "case"],
        ...                    "event": ["purchase"] * 2, "order_id": ["a", "a"]})
        >>> parts = timely_parts(EventLog.from_tables(events).before(10), IdMap(["phone", "case"]))
        >>> at = np.array([0]), np.array([0, 1]), np.array([1])  # source 0 has one candidate, 1
        >>> [part.values(at).tolist() for part in parts if part.name == "timely.both"]  # customers with both
        [[1.0]]
    """
    lines = Lines.of(log, ids)
    return _basket_parts(lines) + _user_parts(lines) + _node_parts(lines)


# ---- pairs


def _basket_parts(lines: Lines) -> list[Part]:
    """Sightings in one basket: weights of the line of i, and of the line of j."""
    new = lines.first.astype(np.float32)
    one = np.ones_like(new)
    names = ("fading", "small_baskets", "new_together", "beside", "beside_fading")
    right = (new * fading(lines.age, SLOW), new / np.sqrt(lines.size), new, one, fading(lines.age, FAST))
    left = (one, one, new, one, one)
    table = _Together(lines.basket, lines.node, np.stack(left, 1), np.stack(right, 1), lines.num_nodes)
    tries = np.maximum(lines.per_node(), 1)
    found = [Part(f"timely.{name}", "other", table.column(k)) for k, name in enumerate(names)]
    beside = table.column(3)
    found.append(Part("timely.beside_share", "other", lambda at: beside(at) / tries[_source(at)]))
    found.append(
        Part("timely.beside_lift", "other", lambda at: beside(at) / (tries[_source(at)] * tries[at[2]]))
    )
    return found


def _user_parts(lines: Lines) -> list[Part]:
    """Customers who have both: as a number, a cosine, and shares of those who have one."""
    have = lines.first.nonzero()[0]
    have = have[np.unique(lines.user[have] * lines.num_nodes + lines.node[have], return_index=True)[1]]
    one = np.ones((len(have), 1), np.float32)
    both = _Together(lines.user[have], lines.node[have], one, one, lines.num_nodes).column(0)
    n = np.maximum(np.bincount(lines.node[have], minlength=lines.num_nodes), 1).astype(np.float32)
    found: dict[str, Values] = {
        "both": both,
        "both_cosine": lambda at: both(at) / np.sqrt(n[_source(at)] * n[at[2]]),
        "have_share": lambda at: both(at) / n[_source(at)],
        "had_share": lambda at: both(at) / n[at[2]],
    }
    return [Part(f"timely.{name}", "other", values) for name, values in found.items()]


class _Together:
    """Sums over groups at candidates; the last candidates' are kept, as each column asks for the same."""

    def __init__(
        self, group: np.ndarray, node: np.ndarray, left: np.ndarray, right: np.ndarray, n: int
    ) -> None:
        by_group, by_node = np.argsort(group, kind="stable"), np.argsort(node, kind="stable")
        self._lines: Csr = (_starts(group, int(group.max(initial=-1)) + 1), node[by_group], right[by_group])
        self._groups: Csr = (_starts(node, n), group[by_node], left[by_node])
        self._seen = np.zeros((n, right.shape[1]), np.float32)
        self._last: tuple[Any, np.ndarray] | None = None

    def column(self, k: int) -> Values:
        return lambda at: self._at(at)[:, k]

    def _at(self, at: Candidates) -> np.ndarray:
        if self._last is None or self._last[0] is not at:
            self._last = at, together(*at, self._lines, self._groups, self._seen)
        return self._last[1]


def _starts(code: np.ndarray, size: int) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(np.bincount(code, minlength=size))]).astype(np.int64)


# ---- one of the two


def _node_parts(lines: Lines) -> list[Part]:
    new = lines.first.astype(np.float32)
    fresh = np.bincount(lines.basket, weights=new)[lines.basket]
    tries = np.maximum(lines.per_node(), 1)
    firsts = {days: lines.per_node(new * (lines.age < days)) for days in WINDOWS}
    bought = {days: lines.per_node(lines.age < days) for days in WINDOWS}
    seen = {"first_seen": _extreme(lines, np.maximum, 0.0), "last_seen": _extreme(lines, np.minimum, np.inf)}
    either = {
        "purchases": lines.per_node(),
        "purchases_56": bought[56],
        "new_in_basket": lines.per_node(fresh) / tries,
        "basket_size": lines.per_node(lines.size) / tries,
        "customers": lines.per_node(new),
        **seen,
    }
    target = {f"firsts_{days}": firsts[days] for days in WINDOWS} | {
        "firsts_fading": lines.per_node(new * lines.size * fading(lines.age, SLOW)),
        "purchases_14": bought[14],
        "firsts_share": firsts[56] / np.maximum(bought[56], 1),
        "trend": (firsts[28] + 1) / (firsts[112] - firsts[28] + 3),
        "have_it": _owned(lines),
    }
    found = [Part(f"timely.source_{name}", "popularity", _of_source(values)) for name, values in either.items()]
    for name, values in (either | target).items():
        found.append(Part(f"timely.target_{name}", "popularity", _of_target(values)))
    return found


def _owned(lines: Lines) -> np.ndarray:
    """``[num_nodes]`` share of the customers who have the product, each counted by what she buys of late."""
    active = np.bincount(lines.user, weights=fading(lines.age, FAST))
    return lines.per_node(lines.first * active[lines.user]) / max(float(active.sum()), 1e-9)


def _extreme(lines: Lines, which: Any, start: float) -> np.ndarray:
    found = np.full(lines.num_nodes, start)
    which.at(found, lines.node, lines.age)
    return np.where(np.isfinite(found), found, 1e4).astype(np.float32)


def _source(at: Candidates) -> np.ndarray:
    return np.repeat(at[0], np.diff(at[1]))


def _of_source(values: np.ndarray) -> Values:
    return lambda at: values[_source(at)]


def _of_target(values: np.ndarray) -> Values:
    return lambda at: values[at[2]]


# ---- the catalogue


def label_parts(graph: DiGraph) -> list[Part]:
    """Whether both ends share a label of the catalogue: levels of the category, and other labels of few values.

    Args:
        graph: with its catalogue; without one there are no such parts.

    Example:
        >>> nodes = pa.table({"category": ["Phones > Cases", "Phones", "Sport"], "brand": ["a", "a", "b"]})
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0], [1], num_nodes=3)
        >>> graph = DiGraph(IdMap("pqr"), {"same_basket": arcs}, nodes)
        >>> at = np.array([0]), np.array([0, 2]), np.array([1, 2])  # source p has two candidates, q and r
        >>> [part.values(at).tolist() for part in label_parts(graph) if part.name == "same.brand"]
        [[1.0, 0.0]]
    """
    return [_same(label, code) for label, code in _labels(graph)]


def _same(label: str, code: np.ndarray) -> Part:
    return Part(f"same.{label}", "features", lambda at: (code[_source(at)] == code[at[2]]).astype(np.float32))


def _labels(graph: DiGraph) -> list[tuple[str, np.ndarray]]:
    """Codes of the category's levels, of every label, and of that label within its category."""
    nodes = graph.nodes
    found: list[tuple[str, np.ndarray]] = []
    if nodes is None:
        return found
    skip = ("item_id", "title", "price", *COUNTED)
    if "category" in nodes.column_names:
        paths = nodes["category"].cast(pa.string()).to_pylist()
        for depth in range(1, LEVELS):
            cut = pa.array([None if path is None else ">".join(path.split(">")[:depth]) for path in paths])
            found.append((f"category.{depth}", kinds(pa.table({"level": cut}), ("level",), graph.num_nodes)))
    for name in sorted(set(nodes.column_names) - set(skip)):
        if not str(nodes.schema.field(name).type).startswith(("string", "large_string", "dictionary")):
            continue
        code = kinds(nodes, (name,), graph.num_nodes)
        if code.max(initial=0) >= MAX_LABELS:
            continue
        found.append((name, code))
        if name != "category" and "category" in nodes.column_names:
            found.append((f"category+{name}", kinds(nodes, ("category", name), graph.num_nodes)))
    return found
