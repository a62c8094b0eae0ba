"""What is being served: one bundle, or models without items, prepared and verified, replaced as a whole.

A request takes :meth:`Store.live` or :meth:`Store.models` once and answers from that alone, so that no answer
mixes two models. What is new is prepared and asked a few questions before one assignment publishes it; when it
fails, the old one keeps serving.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np

from thence.base.errors import ArtifactError
from thence.index.exact import ExactIndex
from thence.index.neighbors import DIRECTIONS
from thence.serve.bundle import Bundle
from thence.serve.catalogue import Catalogue
from thence.serve.convert import try_model
from thence.serve.decide import try_policy
from thence.serve.examples import ArcExample, strong_examples
from thence.serve.models import Models
from thence.serve.place import Newcomers
from thence.serve.problems import RefusedError

if TYPE_CHECKING:
    from thence.index.ann import AnnIndex

SMOKE_QUERIES = 16


@dataclass(frozen=True, eq=False, repr=False)
class Live:
    """A bundle with everything that is worked out once, at start."""

    bundle: Bundle
    index: AnnIndex | ExactIndex
    catalogue: Catalogue
    examples: list[ArcExample]
    newcomers: Newcomers | None = None

    @classmethod
    def prepare(cls, bundle: Bundle) -> Live:
        """Build the index and the search, and warm what is computed lazily."""
        catalogue = Catalogue.of_graph(bundle.graph)
        catalogue.search("warm")
        for arcs in bundle.graph.relations.values():
            arcs.positions(np.zeros(0, np.int64), np.zeros(0, np.int64))
        index = bundle.index or ExactIndex(bundle.embeddings)
        examples = strong_examples(bundle.graph, catalogue)
        live = cls(bundle, index, catalogue, examples, Newcomers.prepare(bundle))
        _ = live.version, "" in bundle.embeddings.ids
        return live

    @property
    def version(self) -> str:
        """The model version that every answer carries."""
        return self.bundle.version


class Store:
    """Holds what is live; empty until something is published.

    Example:
        >>> store = Store()
        >>> store.ready
        False
    """

    def __init__(self) -> None:
        self._served: tuple[Live | None, Models] | None = None
        self._publishing = threading.Lock()

    @property
    def ready(self) -> bool:
        """Whether something verified is live."""
        return self._served is not None

    @property
    def has_items(self) -> bool:
        """Whether a bundle is live, not models alone."""
        return self._served is not None and self._served[0] is not None

    @property
    def version(self) -> str:
        """The bundle's model version; without one, that of the models.

        Raises:
            RefusedError: nothing is loaded yet (503).
        """
        live, models = self._now()
        return models.version if live is None else live.version

    def live(self) -> Live:
        """The bundle that answers now.

        Raises:
            RefusedError: nothing is loaded yet (503), or models without items (404).
        """
        live, models = self._now()
        if live is None:
            raise RefusedError(
                404, "no items are served", fix="Start the service with a run.", model_version=models.version
            )
        return live

    def models(self) -> Models:
        """The models beside the items that answer now.

        Raises:
            RefusedError: nothing is loaded yet (503).
        """
        return self._now()[1]

    @overload
    def publish(self, source: Bundle) -> Live: ...

    @overload
    def publish(self, source: Models) -> None: ...

    @overload
    def publish(self, source: Bundle | Models) -> Live | None: ...

    def publish(self, source: Bundle | Models) -> Live | None:
        """Prepare a bundle or models, ask a few questions, and let them answer from now on.

        Raises:
            ArtifactError: they failed the questions; what was live before still is.
        """
        with self._publishing:
            models = source if isinstance(source, Models) else Models(source.conversion, source.policy)
            fresh = None if isinstance(source, Models) else Live.prepare(source)
            if models.conversion is not None:
                try_model(models.conversion)
            if models.policy is not None:
                try_policy(models.policy, models.conversion)
            if fresh is not None:
                _smoke_test(fresh)
            elif not models.version:
                raise ArtifactError("there is nothing to serve", fix="Give a conversion model or a policy.")
            self._served = fresh, models
        return fresh

    def _now(self) -> tuple[Live | None, Models]:
        if self._served is None:
            raise RefusedError(503, "no model is loaded yet", fix="Ask /health/ready until it says ready.")
        return self._served


def _smoke_test(live: Live) -> None:
    num_nodes = len(live.index.ids)
    if not num_nodes:
        raise ArtifactError("the bundle has no items", where=repr(live.bundle))
    asked = np.unique(np.linspace(0, num_nodes - 1, SMOKE_QUERIES).astype(np.int64))
    second = live.bundle.reranked
    if second is not None and (second.neighbors.next.nodes == np.arange(num_nodes)[:, None]).any():
        raise ArtifactError("the second stage answers an item with itself", where=repr(live.bundle))
    for direction in DIRECTIONS:
        found = live.index.search(asked, min(10, num_nodes), direction)  # type: ignore[arg-type]
        if (found.nodes == asked[:, None]).any() or (found.counts < min(10, num_nodes - 1)).any():
            raise ArtifactError(f"wrong answers in direction {direction}", where=repr(live.bundle))
