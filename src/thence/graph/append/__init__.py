"""Append: from new events to the next snapshot of a graph, at the cost of what is new."""

from thence.graph.append.append import append as append
from thence.graph.append.append import snapshot as snapshot
from thence.graph.append.append import start as start
from thence.graph.append.report import AppendReport as AppendReport
