"""Scores of codes: whole numbers where both sides are, sums over tables for a few, decoded tiles elsewhere."""

from __future__ import annotations

import numpy as np

from thence.compress.quantize.codes import TILE_BYTES, Codes, by_tiles
from thence.compress.quantize.integers import ByteRows
from thence.compress.quantize.packed import PackedRows
from thence.compress.quantize.product import ProductRows

FEW = 4
"""Queries up to which a plain loop over the rows is faster than decoding them or packing tiles."""

EXACT_SUM = 1 << 24
"""Sums below it are exact in float32, so that a matrix product of whole numbers gives the same integers."""

Integers = ByteRows | PackedRows


def scored(asking: Codes, nodes: np.ndarray, answering: Codes, bias: np.ndarray) -> np.ndarray:
    """Scores ``[len(nodes), num_rows]`` float32 of the rows of ``answering`` for some rows of ``asking``.

    Args:
        asking: codes of the side that asks.
        nodes: ``[b]`` its rows that ask.
        answering: codes of the side that answers.
        bias: ``[num_rows]`` float32, added to each.
    """
    if isinstance(asking, Integers) and isinstance(answering, Integers):
        return _whole(asking.bytes_at(nodes), asking.scale[nodes], answering, bias)
    return _of_floats(asking.decode(nodes), answering, bias)


def scored_by(vectors: np.ndarray, answering: Codes, bias: np.ndarray) -> np.ndarray:
    """The same for vectors ``[b, dim]`` float32 themselves, rounded to bytes where rows are whole numbers."""
    if isinstance(answering, Integers):
        asked = ByteRows.fit(vectors)
        return _whole(asked.codes, asked.scale, answering, bias)
    return _of_floats(vectors, answering, bias)


def _of_floats(vectors: np.ndarray, answering: Codes, bias: np.ndarray) -> np.ndarray:
    if isinstance(answering, ProductRows) and len(vectors) <= FEW:
        return answering.products(vectors, bias)
    return by_tiles(answering, vectors, bias)


def _whole(query: np.ndarray, unit: np.ndarray, answering: Integers, bias: np.ndarray) -> np.ndarray:
    """Products of whole numbers; the same to the last bit however many queries come together."""
    from thence.compress.quantize.kernel import plain_bytes, tiled_bytes
    from thence.compress.quantize.machine import QUERIES, has_byte_products

    out = np.empty((len(query), answering.num_rows), np.float32)
    fill = -len(query) % QUERIES
    if fill and len(query) > FEW:
        query, unit = np.pad(query, ((0, fill), (0, 0))), np.pad(unit, (0, fill))
    step = answering.num_rows if isinstance(answering, ByteRows) else max(64, TILE_BYTES // query.shape[1])
    for start in range(0, answering.num_rows, step):
        part = slice(start, start + step)
        codes, scale, added, into = answering.bytes_at(part), answering.scale[part], bias[part], out[:, part]
        if len(out) <= FEW:
            plain_bytes(query, unit, codes, scale, added, into)
        elif has_byte_products():
            tiled_bytes(query, unit, codes, scale, added, into)
        else:
            _floats(query[: len(out)], unit[: len(out)], codes, scale, added, into)
    return out


def _floats(
    query: np.ndarray,
    unit: np.ndarray,
    codes: np.ndarray,
    scale: np.ndarray,
    bias: np.ndarray,
    out: np.ndarray,
) -> None:
    """The same by matrix products of float32, for processors without products of bytes."""
    wide = np.float32 if 127 * 127 * query.shape[1] < EXACT_SUM else np.float64
    asked, step = query.astype(wide), max(64, TILE_BYTES // (4 * query.shape[1]))
    for start in range(0, len(codes), step):
        part = slice(start, start + step)
        whole = (asked @ codes[part].astype(wide).T).astype(np.float32)
        out[:, part] = whole * (unit[:, None] * scale[part]) + bias[part]
