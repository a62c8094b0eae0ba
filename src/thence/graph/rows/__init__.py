"""Feature rows: the matrix with one row a node, read fast where it fits memory, held in part where not."""

from thence.graph.rows.gather import gather
from thence.graph.rows.rows import Rows

__all__ = ["Rows", "gather"]
