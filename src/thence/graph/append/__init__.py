"""Append: from new events to the next snapshot of a graph, at the cost of what is new."""

from thence.graph.append.report import AppendReport as AppendReport
from thence.graph.append.snapshots import append as append
from thence.graph.append.snapshots import snapshot as snapshot
from thence.graph.append.snapshots import start as start
