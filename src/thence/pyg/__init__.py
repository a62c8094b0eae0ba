"""thence for PyTorch Geometric: its loaders on thence's samplers, and graphs there and back."""

from thence.pyg._installed import RELEASE as RELEASE
from thence.pyg.from_data import from_pyg as from_pyg
from thence.pyg.loader import LinkNeighborLoader as LinkNeighborLoader
from thence.pyg.loader import NeighborLoader as NeighborLoader
from thence.pyg.sampler import Sampler as Sampler
from thence.pyg.sampler import neighbor_sampler as neighbor_sampler
from thence.pyg.sides import sides as sides
from thence.pyg.to_data import to_pyg as to_pyg
