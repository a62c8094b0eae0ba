"""Embeddings to fewer bytes, and what that costs, measured at once."""

from __future__ import annotations

from thence.base.errors import DataError
from thence.base.progress import Progress, silent
from thence.compress.quantize.cost import QUERIES, Validate, measure
from thence.compress.quantize.kinds import kind_named
from thence.compress.quantize.quantized import QuantizedEmbeddings
from thence.encode.embeddings import Embeddings


def quantize(
    embeddings: Embeddings,
    kind: str = "int8",
    *,
    validate: Validate | None = None,
    queries: int = QUERIES,
    seed: int = 0,
    progress: Progress = silent,
) -> QuantizedEmbeddings:
    """Keep embeddings in fewer bytes, and measure what is lost.

    ======== ============================================ =====================================
    kind     how numbers are kept                         bytes of a vector of dim numbers
    ======== ============================================ =====================================
    float16  11 bits of precision                         2 dim
    bfloat16 8 bits of precision                          2 dim
    int8     whole numbers, one scale a row               dim + 4
    int8_dim whole numbers, one scale a dimension         dim
    int4     whole numbers of 4 bits, one scale a row     dim / 2 + 4
    ======== ============================================ =====================================

    Args:
        embeddings: what is to be kept.
        kind: one of the table.
        validate: from a scorer to HitRate@10 on validation cases; the figure before and after is kept then.
        queries: nodes that are drawn to measure recall@20 with, in both directions; none when 0.
        seed: of the draw, and of kinds that are fitted by chance.
        progress: told after each side.

    Returns:
        Quantized embeddings whose ``metrics`` hold ``bytes_ratio``, ``recall@20`` (share of the 20 best by
        exact scores that are among the 20 best by codes), and ``HitRate@10``, ``HitRate@10_exact`` and
        ``HitRate@10_share`` where ``validate`` is given.

    Raises:
        ConfigError: there is no such kind.
        DataError: the numbers do not fit the kind, or there are no nodes.

    Example:
        >>> from thence.base.ids import IdMap
        >>> vectors = np.random.default_rng(0).normal(size=(2, 100, 16))
        >>> small = quantize(Embeddings(IdMap(map(str, range(100))), *vectors), "int8")
        >>> round(small.metrics["bytes_ratio"], 1), small.metrics["recall@20"] > 0.97
        (3.2, True)
    """
    made = kind_named(kind)
    if not len(embeddings.ids) or not embeddings.dim:
        raise DataError("there is nothing to quantize", where=repr(embeddings))
    source = made.fit(embeddings.source, seed, "source")
    progress("quantize", 1, 2)
    target = made.fit(embeddings.target, seed, "target")
    progress("quantize", 2, 2)
    bias = embeddings.bias if embeddings.bias is not None and embeddings.bias.any() else None
    small = QuantizedEmbeddings(embeddings.ids, kind, source, target, bias, {}, embeddings.info)
    metrics = measure(small, embeddings, validate=validate, queries=queries, seed=seed)
    metrics["bytes_ratio"] = small.bytes_ratio
    return QuantizedEmbeddings(embeddings.ids, kind, source, target, bias, metrics, embeddings.info)
