"""Exact answers over all nodes or a few: blocks of scores by linear algebra, what matters scored once more.

A block's scores depend in their last digits on the shape of the batch. Whatever comes within that rounding of
the k-th best is therefore scored again, each pair by itself, so that answers do not depend on the batch.

Time O(num_queries · num_answers · dim), memory one block; the vectors may lie on disk, they are read once.
"""

from __future__ import annotations

import numpy as np

from thence.base.ids import MISSING
from thence.index.filters import Filter
from thence.index.kernels import score_block
from thence.index.space import Space

BLOCK = 1 << 15
"""Answers that are scored at once."""
QUERIES = 256
"""Queries that are scored at once."""
NO_SCORES = np.zeros(0, np.float32)
SCORE_NS, GATHER_NS = 5.0, 60.0
"""To score a row of 128 dimensions, and to read it once a batch."""
ROUNDING = 2.0**-18
"""Relative to |q|·|x|: eight times the error that sums of a few hundred float32 products were seen to have."""


def scan(asked: np.ndarray, space: Space, k: int, bar: Filter) -> tuple[np.ndarray, np.ndarray]:
    """The k best answers of each query by scoring every node that the filter leaves.

    Args:
        asked: ``[Q, dim]`` float32 query vectors.
        space: the answers.
        k: how many.
        bar: what may not be answered.

    Returns:
        ``[Q, k]`` int32 nodes, best first, ties by node, -1 where fewer exist; ``[Q, k]`` float32 scores.

    Example:
        >>> eye = np.eye(3, dtype=np.float32)
        >>> bar = Filter.of(np.array([0]), 3, alive=None, allowed=None, exclude=None)
        >>> scan(np.array([[3, 2, 1]], np.float32), Space("next", eye, eye), 2, bar)[0].tolist()
        [[1, 2]]
    """
    nodes, scores = empty_answers(len(asked), k)
    answers = bar.answers() if len(bar.keep) else None
    count = bar.kept
    lengths = np.sqrt((asked.astype(np.float64) ** 2).sum(axis=1))
    for begin in range(0, count, BLOCK):
        end = min(begin + BLOCK, count)
        these = np.arange(begin, end) if answers is None else answers[begin:end]
        rows = space.rows[begin:end] if answers is None else space.rows[these]
        longest = float(np.sqrt(np.einsum("ij,ij->i", rows, rows).max(initial=0.0)))
        for first in range(0, len(asked), QUERIES):
            part = np.arange(first, min(first + QUERIES, len(asked)))
            slack = (ROUNDING * longest * lengths[part]).astype(np.float32)
            block = asked[part] @ rows.T
            best = nodes[part], scores[part]
            plus = NO_SCORES if space.bias is None else space.bias
            score_block(asked[part], block, these, space.rows, plus, slack, bar.take(part).barred, best)
            nodes[part], scores[part] = best
    return nodes, scores


def scan_cost(num_answers: int, dim: int, num_queries: int) -> float:
    """Modelled nanoseconds a query to score every answer for a batch."""
    return num_answers * dim / 128 * (SCORE_NS + GATHER_NS / max(1, num_queries))


def empty_answers(num_queries: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Lists without answers: nodes of -1, scores of ``-inf``."""
    return np.full((num_queries, k), MISSING, np.int32), np.full((num_queries, k), -np.inf, np.float32)
