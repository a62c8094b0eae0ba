"""Partitions: a graph divided among machines, each with its own nodes and a halo of their neighbours."""

from thence.graph.partition.choose import partition as partition
from thence.graph.partition.metis import metis as metis
from thence.graph.partition.part_graph import PartGraph as PartGraph
from thence.graph.partition.parts import Partition as Partition
from thence.graph.partition.plain import by_hash as by_hash
from thence.graph.partition.plain import by_range as by_range
from thence.graph.partition.store import write_parts as write_parts
from thence.graph.partition.streaming import streaming as streaming
from thence.graph.partition.symmetric import symmetrised as symmetrised
