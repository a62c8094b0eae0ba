"""The second stage: re-rank what the first stage retrieves, and say by which parts.

The public names are loaded when they are first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from thence.base.lazy import lazily

if TYPE_CHECKING:
    from thence.rerank.explain import reasons as reasons
    from thence.rerank.learn import Lesson as Lesson
    from thence.rerank.learn import RerankConfig as RerankConfig
    from thence.rerank.reranker import Reranker as Reranker
    from thence.rerank.table import RerankedTable as RerankedTable
    from thence.rerank.table import reranked_table as reranked_table
    from thence.rerank.words import Reason as Reason

_HOME = {
    "Lesson": "thence.rerank.learn",
    "Reason": "thence.rerank.words",
    "RerankConfig": "thence.rerank.learn",
    "RerankedTable": "thence.rerank.table",
    "Reranker": "thence.rerank.reranker",
    "reasons": "thence.rerank.explain",
    "reranked_table": "thence.rerank.table",
}
__getattr__ = lazily(__name__, _HOME)


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return sorted(_HOME)
