"""Reordering: nodes numbered so that what is used together lies together in memory."""

from thence.graph.reorder.relabel import Reordered as Reordered
from thence.graph.reorder.relabel import relabel as relabel
from thence.graph.reorder.relabel import reorder as reorder
