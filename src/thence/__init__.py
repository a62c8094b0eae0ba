"""thence: recommendations that have a direction.

The public names are loaded when they are first asked for, so that ``import thence`` costs next to nothing::

    EventLog → DiGraph → Embeddings(source, target) → Neighbors
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from thence.base.lazy import lazily

if TYPE_CHECKING:
    from thence.base.errors import ThenceError as ThenceError
    from thence.decide.estimator import DecisionBoundary as DecisionBoundary
    from thence.decide.policy import Policy as Policy
    from thence.encode.embeddings import Embeddings as Embeddings
    from thence.evaluate import Report as Report
    from thence.events import EventLog as EventLog
    from thence.events import ingest as ingest
    from thence.events.worlds import WorldConfig as WorldConfig
    from thence.events.worlds import simulate as simulate
    from thence.graph.build import GraphConfig as GraphConfig
    from thence.graph.build import build_graph as build_graph
    from thence.graph.digraph import DiGraph as DiGraph
    from thence.index import ExactIndex as ExactIndex
    from thence.index import Neighbors as Neighbors
    from thence.serve import Bundle as Bundle
    from thence.train import TrainConfig as TrainConfig
    from thence.train import fit as fit

__version__ = "0.1.0"

_HOME = {
    "Bundle": "thence.serve",
    "DecisionBoundary": "thence.decide.estimator",
    "DiGraph": "thence.graph.digraph",
    "Embeddings": "thence.encode.embeddings",
    "EventLog": "thence.events",
    "ExactIndex": "thence.index",
    "GraphConfig": "thence.graph.build",
    "Neighbors": "thence.index",
    "Policy": "thence.decide.policy",
    "Report": "thence.evaluate",
    "ThenceError": "thence.base.errors",
    "TrainConfig": "thence.train",
    "WorldConfig": "thence.events.worlds",
    "build_graph": "thence.graph.build",
    "fit": "thence.train",
    "ingest": "thence.events",
    "simulate": "thence.events.worlds",
}
__all__ = sorted(_HOME)  # type: ignore[reportUnsupportedDunderAll]
__getattr__ = lazily(__name__, _HOME)


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return [*__all__, "__version__"]
