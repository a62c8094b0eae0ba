"""Walks, and what lies near a node as they see it: directed, restarting, alternating; PageRank by push."""

from thence.graph.walk.mixed import mixture as mixture
from thence.graph.walk.nearby import Nearby as Nearby
from thence.graph.walk.page_rank import contributions as contributions
from thence.graph.walk.page_rank import push as push
from thence.graph.walk.visited import visits as visits
from thence.graph.walk.walks import Walker as Walker
