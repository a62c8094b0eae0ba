"""DiGraph: arcs in both directions, built from an event log."""

from thence.graph.arcs import Arcs as Arcs
from thence.graph.digraph import DiGraph as DiGraph
