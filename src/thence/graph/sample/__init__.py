"""Samplers: the neighbourhoods of some seeds, small enough to compute on."""

from thence.graph.sample.adaptive import Adaptive as Adaptive
from thence.graph.sample.adaptive import Reach as Reach
from thence.graph.sample.cluster import Clusters as Clusters
from thence.graph.sample.fan_out import FanOut as FanOut
from thence.graph.sample.labor import Labor as Labor
from thence.graph.sample.ladies import Ladies as Ladies
from thence.graph.sample.loader import Loader as Loader
from thence.graph.sample.power_law import PowerLaw as PowerLaw
from thence.graph.sample.power_law import power_law as power_law
from thence.graph.sample.roles import roles_side as roles_side
from thence.graph.sample.saint import Saint as Saint
from thence.graph.sample.sample import NeighborSampler as NeighborSampler
from thence.graph.sample.sample import Sample as Sample
from thence.graph.sample.shadow import Shadow as Shadow
from thence.graph.sample.side import Direction as Direction
from thence.graph.sample.side import Side as Side
from thence.graph.sample.side import read_side as read_side
from thence.graph.sample.side import side_of as side_of
