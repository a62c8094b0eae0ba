"""Products that the model does not know: placed by a student from their catalogue, then answered as any other.

The student embeds a product from what is written of it. Its vectors lie in the space of the model's own,
widened by words that both share (:meth:`thence.compress.Student.completed`), so that one inner product ranks
all items:

    next:    ⟨source of the newcomer, target[j]⟩ + bias[j]
    before:  ⟨source[i], target of the newcomer⟩
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from thence.base.errors import ArtifactError, DataError
from thence.index.exact import ExactIndex, best_of_row
from thence.index.neighbors import Direction
from thence.serve.problems import RefusedError
from thence.serve.rows import card
from thence.serve.schemas_place import Newcomer, Placed, PlacedResult

if TYPE_CHECKING:
    from thence.compress import Student
    from thence.serve.bundle import Bundle
    from thence.serve.store import Live

ALIKE = 3


@dataclass(frozen=True, eq=False)
class Newcomers:
    """A student, and the model's items in its space.

    Args:
        student: embeds products by what is written of them.
        index: scores all items of the model in the student's space.
        entries: names of the student's features, in order.
    """

    student: Student
    index: ExactIndex
    entries: list[str]

    @classmethod
    def prepare(cls, bundle: Bundle) -> Newcomers | None:
        """Place the items that the model has no vector for; None where the bundle has no student.

        Raises:
            ArtifactError: the student was taught on another catalogue.
        """
        student, nodes, model = bundle.student, bundle.graph.nodes, bundle.embeddings
        if student is None:
            return None
        if nodes is None:
            raise ArtifactError("a student needs a catalogue", where=repr(bundle))
        unknown = ~(model.source.any(axis=1) | model.target.any(axis=1))
        try:
            completed = student.completed(model, nodes, unknown)
            entries = student.transform.table()["entry"].to_pylist()
            return cls(student, ExactIndex(completed), entries)
        except DataError as error:
            raise ArtifactError(f"the student does not fit the model: {error}", where=repr(bundle)) from error

    def search(
        self,
        product: Mapping[str, Any],
        k: int,
        direction: Direction,
        *,
        allowed: np.ndarray | None = None,
        exclude: Sequence[int] = (),
    ) -> tuple[np.ndarray, np.ndarray]:
        """Nodes and scores of the k best answers for a product, best first.

        Raises:
            DataError: nothing of the product was learned.
        """
        placed = self.student.place(product)
        vector = placed.source if direction == "next" else placed.target
        found = self.index.search_vectors(vector[None], k, direction, allowed=allowed, exclude=[list(exclude)])
        keep = found.nodes[0] >= 0
        constant = 0.0 if direction == "next" else float(placed.bias)
        return found.nodes[0][keep].astype(np.int64), found.scores[0][keep] + constant

    def alike(self, product: Mapping[str, Any], direction: Direction, num: int) -> np.ndarray:
        """Items whose vectors in the asked role point most nearly the same way (cosine)."""
        return best_of_row(self.cosines(product, direction), num)

    def cosines(self, product: Mapping[str, Any], direction: Direction) -> np.ndarray:
        """``[num_nodes]`` float32: cosines of a product's vector in the asked role with those of all items."""
        placed = self.student.place(product)
        model = self.index.embeddings
        vector, rows = (placed.source, model.source) if direction == "next" else (placed.target, model.target)
        return rows @ vector / (self._lengths[direction] * max(float(np.linalg.norm(vector)), 1e-12))

    @cached_property
    def _lengths(self) -> dict[Direction, np.ndarray]:
        """Length of each item's vector in the role that is asked about, counted once for all requests."""
        model = self.index.embeddings
        sides: dict[Direction, np.ndarray] = {"next": model.source, "before": model.target}
        return {side: np.maximum(np.linalg.norm(rows, axis=1), 1e-12) for side, rows in sides.items()}

    def read(self, product: Mapping[str, Any]) -> list[str]:
        """The words and categories of a product that the student has learned.

        Raises:
            DataError: the product has columns that no catalogue had.
        """
        return [self.entries[at] for at in self.student.transform.row(product)[0]]


def product_of(live: Live, node: int) -> dict[str, Any]:
    """What the catalogue says of an item, as a student reads it."""
    nodes = live.bundle.graph.nodes
    return {} if nodes is None else nodes.slice(node, 1).to_pylist()[0]


@dataclass(frozen=True)
class Described:
    """What a caller of /v1/place says.

    Args:
        title: of the product.
        category: its path, or None.
        price: its price, or None.
        k: answers wanted.
        direction: ``"next"`` for what follows, ``"before"`` for what leads to it.
    """

    title: str
    category: str | None = None
    price: float | None = None
    k: int = 10
    direction: Direction = "next"

    @property
    def product(self) -> dict[str, Any]:
        """What is known of it, by column."""
        said = {"title": self.title, "category": self.category, "price": self.price}
        return {name: value for name, value in said.items() if value is not None}


def placed(live: Live, asked: Described) -> Placed:
    """What follows, or leads to, a product that the catalogue does not have.

    Raises:
        RefusedError: the bundle has no student (404), or nothing of the product was learned (422).
    """
    newcomers = live.newcomers
    if newcomers is None:
        raise RefusedError(
            404, "no student is served", fix="Make one with: thence distill RUN", model_version=live.version
        )
    known = newcomers.student.transform.kinds
    product = {name: value for name, value in asked.product.items() if name in known}
    if "category" in product:  # the student reads the paths of the catalogue, in any case
        paths = {path.lower(): path for path in live.catalogue.category_paths()}
        product["category"] = paths.get(product["category"].strip().lower(), product["category"])
    try:
        nodes, scores = newcomers.search(product, min(asked.k, len(live.index.ids)), asked.direction)
        near = newcomers.alike(product, asked.direction, ALIKE)
    except DataError as error:
        raise RefusedError(422, error.what, fix=error.fix or "", model_version=live.version) from error
    return Placed(
        newcomer=Newcomer(title=asked.title, category=asked.category, price=asked.price),
        direction=asked.direction,
        model_version=live.version,
        route="student",
        read=newcomers.read(product),
        alike=[card(live.catalogue, int(node)) for node in near],
        results=[
            PlacedResult(**vars(live.catalogue.item(int(node))), rank=rank, score=float(score))
            for rank, (node, score) in enumerate(zip(nodes, scores, strict=True), start=1)
        ],
    )
