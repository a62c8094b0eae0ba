"""What is being served: one bundle, or models without items, prepared and verified, replaced as a whole.

A request takes :meth:`Store.live` or :meth:`Store.models` once and answers from that alone, so that no answer
mixes two models. What is new is prepared and asked a few questions before one assignment publishes it; when it
fails, the old one keeps serving. What was live before is kept in memory, for one step back.
"""

from __future__ import annotations

import ctypes
import gc
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, overload

import numpy as np
import pyarrow as pa

from thence.base.errors import ArtifactError
from thence.graph.digraph import CSR_FIELDS, DiGraph
from thence.index.exact import ExactIndex
from thence.index.neighbors import DIRECTIONS, Direction, Neighbors
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

SMOKE_QUERIES = 32
RECALL_FLOOR = 0.85
"""Share of the best answers that an index has to find; one is built for .9 at least, and few queries vary."""


@dataclass(frozen=True, eq=False, repr=False)
class Live:
    """A bundle with everything that is worked out once, at start.

    Args:
        bundle: as it was opened.
        index: answers from its embeddings.
        catalogue: its items, to be shown and searched.
        examples: where to begin.
        graph: its graph over plain arrays; those of an opened one are mapped files, slow to take apart.
        known: for each direction ``[num_nodes]`` bool, whether the model has a vector for the question.
        newcomers: its student, where it has one.
    """

    bundle: Bundle
    index: AnnIndex | ExactIndex
    catalogue: Catalogue
    examples: list[ArcExample]
    graph: DiGraph
    known: Mapping[Direction, np.ndarray]
    newcomers: Newcomers | None = None

    @classmethod
    def prepare(cls, bundle: Bundle) -> Live:
        """Build the index and the search, and warm what is computed lazily."""
        catalogue = Catalogue.of_graph(bundle.graph)
        catalogue.search("warm")
        graph, model = _plain(bundle.graph), bundle.embeddings
        known: dict[Direction, np.ndarray] = {
            "next": np.logical_or.reduce(model.source, axis=1),
            "before": np.logical_or.reduce(model.target, axis=1),
        }
        for arcs in graph.relations.values():
            arcs.positions(np.zeros(0, np.int64), np.zeros(0, np.int64))
        index = bundle.index or ExactIndex(model)
        examples = strong_examples(graph, catalogue)
        live = cls(bundle, index, catalogue, examples, graph, known, Newcomers.prepare(bundle))
        _ = live.version, "" in model.ids
        return live

    @property
    def version(self) -> str:
        """The model version that every answer carries."""
        return self.bundle.version

    @cached_property
    def lengths(self) -> dict[str, np.ndarray]:
        """For each role ``[num_nodes]`` float32, the length of each vector; counted at the first question."""
        model = self.bundle.embeddings
        return {role: np.linalg.norm(getattr(model, role), axis=1) for role in ("source", "target")}


@dataclass(frozen=True, eq=False, repr=False)
class Served:
    """One state of what is served.

    Args:
        live: a bundle, prepared; None for models alone.
        models: beside it.
        stamp: fingerprints of the folders that it came from; None where there are none.
        since: when it was published.
    """

    live: Live | None
    models: Models
    stamp: tuple[str, ...] | None = None
    since: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def version(self) -> str:
        """The bundle's model version; without one, that of the models."""
        return self.models.version if self.live is None else self.live.version


class Store:
    """Holds what is live; empty until something is published.

    Example:
        >>> store = Store()
        >>> store.ready
        False
    """

    def __init__(self) -> None:
        self._served: Served | None = None
        self._before: Served | None = None
        self._publishing = threading.Lock()

    @property
    def ready(self) -> bool:
        """Whether something verified is live."""
        return self._served is not None

    @property
    def has_items(self) -> bool:
        """Whether a bundle is live, not models alone."""
        return self._served is not None and self._served.live is not None

    @property
    def version(self) -> str:
        """The bundle's model version; without one, that of the models.

        Raises:
            RefusedError: nothing is loaded yet (503).
        """
        return self._now().version

    @property
    def stamp(self) -> tuple[str, ...] | None:
        """Fingerprints of the folders that what is live came from; None where it came from none."""
        return None if self._served is None else self._served.stamp

    def live(self) -> Live:
        """The bundle that answers now.

        Raises:
            RefusedError: nothing is loaded yet (503), or models without items (404).
        """
        now = self._now()
        if now.live is None:
            raise RefusedError(
                404, "no items are served", fix="Start the service with a run.", model_version=now.version
            )
        return now.live

    def models(self) -> Models:
        """The models beside the items that answer now.

        Raises:
            RefusedError: nothing is loaded yet (503).
        """
        return self._now().models

    @overload
    def publish(self, source: Bundle, stamp: tuple[str, ...] | None = None) -> Live: ...

    @overload
    def publish(self, source: Models, stamp: tuple[str, ...] | None = None) -> None: ...

    @overload
    def publish(self, source: Bundle | Models, stamp: tuple[str, ...] | None = None) -> Live | None: ...

    def publish(self, source: Bundle | Models, stamp: tuple[str, ...] | None = None) -> Live | None:
        """Prepare a bundle or models, ask a few questions, and let them answer from now on.

        Args:
            source: what is to answer.
            stamp: fingerprints of the folders that it came from.

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
            self._before, self._served = self._served, Served(fresh, models, stamp)
        _let_go()
        return fresh

    def rollback(self) -> None:
        """Let what was live before answer again; what is live now becomes what was before.

        Raises:
            RefusedError: nothing was live before (409).
        """
        with self._publishing:
            if self._before is None:
                raise RefusedError(409, "nothing was live before", fix="Load a model first.")
            again = replace(self._before, since=datetime.now(UTC))
            self._before, self._served = self._served, again

    def standing(self) -> tuple[Served, Served | None]:
        """What is live, and what was before it.

        Raises:
            RefusedError: nothing is loaded yet (503).
        """
        with self._publishing:
            return self._now(), self._before

    def told(self) -> list[str]:
        """What is live, a line for each part that answers.

        Raises:
            RefusedError: nothing is loaded yet (503).
        """
        now = self._now()
        lines = [] if now.live is None else [repr(now.live.bundle)]
        for model, question in ((now.models.conversion, "convert"), (now.models.policy, "decide")):
            lines += [] if model is None else [f"{model!r} answers /v1/{question}"]
        return lines

    def _now(self) -> Served:
        if self._served is None:
            raise RefusedError(503, "no model is loaded yet", fix="Ask /health/ready until it says ready.")
        return self._served


def _plain(graph: DiGraph) -> DiGraph:
    """The same graph, the same bytes, without numpy's memmaps around them."""
    relations = {
        name: replace(
            arcs,
            **{field: np.asarray(getattr(arcs, field)) for field in CSR_FIELDS},
            values={value: np.asarray(array) for value, array in arcs.values.items()},
        )
        for name, arcs in graph.relations.items()
    }
    return replace(graph, relations=relations)


def _let_go() -> None:
    """Give back what the model before the last one held, to the system where its allocator can be told."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):  # glibc alone has it
        ctypes.CDLL(None).malloc_trim(0)


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
        if not isinstance(live.index, ExactIndex):
            _check_recall(live, found)


def _check_recall(live: Live, found: Neighbors) -> None:
    """Refuse an index that finds too few of the best answers to items that the model knows.

    Raises:
        ArtifactError: fewer than ``RECALL_FLOOR`` of them.
    """
    known = live.known[found.direction][found.query]  # type: ignore[index]
    best = ExactIndex(live.bundle.embeddings).search(found.query, found.nodes.shape[1], found.direction).nodes
    pairs = zip(found.nodes[known].tolist(), best[known].tolist(), strict=True)
    shares = [len({*mine} & {*exact}) / len(exact) for mine, exact in pairs]
    recall = float(np.mean(shares)) if shares else 1.0
    if recall < RECALL_FLOOR:
        raise ArtifactError(
            f"the index finds {recall:.0%} of the best answers in direction {found.direction}, less than "
            f"{RECALL_FLOOR:.0%}",
            where=repr(live.bundle),
            fix="Build it again with thence index, for a higher recall.",
        )
