"""Vectors for other systems: Parquet files, Qdrant, PostgreSQL; one set a role, so that direction is kept."""

from typing import TYPE_CHECKING

from thence.base.lazy import lazily

if TYPE_CHECKING:
    from thence.index.push.outside import asking as asking
    from thence.index.push.parquet import read_vectors as read_vectors
    from thence.index.push.parquet import write_vectors as write_vectors
    from thence.index.push.pgvector import push_pgvector as push_pgvector
    from thence.index.push.qdrant import push_qdrant as push_qdrant

_HOME = {
    "asking": "thence.index.push.outside",
    "push_pgvector": "thence.index.push.pgvector",
    "push_qdrant": "thence.index.push.qdrant",
    "read_vectors": "thence.index.push.parquet",
    "write_vectors": "thence.index.push.parquet",
}
__all__ = sorted(_HOME)  # type: ignore[reportUnsupportedDunderAll]
__getattr__ = lazily(__name__, _HOME)
