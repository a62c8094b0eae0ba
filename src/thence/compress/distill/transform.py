"""A fitted transform from what is known of a product to numbers, kept with the student that was taught on it.

Every column of a catalogue becomes entries of one sparse row: each word of the title (weighted by how rare it
is), each level of the category path, each label, each weighted name of a bag of words, and the quantile of each
number. Words weigh (1 + log tf) · idf with idf = log((1 + n) / (1 + df)) + 1 and have unit length together, all
other entries weigh 1, and the whole row has unit length. It says of one product by itself what
:func:`~thence.encode.features.item_features` says of a whole catalogue; words are kept as they are written, not
hashed, so that the vocabulary can be read.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from thence.base.errors import ArtifactError, DataError, nearest

MAX_WORDS, MAX_LABELS, BINS = 50_000, 5_000, 16
NO_FEATURES = ("item_id", "count", "first_time", "last_time")
KINDS = ("words", "path", "label", "weights", "number")
UNIT = ("words", "weights")
"""Columns whose entries have unit length together."""
_WORD = re.compile(r"\w+")
_SPACED = {code: chr(code).lower() if _WORD.match(chr(code)) else " " for code in range(128)}
Product = Mapping[str, Any]
Products = pa.Table | Product | Sequence[Product]


@dataclass(frozen=True, eq=False, repr=False)
class ItemTransform:
    """What :meth:`fit` found; the same product gives the same row ever after.

    Args:
        kinds: by column, how it is read: one of :data:`KINDS`.
        entries: by column, each entry's column in a row.
        idf: ``[num_features]`` float32, what each entry weighs.
        edges: by column of numbers, the quantiles between its bins.
        ignored: columns of the catalogue that say nothing and may be given.

    Example:
        >>> catalogue = pa.table({"title": ["red case", "blue case"], "category": ["Phones > Cases"] * 2})
        >>> transform = ItemTransform.fit(catalogue)
        >>> transform
        ItemTransform(5 features of title, category)
        >>> transform.rows({"title": "a case", "category": "Phones"}).toarray().nonzero()[1].tolist()
        [1, 3]
    """

    kinds: Mapping[str, str]
    entries: Mapping[str, Mapping[str, int]]
    idf: np.ndarray
    edges: Mapping[str, Sequence[float]] = field(default_factory=dict)
    ignored: Sequence[str] = ()

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"ItemTransform({self.num_features:,} features of {', '.join(self.kinds)})"

    @property
    def num_features(self) -> int:
        """Length of a row."""
        return len(self.idf)

    @classmethod
    def fit(cls, nodes: pa.Table, *, min_count: int = 1, max_words: int = MAX_WORDS) -> ItemTransform:
        """Learn the vocabulary of a catalogue.

        Args:
            nodes: the catalogue; ``title``, ``category`` (a path ``A > B > C``), text columns, numbers and maps
                from names to weights are used. How often and when a product was bought is not: a product that
                nobody has bought has none of it.
            min_count: products that an entry must stand at.
            max_words: words of each column that are kept, the most frequent ones.

        Raises:
            DataError: no column says anything.
        """
        kinds, entries, weights, edges = {}, {}, [], {}
        for name in nodes.column_names:
            column = nodes[name]
            if pa.types.is_dictionary(column.type):
                column = column.cast(column.type.value_type)
            kind = None if name in NO_FEATURES else _kind(name, column.type)
            if kind is None:
                continue
            values = column.to_pylist()
            if kind == "number":
                edges[name] = _edges(values)
            counts = Counter(entry for value in values for entry in set(_entries(kind, value, edges.get(name))))
            found = _kept(counts, kind, min_count, max_words)
            if found:
                start = sum(map(len, entries.values()))
                kinds[name] = kind
                entries[name] = {entry: start + at for at, entry in enumerate(found)}
                rare = kind == "words"
                weights += [
                    math.log((1 + len(values)) / (1 + counts[entry])) + 1 if rare else 1.0 for entry in found
                ]
        if not kinds:
            raise DataError("the catalogue says nothing of its products", fix="Give a title or a category.")
        edges = {name: edges[name] for name in edges if name in kinds}
        ignored = tuple(name for name in nodes.column_names if name not in kinds)
        return cls(kinds, entries, np.array(weights, np.float32), edges, ignored)

    def rows(self, products: Products) -> sp.csr_matrix:
        """Sparse rows ``[n, num_features]`` float32 of unit length, or zero where nothing is known.

        Args:
            products: a table, one mapping from columns to values, or several. Of a table, columns that were not
                learned are passed over; in a mapping they are an error, as they are most likely misspelt.

        Raises:
            DataError: a product is no mapping, has an unknown column, or a value of the wrong type.
        """
        found = [self._row(product) for product in self._listed(products)]
        indptr = np.cumsum([0, *(len(at) for at, _ in found)])
        at = np.concatenate([np.empty(0, np.int64), *(at for at, _ in found)]).astype(np.int32)
        value = np.concatenate([np.empty(0, np.float32), *(value for _, value in found)])
        return sp.csr_matrix((value, at, indptr), shape=(len(found), self.num_features))

    def row(self, product: Product) -> tuple[np.ndarray, np.ndarray]:
        """Columns and values of one product's row, without the cost of a sparse matrix.

        Raises:
            DataError: as :meth:`rows`.
        """
        (only,) = self._listed([product])
        return self._row(only)

    def table(self) -> pa.Table:
        """The vocabulary: ``column``, ``entry`` and ``weight``, in the order of a row's columns."""
        rows = [(name, entry) for name, found in self.entries.items() for entry in found]
        return pa.table(
            {"column": [row[0] for row in rows], "entry": [row[1] for row in rows], "weight": self.idf}
        )

    def described(self) -> dict[str, Any]:
        """What the vocabulary does not say, JSON-able."""
        return {
            "kinds": dict(self.kinds),
            "edges": {name: list(found) for name, found in self.edges.items()},
            "ignored": list(self.ignored),
        }

    @classmethod
    def restored(cls, table: pa.Table, described: Mapping[str, Any]) -> ItemTransform:
        """What :meth:`table` and :meth:`described` say.

        Raises:
            ArtifactError: they do not belong together.
        """
        columns = [name for name in dict.fromkeys(table["column"].to_pylist()) if name in described["kinds"]]
        entries: dict[str, dict[str, int]] = {name: {} for name in columns}
        for at, (name, entry) in enumerate(
            zip(table["column"].to_pylist(), table["entry"].to_pylist(), strict=True)
        ):
            if name not in entries or entry in entries[name]:
                raise ArtifactError(f"the vocabulary names {name}={entry}, which has no place in it")
            entries[name][entry] = at
        weight = table["weight"].to_numpy().astype(np.float32)
        kinds = {name: described["kinds"][name] for name in columns}  # in their own order
        return cls(kinds, entries, weight, described["edges"], tuple(described["ignored"]))

    def _listed(self, products: Products) -> Iterable[Product]:
        if isinstance(products, pa.Table):
            table: Any = products
            return table.select([name for name in table.column_names if name in self.kinds]).to_pylist()
        listed = [products] if isinstance(products, Mapping) else products
        for product in listed:
            if not isinstance(product, Mapping):
                raise DataError(f"a product is {product!r}", fix='Give mappings such as {"title": "red case"}.')
            for name in product:
                if name not in self.kinds and name not in self.ignored and name not in NO_FEATURES:
                    raise DataError(f"a product has no column {name!r}", fix=nearest(str(name), self.kinds))
        return listed

    def _row(self, product: Product) -> tuple[np.ndarray, np.ndarray]:
        """Columns ``[m]`` int64 and values ``[m]`` float32 of one product's row, of unit length."""
        places, blocks = [], []
        for name, kind in self.kinds.items():
            value = product.get(name)
            if value is None:
                continue
            try:
                found = _entries(kind, value, self.edges.get(name))
            except (TypeError, AttributeError, ValueError) as error:
                raise DataError(f"{name} is {value!r}", fix=f"It is read as {kind}.") from error
            known = self.entries[name]
            at = np.array([place for place in map(known.get, found) if place is not None], np.int64)
            if len(at):
                places.append(at)
                blocks.append((kind, self._weights(kind, at, found, known)))
        if not places:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        if len(places) == 1:
            return places[0], _unit(blocks[0][1])
        each = [_unit(weight) if kind in UNIT else weight for kind, weight in blocks]
        return np.concatenate(places), _unit(np.concatenate(each))

    def _weights(
        self, kind: str, at: np.ndarray, found: Mapping[str, float], known: Mapping[str, int]
    ) -> np.ndarray:
        """What the entries of one column weigh beside each other."""
        if kind not in UNIT:
            return np.ones(len(at), np.float32)
        if kind == "words" and max(found.values()) == 1:
            return self.idf[at]
        weight = np.array([found[entry] for entry in found if entry in known], np.float32)
        return (1 + np.log(weight)) * self.idf[at] if kind == "words" else weight


def _kind(name: str, type_: pa.DataType) -> str | None:
    """How a column is read; None when it is not."""
    if pa.types.is_map(type_):
        bag = pa.types.is_string(type_.key_type) and pa.types.is_floating(type_.item_type)
        return "weights" if bag else None
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return {"title": "words", "category": "path"}.get(name, "label")
    numeric = pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_)
    return "number" if numeric else None


def _entries(kind: str, value: Any, edges: Sequence[float] | None) -> dict[str, float]:
    """What one value says: entry → weight."""
    if value is None:
        return {}
    if kind == "words":
        return _counted(_words(value))
    if kind == "path":
        parts = [part.strip() for part in value.split(">")]
        return {" > ".join(parts[: depth + 1]): 1.0 for depth in range(len(parts)) if parts[depth]}
    if kind == "label":
        label = value.strip()
        return {label: 1.0} if label else {}
    if kind == "weights":
        pairs = value.items() if isinstance(value, Mapping) else value
        return {name: float(weight) for name, weight in pairs if weight is not None and math.isfinite(weight)}
    number = float(value)
    return {str(int(np.searchsorted(edges or [], number))): 1.0} if math.isfinite(number) else {}


def _words(text: str) -> list[str]:
    """Runs of letters, digits and underscores, in lower case; plain ASCII three times as fast.

    Example:
        >>> _words("A red-case, 4_you"), _words("Ein ROTES Gehäuse")
        (['a', 'red', 'case', '4_you'], ['ein', 'rotes', 'gehäuse'])
    """
    return text.translate(_SPACED).split() if text.isascii() else _WORD.findall(text.lower())


def _counted(words: list[str]) -> dict[str, float]:
    """How often each word stands, in the order in which they come."""
    once = dict.fromkeys(words, 1.0)
    return once if len(once) == len(words) else dict(Counter(words))


def _edges(values: Iterable[Any]) -> list[float]:
    """Quantiles between the bins of a column of numbers."""
    numbers = np.array([float(value) for value in values if value is not None])
    known = numbers[np.isfinite(numbers)]
    if not len(known):
        return []
    return np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])).tolist()


def _kept(counts: Counter[str], kind: str, min_count: int, max_words: int) -> list[str]:
    """Entries that are learned, in order."""
    found = sorted((entry for entry, count in counts.items() if count >= min_count))
    if kind == "label" and len(found) > MAX_LABELS:
        return []
    if len(found) > max_words:
        found = sorted(sorted(found, key=lambda entry: -counts[entry])[:max_words])
    return found


def _unit(row: np.ndarray) -> np.ndarray:
    length = math.sqrt(float(row @ row))
    return row / np.float32(length) if length > 0 else row
