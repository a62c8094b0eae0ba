"""Embeddings -> Neighbors: the k nodes that follow a node, lead to it, or are like it; exactly or fast.

Faiss, and ScaNN of the extra ``scann``, are loaded when a structure of theirs is asked for.
"""

from typing import TYPE_CHECKING

from thence.base.lazy import lazily
from thence.index.exact import ExactIndex, top_k
from thence.index.neighbors import Neighbors
from thence.index.table import NeighborTable

if TYPE_CHECKING:
    from thence.index.ann import AnnIndex as AnnIndex
    from thence.index.build import build_index as build_index
    from thence.index.build import measured as measured
    from thence.index.keep import load_index as load_index
    from thence.index.lookup import TableIndex as TableIndex
    from thence.index.options import IndexOptions as IndexOptions
    from thence.index.protocol import Index as Index
    from thence.index.report import IndexReport as IndexReport

_HOME = {
    "AnnIndex": "thence.index.ann",
    "Index": "thence.index.protocol",
    "IndexOptions": "thence.index.options",
    "IndexReport": "thence.index.report",
    "TableIndex": "thence.index.lookup",
    "build_index": "thence.index.build",
    "load_index": "thence.index.keep",
    "measured": "thence.index.build",
}

__all__ = [
    "AnnIndex",
    "ExactIndex",
    "Index",
    "IndexOptions",
    "IndexReport",
    "NeighborTable",
    "Neighbors",
    "TableIndex",
    "build_index",
    "load_index",
    "measured",
    "top_k",
]

__getattr__ = lazily(__name__, _HOME)
