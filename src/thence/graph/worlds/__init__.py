"""Small labelled graphs whose answers lie far away and are known."""

from thence.graph.worlds.hops import hops
from thence.graph.worlds.islands import Islands, islands
from thence.graph.worlds.ring import rings
from thence.graph.worlds.tree import trees

__all__ = ["Islands", "hops", "islands", "rings", "trees"]
