"""Item features from the catalogue, so that no product is without an embedding.

Each product becomes one sparse row: its title's words (hashed, weighted by TF-IDF), every level of its
category path, its brand, its further labels, and the quantile of its price. Rows have unit length, so that a
product that says little of itself is not thereby small.
"""

from __future__ import annotations

from collections.abc import Callable

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


def item_features(nodes: pa.Table) -> sp.csr_matrix:
    """Sparse features ``[num_nodes, num_features]`` float32; rows have unit length or are zero.

    Args:
        nodes: a catalogue in node order; columns ``title``, ``category`` (a path ``A > B > C``), ``price``
            and further text columns with few distinct values (brand, maker, …) are used where they stand.

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
    blocks: list[sp.csr_matrix] = []
    for name, column in zip(nodes.column_names, nodes.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        make = _encoder_of(name, column.type)
        if make is not None and column.null_count < len(column):
            blocks.append(make(column.combine_chunks()))
    stacked = sp.csr_matrix(sp.hstack(blocks, format="csr")) if blocks else sp.csr_matrix((nodes.num_rows, 0))
    used = np.flatnonzero(stacked.getnnz(axis=0))
    if not len(used):
        return sp.csr_matrix((nodes.num_rows, 1), dtype=np.float32)
    return sp.csr_matrix(normalize(stacked[:, used].astype(np.float32)))


def _encoder_of(name: str, type_: pa.DataType) -> Callable[[pa.Array], sp.csr_matrix] | None:
    """How a column becomes features; None when it does not."""
    if name == "price":
        numeric = pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_)
        return _price if numeric else None
    if not (pa.types.is_string(type_) or pa.types.is_large_string(type_)):
        return None
    if name in ("title", "category"):
        return {"title": _words, "category": _path}[name]
    return None if name in NOT_LABELS else _labels


def _words(column: pa.Array) -> sp.csr_matrix:
    """Words and pairs of words of a text, hashed and weighted by how rare they are."""
    texts = column.fill_null("").to_pylist()
    hashing = HashingVectorizer(n_features=WORD_BUCKETS, ngram_range=(1, 2), alternate_sign=False)
    return sp.csr_matrix(TfidfTransformer().fit_transform(hashing.transform(texts)))


def _path(column: pa.Array) -> sp.csr_matrix:
    """One entry for every level of the path, so that near categories share most of theirs."""
    levels: dict[str, int] = {}
    indices, indptr = [], [0]
    for path in column.to_pylist():
        parts = [part.strip() for part in path.split(">")] if path else []
        prefixes = [" > ".join(parts[: depth + 1]) for depth in range(len(parts))]
        indices += [levels.setdefault(prefix, len(levels)) for prefix in prefixes]
        indptr.append(len(indices))
    return sp.csr_matrix((np.ones(len(indices)), indices, indptr), shape=(len(column), max(len(levels), 1)))


def _labels(column: pa.Array) -> sp.csr_matrix:
    """One entry for the label, unless there are too many different ones; none for an empty one."""
    stripped = pc.utf8_trim_whitespace(column)
    coded = pc.if_else(pc.equal(stripped, ""), None, stripped).dictionary_encode()
    codes = coded.indices.fill_null(-1).to_numpy()
    if len(coded.dictionary) > MAX_LABELS:
        return sp.csr_matrix((len(column), 1))
    return _one_hot(codes, len(coded.dictionary))


def _price(column: pa.Array) -> sp.csr_matrix:
    """One entry for the quantile of the price."""
    prices = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    known = np.isfinite(prices)
    if not known.any():
        return sp.csr_matrix((len(column), 1))
    edges = np.unique(np.quantile(prices[known], np.linspace(0, 1, PRICE_BINS + 1)[1:-1]))
    codes = np.where(known, np.searchsorted(edges, np.where(known, prices, 0)), -1)
    return _one_hot(codes, len(edges) + 1)


def _one_hot(codes: np.ndarray, width: int) -> sp.csr_matrix:
    rows = np.flatnonzero(codes >= 0)
    return sp.csr_matrix((np.ones(len(rows)), (rows, codes[rows])), shape=(len(codes), max(width, 1)))
