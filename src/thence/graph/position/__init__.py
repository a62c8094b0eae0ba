"""Where nodes stand in a directed graph: random walks, random features, eigenvectors, anchors, profiles."""

from thence.graph.position.anchors import anchors as anchors
from thence.graph.position.approximate import approximate_laplacian as approximate_laplacian
from thence.graph.position.approximate import approximate_magnetic as approximate_magnetic
from thence.graph.position.choose import DEFAULT as DEFAULT
from thence.graph.position.choose import KINDS as KINDS
from thence.graph.position.choose import positions as positions
from thence.graph.position.choose import settings_of as settings_of
from thence.graph.position.found import Found as Found
from thence.graph.position.laplacian import laplacian as laplacian
from thence.graph.position.magnetic import magnetic as magnetic
from thence.graph.position.positions import Positions as Positions
from thence.graph.position.positions import fingerprint as fingerprint
from thence.graph.position.profile import profile as profile
from thence.graph.position.propagate import propagate as propagate
from thence.graph.position.svd import svd as svd
from thence.graph.position.update import updated as updated
from thence.graph.position.walks import returns as returns
