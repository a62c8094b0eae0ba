"""Readers of the public benchmarks' files, and splits where they name none."""

from thence.graph.benchmark.read import read_labelled as read_labelled
from thence.graph.benchmark.splits import class_split as class_split
from thence.graph.benchmark.splits import random_split as random_split
