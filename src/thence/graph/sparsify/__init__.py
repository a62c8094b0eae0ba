"""Sparsifiers: fewer arcs that do the work of all, and figures of what they lose."""

from thence.graph.sparsify.local_degree import local_degree as local_degree
from thence.graph.sparsify.loss import loss_of as loss_of
from thence.graph.sparsify.resistance import leverage as leverage
from thence.graph.sparsify.resistance import sample_resistance as sample_resistance
from thence.graph.sparsify.similar import fill_tail as fill_tail
from thence.graph.sparsify.similar import inner_product as inner_product
from thence.graph.sparsify.similar import top_similar as top_similar
from thence.graph.sparsify.structure import structure as structure
from thence.graph.sparsify.top import top_score as top_score
from thence.graph.sparsify.top import top_weight as top_weight
from thence.graph.sparsify.uniform import uniform as uniform
