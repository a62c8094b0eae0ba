"""Negatives: pairs that are no arcs, each with the probability of its draw."""

from thence.graph.negative.hard import HardNegatives as HardNegatives
from thence.graph.negative.in_batch import InBatchNegatives as InBatchNegatives
from thence.graph.negative.negatives import Negatives as Negatives
from thence.graph.negative.negatives import NegativeSampler as NegativeSampler
from thence.graph.negative.proposed import PopularityNegatives as PopularityNegatives
from thence.graph.negative.proposed import UniformNegatives as UniformNegatives
from thence.graph.negative.reverse import ReversedNegatives as ReversedNegatives
