"""Embeddings to fewer bytes, and what that costs, measured at once."""

from __future__ import annotations

from thence.base.errors import ConfigError, DataError
from thence.base.progress import Progress, silent
from thence.compress.quantize.cost import QUERIES, Validate, measure
from thence.compress.quantize.kinds import kind_named
from thence.compress.quantize.quantized import SIDES, QuantizedEmbeddings
from thence.compress.quantize.space import Space
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

    ======== ================================================== ================================
    kind     how numbers are kept                               bytes of a vector of dim numbers
    ======== ================================================== ================================
    float16  11 bits of precision                               2 dim
    bfloat16 8 bits of precision                                2 dim
    int8     whole numbers, one scale a row                     dim + 4
    int8_dim whole numbers, one scale a dimension               dim
    int4     16 levels and a factor a row                       dim / 2 + 4
    int2     4 levels and a factor a row                        dim / 4 + 4
    pq16     prototypes of each four numbers, a factor a row    dim / 4 + 4, and a table of 512 dim
    rabitq   signs, and the two factors of RaBitQ               dim / 8 + 8
    ======== ================================================== ================================

    All but float16, bfloat16 and int8_dim code vectors in a space of their own
    (:mod:`thence.compress.quantize.space`), without which they lose far more.

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
        ConfigError: there is no such kind, or ``queries`` is below nought.
        DataError: the numbers do not fit the kind, or there are no nodes.

    Example:
        >>> import numpy as np
        >>> from thence.base.ids import IdMap
        >>> vectors = np.random.default_rng(0).normal(size=(2, 100, 16))
        >>> small = quantize(Embeddings(IdMap(map(str, range(100))), *vectors), "int8")
        >>> round(small.metrics["bytes_ratio"], 1), small.metrics["recall@20"] > 0.97
        (3.0, True)
    """
    made = kind_named(kind)
    if queries < 0:
        raise ConfigError(f"queries={queries}", fix="Give how many are drawn, or 0 for none.")
    if not len(embeddings.ids) or not embeddings.dim:
        raise DataError("there is nothing to quantize", where=repr(embeddings))
    space = Space.fit(embeddings.source, embeddings.target, seed) if made.spaced else None
    codes = []
    for number, side in enumerate(SIDES, 1):
        vectors = getattr(embeddings, side)
        codes.append(made.fit(vectors if space is None else space.into(vectors, side), seed))
        progress("quantize", number, len(SIDES))
    own, bias = None, embeddings.bias
    if space is not None:
        own, common = space.own(embeddings.source, embeddings.target)
        bias = common + (0 if bias is None else bias)
    source, target = codes
    bias, own = (array if array is not None and array.any() else None for array in (bias, own))
    small = QuantizedEmbeddings(embeddings.ids, kind, source, target, bias, own, space, info=embeddings.info)
    metrics = measure(small, embeddings, validate=validate, queries=queries, seed=seed)
    return small.with_metrics(metrics | {"bytes_ratio": bytes_ratio(small, embeddings)})


def bytes_ratio(small: QuantizedEmbeddings, exact: Embeddings) -> float:
    """How many times as many bytes the exact vectors take, with their bias where it is not all noughts."""
    bias = 0 if exact.bias is None or not exact.bias.any() else exact.bias.nbytes
    return (exact.source.nbytes + exact.target.nbytes + bias) / small.bytes
