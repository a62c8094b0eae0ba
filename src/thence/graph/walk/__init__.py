"""Walks, and what lies near a node as they see it: directed, restarting, alternating; PageRank by push."""

from thence.graph.walk.mixture import mixture as mixture
from thence.graph.walk.nearby import Nearby as Nearby
from thence.graph.walk.push import contributions as contributions
from thence.graph.walk.push import push as push
from thence.graph.walk.visits import visits as visits
from thence.graph.walk.walks import Walker as Walker
