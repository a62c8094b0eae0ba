"""What is being served: one bundle, prepared and verified, replaced as a whole.

A request takes :meth:`Store.live` once and answers from that alone, so that no answer mixes two models. A new
bundle is prepared and asked a few questions before one assignment publishes it; when it fails, the old one
keeps serving.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from thence.base.errors import ArtifactError
from thence.index.exact import ExactIndex
from thence.index.neighbors import DIRECTIONS
from thence.serve.bundle import Bundle
from thence.serve.catalogue import Catalogue
from thence.serve.convert import try_model
from thence.serve.examples import ArcExample, strong_examples
from thence.serve.problems import RefusedError

SMOKE_QUERIES = 16


@dataclass(frozen=True, eq=False, repr=False)
class Live:
    """A bundle with everything that is worked out once, at start."""

    bundle: Bundle
    index: ExactIndex
    catalogue: Catalogue
    examples: list[ArcExample]

    @classmethod
    def prepare(cls, bundle: Bundle) -> Live:
        """Build the index and the search, and warm what is computed lazily."""
        catalogue = Catalogue.of_graph(bundle.graph)
        catalogue.search("warm")
        for arcs in bundle.graph.relations.values():
            arcs.positions(np.zeros(0, np.int64), np.zeros(0, np.int64))
        live = cls(bundle, ExactIndex(bundle.embeddings), catalogue, strong_examples(bundle.graph, catalogue))
        _ = live.version, "" in bundle.embeddings.ids
        return live

    @property
    def version(self) -> str:
        """The model version that every answer carries."""
        return self.bundle.version


class Store:
    """Holds the bundle that is live; empty until the first one is published.

    Example:
        >>> store = Store()
        >>> store.ready
        False
    """

    def __init__(self) -> None:
        self._live: Live | None = None
        self._publishing = threading.Lock()

    @property
    def ready(self) -> bool:
        """Whether a verified bundle is live."""
        return self._live is not None

    def live(self) -> Live:
        """The bundle that answers now.

        Raises:
            RefusedError: none is loaded yet (503).
        """
        if self._live is None:
            raise RefusedError(503, "no model is loaded yet", fix="Ask /health/ready until it says ready.")
        return self._live

    def publish(self, bundle: Bundle) -> Live:
        """Prepare a bundle, ask it a few questions, and let it answer from now on.

        Raises:
            ArtifactError: it failed the questions; what was live before still is.
        """
        with self._publishing:
            fresh = Live.prepare(bundle)
            _smoke_test(fresh)
            self._live = fresh
        return fresh


def _smoke_test(live: Live) -> None:
    num_nodes = len(live.index.ids)
    if not num_nodes:
        raise ArtifactError("the bundle has no items", where=repr(live.bundle))
    asked = np.unique(np.linspace(0, num_nodes - 1, SMOKE_QUERIES).astype(np.int64))
    if live.bundle.conversion is not None:
        try_model(live.bundle.conversion)
    second = live.bundle.reranked
    if second is not None and (second.neighbors.next.nodes == np.arange(num_nodes)[:, None]).any():
        raise ArtifactError("the second stage answers an item with itself", where=repr(live.bundle))
    for direction in DIRECTIONS:
        found = live.index.search(asked, min(10, num_nodes), direction)  # type: ignore[arg-type]
        if (found.nodes == asked[:, None]).any() or (found.counts < min(10, num_nodes - 1)).any():
            raise ArtifactError(f"wrong answers in direction {direction}", where=repr(live.bundle))
