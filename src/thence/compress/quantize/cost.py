"""What quantized embeddings cost: recall against exact scores, and HitRate on validation cases."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from thence.base.rng import generator
from thence.encode.embeddings import Embeddings
from thence.encode.scorer import Scorer

Validate = Callable[[Scorer], float]
QUERIES, LIST = 256, 20


def measure(
    small: Scorer,
    exact: Embeddings,
    *,
    validate: Validate | None = None,
    queries: int = QUERIES,
    seed: int = 0,
) -> dict[str, float]:
    """What a scorer loses against exact scores: recall@20, and HitRate@10 where ``validate`` is given.

    Args:
        small: codes, or codes with their pool scored again.
        exact: the embeddings that they were made of.
        validate: from a scorer to HitRate@10.
        queries: nodes that are drawn for the recall.
        seed: of the draw.
    """
    metrics = {}
    if queries:
        metrics["recall@20"] = recall(small, exact, queries=queries, seed=seed)
    if validate is not None:
        reached, whole = float(validate(small)), float(validate(exact))
        metrics |= {"HitRate@10": reached, "HitRate@10_exact": whole}
        if whole > 0:
            metrics["HitRate@10_share"] = reached / whole
    return metrics


def recall(small: Scorer, exact: Scorer, *, k: int = LIST, queries: int = QUERIES, seed: int = 0) -> float:
    """Recall@k against exact scores: mean share of the k best that are found, over both directions.

    An answer counts as found where its exact score is at least the k-th best (ties are all right).

    Args:
        small: what is judged.
        exact: the truth, of the same ids.
        k: length of the lists; all other nodes where there are fewer.
        queries: nodes drawn.
        seed: of the draw.
    """
    num = len(exact.ids)
    k = min(k, num - 1)
    if k < 1:
        return 1.0
    drawn = generator(seed, "recall").choice(num, min(queries, num), replace=False)
    found = 0.0
    for start in range(0, len(drawn), 32):
        asked = drawn[start : start + 32]
        for name in ("scores", "scores_into"):
            truth, ours = (np.array(getattr(scorer, name)(asked)) for scorer in (exact, small))
            for block in (truth, ours):
                block[np.arange(len(asked)), asked] = -np.inf
            least = np.partition(truth, num - k, axis=1)[:, num - k]
            best = np.argpartition(ours, num - k, axis=1)[:, num - k :]
            found += float((np.take_along_axis(truth, best, axis=1) >= least[:, None]).sum())
    return found / (2 * k * len(drawn))
