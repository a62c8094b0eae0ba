"""Embeddings -> Neighbors: the k nodes that follow a node, or lead to it, exactly."""

from thence.index.exact import ExactIndex, top_k
from thence.index.neighbors import Neighbors
from thence.index.table import NeighborTable

__all__ = ["ExactIndex", "NeighborTable", "Neighbors", "top_k"]
