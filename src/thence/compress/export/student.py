"""A student that onnxruntime runs: exported with its parity checked, opened without torch.

The artifact (kind ``onnx_student``) holds the model as ``student.onnx``, which any ONNX runtime can read, and
the vocabulary that turns a product into its entries. Before it is published, the model answers for sample
products and must agree with the student itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.base.ids import IdMap
from thence.base.library import library
from thence.base.rng import generator
from thence.compress.distill.student import Placed, Student
from thence.compress.distill.transform import ItemTransform, Product, Products
from thence.compress.export.graph import ENTRIES, EXTRA, OUTPUTS, POSITION, VALUES, student_model
from thence.encode.embeddings import Embeddings

KIND, FILE = "onnx_student", "student.onnx"
TOLERANCE = 1e-5
BATCH_BYTES = 1 << 26


@dataclass(frozen=True, eq=False, repr=False)
class OnnxStudent:
    """What answers as :class:`~thence.compress.Student` does, by onnxruntime.

    Args:
        transform: from a product to its row.
        session: the ``onnxruntime.InferenceSession``.
        info: how the student came about.

    Example:
        >>> import tempfile
        >>> import pyarrow as pa
        >>> from thence.compress import DistillConfig, fit_student, heuristic_teacher
        >>> from thence.graph import Arcs, DiGraph
        >>> nodes = pa.table({"title": ["red phone", "blue phone", "red case", "blue case", "green phone"]})
        >>> arcs = Arcs.from_pairs([0, 0, 1, 1], [2, 3, 2, 3], num_nodes=5)
        >>> graph = DiGraph(IdMap("abcde"), {"bought_after": arcs}, nodes)
        >>> teacher = heuristic_teacher(graph, "arcs", dim=2)
        >>> student = fit_student(graph, teacher, DistillConfig(words=4, shared=2, steps=0))
        >>> with tempfile.TemporaryDirectory() as tmp:
        ...     parity = export_onnx(student, f"{tmp}/onnx", nodes)
        ...     served = OnnxStudent.load(f"{tmp}/onnx")
        >>> parity <= 1e-5, served
        (True, OnnxStudent(4 features → dim 4))
    """

    transform: ItemTransform
    session: Any
    info: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"OnnxStudent({self.transform.num_features:,} features → dim {self.dim})"

    @cached_property
    def dim(self) -> int:
        """Length of each vector."""
        return self.session.get_outputs()[0].shape[1] // 2

    @cached_property
    def positions(self) -> int:
        """How many position features it takes; 0 where it takes none."""
        shapes = {given.name: given.shape for given in self.session.get_inputs()}
        return int(shapes[POSITION][1]) if POSITION in shapes else 0

    def embed(self, products: Products, position: np.ndarray | None = None) -> Placed:
        """Vectors of products, as :meth:`~thence.compress.Student.embed`.

        Args:
            products: a table with the catalogue's columns, or mappings of them.
            position: ``[n, positions]`` float32; a row of noughts is a product without arcs.

        Raises:
            DataError: a product cannot be read, or the positions have another shape or are not finite.
        """
        outputs = _run(self.session, self.transform.rows(products), self._positions(position))
        return Placed(outputs[:, : self.dim], outputs[:, self.dim : -1], outputs[:, -1])

    def place(self, product: Product) -> Placed:
        """One product that no graph knows, by itself.

        Raises:
            DataError: it cannot be read, or nothing of it was learned.
        """
        if not len(self.transform.row(product)[0]):
            known = ", ".join(self.transform.kinds)
            raise DataError(f"nothing of {dict(product)!r} was learned", fix=f"Give some of: {known}.")
        found = self.embed([product])
        return Placed(found.source[0], found.target[0], float(found.bias[0]))

    def embeddings(self, ids: IdMap, products: Products, position: np.ndarray | None = None) -> Embeddings:
        """Vectors of products under their ids.

        Raises:
            DataError: as :meth:`embed`, or their numbers differ.
        """
        found = self.embed(products, position)
        return Embeddings(ids, found.source, found.target, found.bias, {"encoder": "student", **self.info})

    @classmethod
    def load(cls, folder: str | Path, *, threads: int = 1) -> OnnxStudent:
        """Open what :func:`export_onnx` wrote.

        Raises:
            ArtifactError: it is absent, torn, tampered with, or no exported student.
            ConfigError: onnxruntime is not installed (extra ``onnx``), or ``threads`` is below one.
        """
        art = open_artifact(folder, KIND)
        try:
            transform = ItemTransform.restored(art.table("vocabulary"), art.config["transform"])
            session = _session(art.path(FILE).read_bytes(), threads)
            found = cls(transform, session, dict(art.config["info"]))
            inputs = [given.name for given in session.get_inputs()]
            if (
                inputs[:2] != [ENTRIES, VALUES]
                or set(inputs[2:]) - {POSITION}
                or found.dim != art.counts["dim"]
            ):
                raise ArtifactError(f"the model takes {inputs}", where=folder)
        except (KeyError, TypeError, ValueError, DataError) as error:
            raise ArtifactError(f"inconsistent student: {error}", where=folder) from error
        return found

    def _positions(self, position: np.ndarray | None) -> np.ndarray | None:
        if position is None:
            return None
        position = np.asarray(position, np.float32)
        if not self.positions or position.ndim != 2 or position.shape[1] != self.positions:
            raise DataError(
                f"positions of shape {position.shape}", fix=f"The student was taught with {self.positions}."
            )
        if not np.isfinite(position).all():
            raise DataError("a position is not finite")
        return position


def export_onnx(
    student: Student,
    folder: str | Path,
    products: Products,
    *,
    position: np.ndarray | None = None,
    tolerance: float = TOLERANCE,
) -> float:
    """Write a student for onnxruntime, once it answers there as it does here.

    Args:
        student: what is exported.
        folder: where the artifact is to stand.
        products: sample products that both must agree on.
        position: ``[n, positions]``, the samples' positions; drawn by chance where none are given and the
            student takes some.
        tolerance: the greatest difference, of the greatest number that comes out (of 1 where that is less).

    Returns:
        The greatest absolute difference, which the manifest keeps as ``parity`` too.

    Raises:
        ArtifactError: the two differ by more; nothing is written.
        ConfigError: the student is too large for an ONNX file, or onnx is not installed (extra ``onnx``).
        DataError: there are no sample products, or they cannot be read.
    """
    model = student_model(student.project, student.cold, student.warm).SerializeToString()
    rows: Any = student.transform.rows(products)
    if position is None and student.positions:
        position = generator(0, "parity").normal(size=(rows.shape[0], student.positions))
        position[::2] = 0  # every other one as a product without arcs
    expected = student.embed(products, position)
    wanted = np.concatenate([expected.source, expected.target, expected.bias[:, None]], axis=1)
    if not len(wanted):
        raise DataError("there are no products to compare on", fix="Give some of the catalogue.")
    given = None if position is None else np.asarray(position, np.float32)
    found = _run(_session(model, 1), rows, given)
    parity = float(np.abs(found - wanted).max())
    if not parity <= tolerance * max(1.0, float(np.abs(wanted).max())):
        raise ArtifactError(f"the exported student differs by {parity:.2g}", where=folder, fix="Report this.")
    with write_artifact(folder, KIND) as draft:
        draft.path(FILE).write_bytes(model)
        draft.table("vocabulary", student.transform.table())
        draft.counts.update(features=student.transform.num_features, dim=student.dim, compared=len(wanted))
        draft.metrics.update(parity=parity)
        draft.config.update(transform=student.transform.described(), info=dict(student.info))
    return parity


def _session(model: bytes, threads: int) -> Any:
    """A session on the processor.

    Raises:
        ConfigError: ``threads`` is below one, or onnxruntime is not installed.
        ArtifactError: the bytes are no model that onnxruntime runs.
    """
    ort = library("onnxruntime", EXTRA)
    if threads < 1:
        raise ConfigError(f"threads is {threads}", fix="It is at least 1.")
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a class of its own for each fault
        raise ArtifactError(f"onnxruntime cannot run the model: {error}") from error


def _run(session: Any, rows: Any, position: np.ndarray | None) -> np.ndarray:
    """Outputs ``[n, 2 dim + 1]`` of sparse rows (CSR), in batches of bounded memory."""
    width = session.get_outputs()[0].shape[1]
    takes = next((given.shape[1] for given in session.get_inputs() if given.name == POSITION), 0)
    if takes and position is None:
        position = np.zeros((rows.shape[0], takes), np.float32)
    if takes and position is not None and len(position) != rows.shape[0]:
        raise DataError(f"{len(position)} positions for {rows.shape[0]} products")
    out = np.empty((rows.shape[0], width), np.float32)
    for start, entries, values in _padded(rows, width):
        given = {ENTRIES: entries, VALUES: values}
        if takes and position is not None:
            given[POSITION] = position[start : start + len(entries)]
        out[start : start + len(entries)] = session.run([OUTPUTS], given)[0]
    return out


def _padded(rows: Any, width: int) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Entries and values of some rows at a time, filled up with entry 0 of value 0."""
    counts = np.diff(rows.indptr)
    longest = max(int(counts.max(initial=1)), 1)
    step = max(1, BATCH_BYTES // (4 * longest * width))
    for start in range(0, len(counts), step):
        stop = min(start + step, len(counts))
        some = counts[start:stop]
        entries = np.zeros((stop - start, max(int(some.max(initial=1)), 1)), np.int64)
        values = np.zeros(entries.shape, np.float32)
        filled = np.arange(entries.shape[1]) < some[:, None]
        part = slice(rows.indptr[start], rows.indptr[stop])
        entries[filled], values[filled] = rows.indices[part], rows.data[part]
        yield start, entries, values
