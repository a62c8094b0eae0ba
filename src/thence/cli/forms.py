"""What the verbs distill, quantize and index share: a run's model, and how its smaller forms are judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from thence.base.artifact import MANIFEST
from thence.cli.folders import part_of
from thence.cli.pipeline import some_sources, split_of
from thence.encode.embeddings import Embeddings
from thence.evaluate import first_purchase_cases
from thence.evaluate.cases import Cases
from thence.evaluate.tradeoff import Form, Tradeoff, cpu_micros, listed_hit_rate, listed_recall
from thence.events import EventLog
from thence.graph.digraph import DiGraph
from thence.index.exact import ExactIndex
from thence.index.neighbors import Neighbors

if TYPE_CHECKING:
    from thence.compress import Student
    from thence.index import AnnIndex

    Index = AnnIndex | ExactIndex

HIT_K, LIST_K = 10, 20
QUERIES = 1_000
TIMED = 200
MODEL = "model, exact"
TRADEOFF = "tradeoff"


class Searcher(Protocol):
    """What answers nodes with lists, as an index does."""

    def search(self, nodes: np.ndarray, k: int, /) -> Neighbors:
        """What follows each of ``nodes``."""
        ...


@dataclass(frozen=True)
class Lists:
    """A searcher made of a function from nodes and k to lists.

    Args:
        call: the function.
    """

    call: Callable[[np.ndarray, int], Neighbors]

    def search(self, nodes: np.ndarray, k: int, /) -> Neighbors:
        """What follows each of ``nodes``."""
        return self.call(nodes, k)


@dataclass(frozen=True)
class Subject:
    """A run whose model is made smaller or faster.

    Args:
        folder: the run.
        model: its embeddings.
        graph: what was known before the test period.
        cases: first purchases of the test period, of at most a thousand products that are asked.
    """

    folder: Path
    model: Embeddings
    graph: DiGraph
    cases: Cases

    @classmethod
    def open(cls, folder: Path) -> Subject:
        """Open the parts of a run.

        Raises:
            ThenceError: a part is absent, or the test period holds nothing to judge on.
        """
        graph, model = DiGraph.load(part_of(folder, "graph")), Embeddings.load(part_of(folder, "model"))
        split = split_of(model, EventLog.load(part_of(folder, "log")), folder)
        cases = first_purchase_cases(split.known, split.test, graph.ids)
        return cls(folder, model, graph, some_sources(cases, QUERIES))

    @property
    def size(self) -> int:
        """Bytes of the model's vectors and biases."""
        return 4 * len(self.model.ids) * (2 * self.model.dim + 1)

    @cached_property
    def exact(self) -> Neighbors:
        """The model's own lists."""
        return ExactIndex(self.model).search(self.cases.sources, self.list_k)

    @property
    def list_k(self) -> int:
        """How long the lists are that are compared: 20, or all other products of a small shop."""
        return max(1, min(LIST_K, len(self.model.ids) - 1))

    def form(self, name: str, role: str, searcher: Searcher, size: int, *, same: bool = True) -> Form:
        """Judge one form by its hits, its time, and its share of the model's own lists."""
        asked = self.cases.sources
        found = searcher.search(asked, self.list_k)
        timed = asked[:TIMED]
        micros = cpu_micros(lambda: searcher.search(timed, self.list_k), len(timed), repeats=3)
        recall = listed_recall(found, self.exact) if same else float("nan")
        hits = listed_hit_rate(found, self.cases, min(HIT_K, self.list_k))
        return Form(name, role, hits, recall, size, max(micros, 1e-3))

    def into_bundle(self, *, index: Index | None = None, student: Student | None = None) -> None:
        """Lay a part into the run's bundle, where it has one."""
        from thence.serve.bundle import Bundle

        place = self.folder / "bundle"
        if not (place / MANIFEST).is_file():
            return
        bundle = Bundle.load(place)
        replace(bundle, index=index or bundle.index, student=student or bundle.student).save(place)

    def tradeoff(self, *forms: Form) -> Tradeoff:
        """Write the run's tradeoff with these forms beside those that were judged before; return it."""
        place = self.folder / TRADEOFF
        if (place / MANIFEST).is_file():
            table = Tradeoff.load(place)
            same = table.info.get("model") == self._version
        else:
            table, same = None, False
        if table is None or not same:  # figures of another model are not compared with this one's
            table = Tradeoff((self.form(MODEL, "model", ExactIndex(self.model), self.size),), self._info)
        table = table.joined(forms)
        table.save(place)
        return table

    @property
    def _version(self) -> str:
        from thence.base.artifact import version

        return version(part_of(self.folder, "model"))

    @property
    def _info(self) -> dict[str, object]:
        return {
            "products": f"{len(self.model.ids):,}",
            "dimension": self.model.dim,
            "cases": f"{len(self.cases):,} first purchases after {len(self.cases.sources):,} products",
            "model": self._version,
            "k": min(HIT_K, self.list_k),
        }
