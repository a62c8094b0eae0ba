"""What is known of the items, and the search through it.

A query is split into words; an item answers when every word occurs in its title, brand, category or id.
Answers are ordered by ``log(1 + count) + bonus``, where the bonus grows with how well the words match: the
whole title, its beginning, the beginnings of its words, the beginnings of any words. An exact id comes first.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial

import numpy as np
import pyarrow as pa

from thence.base.arrow import pc
from thence.base.ids import IdMap
from thence.graph.digraph import DiGraph

MAX_TEXT = 300
KEPT = 20_000
MAX_WORDS = 8
WORD = re.compile(r"[^\W_]+")
BONUS = {"exact id": 100.0, "title": 4.0, "title prefix": 3.0, "title words": 2.0, "words": 1.0}


@dataclass(frozen=True)
class Item:
    """One item as a person reads it; what the catalogue does not say is None."""

    item_id: str
    title: str
    category: str | None
    brand: str | None
    price: float | None
    count: int | None


@dataclass(frozen=True, eq=False, repr=False)
class Catalogue:
    """Items in node order, ready to be shown and searched.

    Args:
        ids: external ids.
        titles: ``[num_nodes]``; the id where an item has no title.
        categories: ``[num_nodes]`` paths such as ``"Home > Kitchen"``, nulls allowed.
        brands: ``[num_nodes]``, nulls allowed.
        prices: ``[num_nodes]`` float64, NaN where unknown.
        counts: ``[num_nodes]`` int64, how often each item was bought; -1 where unknown.

    Example:
        >>> catalogue = Catalogue.of(IdMap(["a", "b"]), pa.table({"title": ["Red phone", "Phone case"]}))
        >>> catalogue
        Catalogue(2 items)
        >>> [catalogue.item(node).title for node in catalogue.search("ph ca")]
        ['Phone case']
    """

    ids: IdMap
    titles: pa.Array
    categories: pa.Array
    brands: pa.Array
    prices: np.ndarray
    counts: np.ndarray

    def __repr__(self) -> str:
        """One line with the count."""
        return f"Catalogue({len(self.ids):,} items)"

    @classmethod
    def of_graph(cls, graph: DiGraph) -> Catalogue:
        """The catalogue that a graph carries in its table of nodes."""
        return cls.of(graph.ids, graph.nodes)

    @classmethod
    def of(cls, ids: IdMap, nodes: pa.Table | None) -> Catalogue:
        """A catalogue from a table in node order; columns that are absent count as unknown."""
        titles = _text(nodes, "title", len(ids))
        known = pc.and_kleene(pc.is_valid(titles), pc.not_equal(pc.utf8_trim_whitespace(titles), ""))
        return cls(
            ids=ids,
            titles=pc.if_else(pc.fill_null(known, False), titles, _clip(ids.array)),
            categories=_text(nodes, "category", len(ids)),
            brands=_text(nodes, "brand", len(ids)),
            prices=_numbers(nodes, "price", len(ids), np.nan),
            counts=_numbers(nodes, "count", len(ids), -1).astype(np.int64),
        )

    def item(self, node: int) -> Item:
        """One item."""
        return self._items(node)

    @cached_property
    def _items(self) -> Callable[[int], Item]:
        """Reads an item; those that were read last, as popular ones are, are kept."""
        columns = (self.ids.array, self.titles, self.categories, self.brands, self.prices, self.counts)
        return lru_cache(KEPT)(partial(_read, *columns))  # of the columns, not of what holds it: no cycle

    def search(self, query: str, limit: int = 10) -> list[int]:
        """Nodes whose text holds every word of ``query``, best first; none for a query without words.

        Args:
            query: words in any case; accents and punctuation do not matter.
            limit: at most so many answers.
        """
        words = normal(query).split()[:MAX_WORDS]
        if not words:
            return []
        hit = np.ones(len(self.ids), dtype=bool)
        for word in words:
            hit &= np.asarray(pc.match_substring(self._all_text, word))
        nodes = np.flatnonzero(hit)
        value = np.log1p(np.maximum(self.counts[nodes], 0)) + self._bonus(query, words, nodes)
        return nodes[np.lexsort((nodes, -value))[:limit]].tolist()

    def in_category(self, path: str) -> np.ndarray:
        """``[num_nodes]`` bool: the items in a category or below it (``"A"`` holds ``"A > B"``)."""
        codes, names = self._category_codes
        wanted = [i for i, name in enumerate(names) if name == path or name.startswith(path + " > ")]
        return np.isin(codes, wanted)

    def category_paths(self) -> list[str]:
        """Every category and every category above one, sorted."""
        paths = set()
        for name in self._category_codes[1]:
            parts = name.split(" > ")
            paths.update(" > ".join(parts[:depth]) for depth in range(1, len(parts) + 1))
        return sorted(paths)

    def of_brand(self, name: str) -> np.ndarray:
        """``[num_nodes]`` bool: the items of a brand, in any case."""
        codes, names = self._brand_codes
        return np.isin(codes, [i for i, brand in enumerate(names) if brand.lower() == name.lower()])

    def brand_names(self) -> list[str]:
        """Every brand, sorted."""
        return sorted(self._brand_codes[1])

    def nearest(self, item_id: str, limit: int = 5) -> list[int]:
        """Nodes nearest to an unknown id: its other case, then the same words, else the same beginning."""
        alike = pc.equal(pc.utf8_lower(self.ids.array), item_id.lower())
        found = np.flatnonzero(np.asarray(alike))[:limit].tolist()
        found = [*found, *(node for node in self.search(item_id, limit) if node not in found)][:limit]
        for length in range(min(len(item_id), 64), 0, -1):
            if found:
                break
            starts = np.asarray(pc.starts_with(self.ids.array, item_id[:length]))
            found = np.flatnonzero(starts)[:limit].tolist()
        return found

    @cached_property
    def _title_text(self) -> pa.Array:
        return pa.array([normal(title) for title in self.titles.to_pylist()], pa.string())

    @cached_property
    def _all_text(self) -> pa.Array:
        columns = (self._title_text, self.brands, self.categories, self.ids.array)
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        joined = (title + normal(f"{brand or ''} {path or ''} {id_}") for title, brand, path, id_ in rows)
        return pa.array(joined, pa.string())

    @cached_property
    def _category_codes(self) -> tuple[np.ndarray, list[str]]:
        return _codes(self.categories)

    @cached_property
    def _brand_codes(self) -> tuple[np.ndarray, list[str]]:
        return _codes(self.brands)

    def _bonus(self, query: str, words: Sequence[str], nodes: np.ndarray) -> np.ndarray:
        """``[len(nodes)]`` how well each item matches, as :data:`BONUS`."""
        at = pa.array(nodes)
        title, text = self._title_text.take(at), self._all_text.take(at)
        phrase = " " + " ".join(words)
        bonus = np.zeros(len(nodes))
        tests = [
            ("words", _all([pc.match_substring(text, f" {word}") for word in words])),
            ("title words", _all([pc.match_substring(title, f" {word}") for word in words])),
            ("title prefix", pc.starts_with(title, phrase)),
            ("title", pc.equal(title, phrase)),
            ("exact id", pc.equal(self.ids.array.take(at), query.strip())),
        ]
        for name, holds in tests:
            bonus[np.asarray(holds)] = BONUS[name]
        return bonus


def normal(text: str) -> str:
    """Lower case, without accents and punctuation, a space before each word.

    Example:
        >>> normal("Crème-BRÛLÉE (2x)")
        ' creme brulee 2x'
    """
    folded = text[:MAX_TEXT].casefold()
    if not folded.isascii():
        folded = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return "".join(" " + word for word in WORD.findall(folded))


def _all(masks: list[pa.Array]) -> np.ndarray:
    return np.logical_and.reduce([np.asarray(mask) for mask in masks])


def _clip(array: pa.Array) -> pa.Array:
    return pc.utf8_slice_codeunits(array, 0, MAX_TEXT)


def _text(nodes: pa.Table | None, name: str, length: int) -> pa.Array:
    if nodes is None or name not in nodes.column_names:
        return pa.nulls(length, pa.string())
    return _clip(nodes[name].cast(pa.string()).combine_chunks())


def _numbers(nodes: pa.Table | None, name: str, length: int, missing: float) -> np.ndarray:
    if nodes is None or name not in nodes.column_names:
        return np.full(length, missing)
    return np.asarray(nodes[name].cast(pa.float64()).combine_chunks().fill_null(missing))


def _codes(column: pa.Array) -> tuple[np.ndarray, list[str]]:
    """For each row the number of its name, -1 where it has none; and the names."""
    coded = column.dictionary_encode()
    return np.asarray(coded.indices.fill_null(-1)), coded.dictionary.to_pylist()


def _read(
    ids: pa.Array,
    titles: pa.Array,
    categories: pa.Array,
    brands: pa.Array,
    prices: np.ndarray,
    counts: np.ndarray,
    node: int,
) -> Item:
    price, count = prices.item(node), counts.item(node)
    return Item(
        item_id=ids[node].as_py(),
        title=titles[node].as_py(),
        category=categories[node].as_py(),
        brand=brands[node].as_py(),
        price=price if math.isfinite(price) else None,
        count=count if count >= 0 else None,
    )
