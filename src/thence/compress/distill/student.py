"""The student: from what is known of a product to its vectors in both roles, without any graph.

    z = x P                                       x: the product's row, P: the words' projection
    (source, target, bias) = cold(z)              of a product that no graph knows
                           + warm([z, p])         where its position features p are given

``source`` and ``target`` stand in the teacher's space, joined by latent words that both share. An index of
:meth:`Student.completed` embeddings therefore answers for cold products (:meth:`Student.place`) as it does for
those it holds: warm ones keep exactly the scores that the teacher gives them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError, DataError
from thence.base.ids import IdMap
from thence.compress.distill.kernel import add_rows
from thence.compress.distill.transform import ItemTransform, Product, Products
from thence.encode.embeddings import Embeddings

KIND = "student"
FOLD = 1 << 24  # numbers; 64 MiB
PARTS = ("weight", "offset", "inner", "inner_offset", "outer")


@dataclass(frozen=True, eq=False)
class Placed:
    """Vectors of products in both roles.

    Args:
        source: ``[n, dim]`` float32, or ``[dim]`` of one product.
        target: the same.
        bias: ``[n]`` float32, or a number.
    """

    source: np.ndarray
    target: np.ndarray
    bias: Any


@dataclass(frozen=True, eq=False, repr=False)
class Student:
    """What :func:`~thence.compress.fit_student` gives; a small artifact of its own.

    Args:
        transform: from a product to its row.
        project: ``[num_features, words]`` float32, to latent words.
        cold: arrays of the branch for products that no graph knows, see :mod:`thence.compress.distill.net`.
        warm: arrays of the branch that position features go through, or none.
        shared: latent words that stand at the end of each vector.
        info: how it came about, JSON-able; kept in the manifest.

    Example:
        >>> import pyarrow as pa
        >>> from thence.compress import DistillConfig, fit_student, heuristic_teacher
        >>> from thence.graph import Arcs, DiGraph
        >>> nodes = pa.table({"title": ["red phone", "blue phone", "red case", "blue case", "green phone"]})
        >>> arcs = Arcs.from_pairs([0, 0, 1, 1], [2, 3, 2, 3], num_nodes=5)
        >>> graph = DiGraph(IdMap("abcde"), {"bought_after": arcs}, nodes)
        >>> teacher = heuristic_teacher(graph, "arcs", dim=2)
        >>> student = fit_student(graph, teacher, DistillConfig(words=4, shared=2, steps=0))
        >>> student
        Student(4 features → dim 4, 0.00 M numbers)
        >>> vectors = student.completed(teacher, nodes, cold=[4])
        >>> vectors.scores([4])[0].round(2).argsort()[-2:].tolist()  # cases follow the phone that nobody bought
        [2, 3]
    """

    transform: ItemTransform
    project: np.ndarray
    cold: Mapping[str, np.ndarray]
    warm: Mapping[str, np.ndarray] | None
    shared: int
    info: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        words, outputs = self.project.shape[1], len(self.cold["offset"])
        wrong = self.project.shape[0] != self.transform.num_features or outputs % 2 == 0
        wrong |= self.cold["weight"].shape != (words, outputs) or not 0 <= self.shared <= words
        if wrong or (self.warm and self.warm["weight"].shape[1] != outputs):
            raise ArtifactError("the parts of a student do not belong together")

    def __repr__(self) -> str:
        """One line with the counts."""
        size = f"{self.size / 1e6:.2f} M numbers"
        return f"Student({self.transform.num_features:,} features → dim {self.dim}, {size})"

    @property
    def dim(self) -> int:
        """Length of each vector."""
        return len(self.cold["offset"]) // 2

    @property
    def positions(self) -> int:
        """How many position features the warm branch takes; 0 without one."""
        return 0 if self.warm is None else self.warm["weight"].shape[0] - self.project.shape[1]

    @property
    def size(self) -> int:
        """How many numbers it is made of."""
        branches = [self.cold] + ([] if self.warm is None else [self.warm])
        return self.project.size + sum(array.size for branch in branches for array in branch.values())

    def embed(self, products: Products, position: np.ndarray | None = None) -> Placed:
        """Vectors of products.

        Args:
            products: a table with the catalogue's columns, or mappings of them.
            position: ``[n, positions]``, as the student was taught with; a row of zeros is a product without
                arcs.

        Raises:
            DataError: a product cannot be read, or the positions have another shape or are not finite.
        """
        words = np.asarray(self.transform.rows(products) @ self.project, np.float32)
        return self._split(self._outputs(words, position))

    def place(self, product: Product) -> Placed:
        """One product that no graph knows, by itself.

        Args:
            product: what is known of it, such as ``{"title": …, "category": …}``.

        Raises:
            DataError: it cannot be read, or nothing of it was learned.
        """
        at, value = self.transform.row(product)
        if not len(at):
            known = ", ".join(self.transform.kinds)
            raise DataError(f"nothing of {dict(product)!r} was learned", fix=f"Give some of: {known}.")
        if self._folded is None:
            words = np.zeros(self.project.shape[1], np.float32)
            add_rows(self.project, at, value, words)
            outputs = outputs_of(self.cold, words)
        else:
            outputs = self.cold["offset"].copy()
            add_rows(self._folded, at, value, outputs)
        return Placed(outputs[: self.dim], outputs[self.dim : -1], float(outputs[-1]))

    def embeddings(self, ids: IdMap, products: Products, position: np.ndarray | None = None) -> Embeddings:
        """Vectors of products under their ids.

        Raises:
            DataError: as :meth:`embed`, or their numbers differ.
        """
        found = self.embed(products, position)
        return Embeddings(ids, found.source, found.target, found.bias, {"encoder": "student", **self.info})

    def completed(self, teacher: Embeddings, products: Products, cold: Any) -> Embeddings:
        """The teacher's embeddings in the student's space, with cold products placed among them.

        Args:
            teacher: what the student was taught by; scores among its warm nodes stay what they are.
            products: of all nodes, in their order.
            cold: ``[num_nodes]`` bool or positions: the nodes that the student places.

        Raises:
            DataError: the numbers or lengths differ, or a position is out of range.
        """
        if teacher.dim + self.shared != self.dim:
            raise DataError(
                f"vectors of {teacher.dim} for a student taught on {self.dim - self.shared}",
                fix="Give the embeddings that it was taught on.",
            )
        words = np.asarray(self.transform.rows(products) @ self.project, np.float32)
        if len(words) != len(teacher.ids):
            raise DataError(
                f"{len(words)} products for {len(teacher.ids)} nodes", fix="Give one product a node."
            )
        placed = _marked(cold, len(words))
        source, target, bias = extended(teacher, words[:, : self.shared])
        found = self._split(self._outputs(words[placed], None))
        source[placed], target[placed], bias[placed] = found.source, found.target, found.bias
        return Embeddings(teacher.ids, source, target, bias, {**teacher.info, "cold": "student"})

    def save(self, folder: str | Path) -> None:
        """Write it as an artifact of kind ``student``: safetensors, and the vocabulary as Parquet."""
        tensors = {"project": self.project}
        for name, branch in (("cold", self.cold), ("warm", self.warm or {})):
            tensors |= {f"{name}.{part}": array for part, array in branch.items()}
        with write_artifact(folder, KIND) as draft:
            draft.tensors("student", tensors)
            draft.table("vocabulary", self.transform.table())
            draft.counts.update(features=self.transform.num_features, dim=self.dim, numbers=self.size)
            draft.config.update(shared=self.shared, transform=self.transform.described(), info=dict(self.info))

    @classmethod
    def load(cls, folder: str | Path) -> Student:
        """Open a saved student.

        Raises:
            ArtifactError: it is absent, torn, tampered with, or no student.
        """
        art = open_artifact(folder, KIND)
        try:
            transform = ItemTransform.restored(art.table("vocabulary"), art.config["transform"])
            tensors = {name: array.copy() for name, array in art.tensors("student").items()}  # in line
            cold, warm = (
                {part: tensors[f"{name}.{part}"] for part in PARTS} if f"{name}.weight" in tensors else None
                for name in ("cold", "warm")
            )
            if cold is None:
                raise KeyError("cold")
            return cls(transform, tensors["project"], cold, warm, int(art.config["shared"]), art.config["info"])
        except (KeyError, TypeError, ValueError, DataError) as error:
            raise ArtifactError(f"inconsistent student: {error}", where=folder) from error

    @cached_property
    def _folded(self) -> np.ndarray | None:
        """``[num_features, outputs]``: both linear steps in one, where there is no other and it is small."""
        outputs = len(self.cold["offset"])
        if len(self.cold["inner_offset"]) or self.transform.num_features * outputs > FOLD:
            return None
        return self.project @ self.cold["weight"]

    def _outputs(self, words: np.ndarray, position: np.ndarray | None) -> np.ndarray:
        outputs = outputs_of(self.cold, words)
        if position is None:
            return outputs
        position = np.asarray(position, np.float32)
        if self.warm is None or position.shape != (len(words), self.positions):
            raise DataError(
                f"positions of shape {position.shape} for {len(words)} products",
                fix=f"The student was taught with {self.positions} a product.",
            )
        if not np.isfinite(position).all():
            raise DataError("a position is not finite")
        known = position.any(axis=1)
        outputs[known] += outputs_of(self.warm, np.concatenate([words[known], position[known]], axis=1))
        return outputs

    def _split(self, outputs: np.ndarray) -> Placed:
        return Placed(outputs[:, : self.dim], outputs[:, self.dim : -1], outputs[:, -1])


def _marked(chosen: Any, num: int) -> np.ndarray:
    """``[num]`` bool of a mask or of positions."""
    given = np.asarray(chosen)
    if given.dtype == bool and given.shape == (num,):
        return given.copy()
    if given.dtype == bool or (given.size and given.dtype.kind not in "iu"):
        raise DataError(f"cold is {given.dtype}{list(given.shape)}", fix=f"Give bool[{num}], or positions.")
    if given.size and not 0 <= given.min() <= given.max() < num:
        raise DataError("a cold position is out of range", where=f"{num} nodes")
    mask = np.zeros(num, bool)
    mask[given.astype(np.int64)] = True
    return mask


def extended(teacher: Embeddings, shared: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The teacher's vectors with room for shared words: nothing in sources, the words in targets."""
    bias = np.zeros(len(shared), np.float32) if teacher.bias is None else teacher.bias.copy()
    source = np.concatenate([teacher.source, np.zeros_like(shared)], axis=1)
    return source, np.concatenate([teacher.target, shared], axis=1), bias


def outputs_of(branch: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """One branch: x W + b + relu(x V + c) U, as :class:`~thence.compress.distill.net.Branch` computes it."""
    outputs = x @ branch["weight"] + branch["offset"]
    if len(branch["inner_offset"]):  # none where the start was best
        outputs += np.maximum(x @ branch["inner"] + branch["inner_offset"], 0.0) @ branch["outer"]
    return outputs
