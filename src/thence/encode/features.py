"""Item features from the catalogue, so that no product is without an embedding.

Each product becomes one sparse row: its title's words (hashed, weighted by TF-IDF), every level of its
category path, its brand, its further labels, and the quantile of its price. Rows have unit length, so that a
product that says little of itself is not thereby small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.preprocessing import normalize

from thence.base.arrow import pc

WORD_BUCKETS = 2**14
PRICE_BINS = 16
NOT_LABELS = ("item_id", "title", "category", "price", "count", "first_time", "last_time")
MAX_LABELS = 5_000
Named = tuple[sp.csr_matrix, Iterable[object]]
"""Features, and what each column stands for."""


def item_features(nodes: pa.Table) -> sp.csr_matrix:
    """Sparse features ``[num_nodes, num_features]`` float32; rows have unit length or are zero.

    Args:
        nodes: a catalogue in node order; columns ``title``, ``category`` (a path ``A > B > C``), ``price``
            and further text columns with few distinct values (brand, maker, …) are used where they stand, and
            so are maps from names to weights (bags of words).

    Example:
        >>> nodes = pa.table({
        ...     "item_id": ["1", "2", "3"],
        ...     "title": ["red case", "blue case", "phone"],
        ...     "category": ["Phones > Cases", "Phones > Cases", "Phones"],
        ... })
        >>> x = item_features(nodes)
        >>> (x @ x.T).toarray().round(2)
        array([[1.  , 0.74, 0.41],
               [0.74, 1.  , 0.41],
               [0.41, 0.41, 1.  ]], dtype=float32)
    """
    return _named_features(nodes)[0]


def feature_names(nodes: pa.Table) -> list[str]:
    """What each column of :func:`item_features` stands for, each name once: ``category=Phones > Cases``.

    A feature has the same name in another catalogue, wherever it stands there. Words are named by their bucket,
    prices by the quantile that they fall in.

    Example:
        >>> feature_names(pa.table({"brand": ["Karan", "Lovex", "Karan"], "price": [1.0, None, 2.0]}))
        ['brand=Karan', 'brand=Lovex', 'price=0', 'price=15']
    """
    return _named_features(nodes)[1]


def _named_features(nodes: pa.Table) -> tuple[sp.csr_matrix, list[str]]:
    blocks: list[sp.csr_matrix] = []
    names: list[str] = []
    for name, column in zip(nodes.column_names, nodes.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        make = _encoder_of(name, column.type)
        if make is not None and column.null_count < len(column):
            block, entries = make(column.combine_chunks())
            blocks.append(block)
            names += [f"{name}={entry}" for entry in entries]
    stacked = sp.csr_matrix(sp.hstack(blocks, format="csr")) if blocks else sp.csr_matrix((nodes.num_rows, 0))
    used = np.flatnonzero(stacked.getnnz(axis=0))
    if not len(used):
        return sp.csr_matrix((nodes.num_rows, 1), dtype=np.float32), ["none"]
    return sp.csr_matrix(normalize(stacked[:, used].astype(np.float32))), [names[column] for column in used]


def _encoder_of(name: str, type_: pa.DataType) -> Callable[[pa.Array], Named] | None:
    """How a column becomes features; None when it does not."""
    if name == "price":
        numeric = pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_)
        return _price if numeric else None
    if pa.types.is_map(type_):
        weights = pa.types.is_string(type_.key_type) and pa.types.is_floating(type_.item_type)
        return _weights if weights else None
    if not (pa.types.is_string(type_) or pa.types.is_large_string(type_)):
        return None
    if name in ("title", "category"):
        return {"title": _words, "category": _path}[name]
    return None if name in NOT_LABELS else _labels


def _words(column: pa.Array) -> Named:
    """Words and pairs of words of a text, hashed and weighted by how rare they are."""
    texts = column.fill_null("").to_pylist()
    hashing = HashingVectorizer(n_features=WORD_BUCKETS, ngram_range=(1, 2), alternate_sign=False)
    return sp.csr_matrix(TfidfTransformer().fit_transform(hashing.transform(texts))), range(WORD_BUCKETS)


def _path(column: pa.Array) -> Named:
    """One entry for every level of the path, so that near categories share most of theirs."""
    levels: dict[str, int] = {}
    indices, indptr = [], [0]
    for path in column.to_pylist():
        parts = [part.strip() for part in path.split(">")] if path else []
        prefixes = [" > ".join(parts[: depth + 1]) for depth in range(len(parts))]
        indices += [levels.setdefault(prefix, len(levels)) for prefix in prefixes]
        indptr.append(len(indices))
    shape = (len(column), max(len(levels), 1))
    return sp.csr_matrix((np.ones(len(indices)), indices, indptr), shape=shape), list(levels) or ["none"]


def _labels(column: pa.Array) -> Named:
    """One entry for the label, unless there are too many different ones; none for an empty one."""
    stripped = pc.utf8_trim_whitespace(column)
    coded = pc.if_else(pc.equal(stripped, ""), None, stripped).dictionary_encode()
    codes = coded.indices.fill_null(-1).to_numpy()
    if len(coded.dictionary) > MAX_LABELS:
        return sp.csr_matrix((len(column), 1)), ["none"]
    return _one_hot(codes, len(coded.dictionary)), coded.dictionary.to_pylist() or ["none"]


def _weights(column: pa.Array) -> Named:
    """One entry for every name that a row gives a weight, rows scaled to unit length."""
    rows = column.cast(pa.list_(pa.struct({"key": column.type.key_type, "value": pa.float64()})))
    entries = rows.flatten()  # without what stands under missing rows
    coded = entries.field("key").dictionary_encode()
    values = np.nan_to_num(entries.field("value").fill_null(0.0).to_numpy(), nan=0.0, posinf=0.0, neginf=0.0)
    length = pc.list_value_length(rows).fill_null(0).to_numpy()
    indptr = np.concatenate([[0], np.cumsum(length)])
    shape = (len(column), max(len(coded.dictionary), 1))
    matrix = normalize(sp.csr_matrix((values, coded.indices.to_numpy(), indptr), shape=shape))
    return sp.csr_matrix(matrix), coded.dictionary.to_pylist() or ["none"]


def _price(column: pa.Array) -> Named:
    """One entry for the quantile of the price."""
    prices = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    known = np.isfinite(prices)
    if not known.any():
        return sp.csr_matrix((len(column), 1)), ["none"]
    edges = np.unique(np.quantile(prices[known], np.linspace(0, 1, PRICE_BINS + 1)[1:-1]))
    codes = np.where(known, np.searchsorted(edges, np.where(known, prices, 0)), -1)
    return _one_hot(codes, len(edges) + 1), range(len(edges) + 1)


def _one_hot(codes: np.ndarray, width: int) -> sp.csr_matrix:
    rows = np.flatnonzero(codes >= 0)
    return sp.csr_matrix((np.ones(len(rows)), (rows, codes[rows])), shape=(len(codes), max(width, 1)))
