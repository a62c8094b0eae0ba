"""The student's layers in fewer bits, where that is faster on this very processor and near enough.

A branch is x W + b + relu(x V + c) U. Its three matrix products can be computed from float32, from bfloat16
(fast where the processor multiplies it: AMX, AVX-512 BF16) or from whole numbers of 8 bits (each output's
weights with one scale, each input row with one, products by :mod:`thence.compress.quantize.machine`). Which of
them is faster depends on the processor, on the layers and on how many products come together, so it is measured
and never assumed; what is not faster is not chosen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from thence.base.errors import ConfigError, DataError, nearest
from thence.compress.distill.student import Placed, Student
from thence.compress.distill.transform import Products
from thence.compress.quantize.integers import ByteRows
from thence.compress.quantize.score import scored_by

Layer = Callable[[np.ndarray], np.ndarray]
ROUNDS = 5


def _float32(matrix: np.ndarray) -> Layer:
    return lambda x: x @ matrix


def _bfloat16(matrix: np.ndarray) -> Layer:
    import torch

    kept = torch.from_numpy(np.ascontiguousarray(matrix)).to(torch.bfloat16)
    return lambda x: (torch.from_numpy(np.ascontiguousarray(x)).to(torch.bfloat16) @ kept).float().numpy()


def _int8(matrix: np.ndarray) -> Layer:
    kept, nothing = ByteRows.fit(np.ascontiguousarray(matrix.T)), np.zeros(matrix.shape[1], np.float32)
    return lambda x: scored_by(x, kept, nothing)


PRECISIONS: dict[str, Callable[[np.ndarray], Layer]] = {
    "float32": _float32,
    "bfloat16": _bfloat16,
    "int8": _int8,
}


@dataclass(frozen=True, eq=False, repr=False)
class LightStudent:
    """A student whose matrix products are of one precision.

    Args:
        student: what is computed.
        precision: one of :data:`PRECISIONS`.

    Raises:
        ConfigError: there is no such precision.
    """

    student: Student
    precision: str

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ConfigError(
                f"there is no precision {self.precision!r}", fix=nearest(self.precision, PRECISIONS)
            )

    def __repr__(self) -> str:
        """One line."""
        return f"LightStudent({self.student!r}, {self.precision})"

    def embed(self, products: Products, position: np.ndarray | None = None) -> Placed:
        """Vectors of products, as :meth:`~thence.compress.Student.embed`.

        Raises:
            DataError: as there.
        """
        student = self.student
        words = np.asarray(student.transform.rows(products) @ student.project, np.float32)
        outputs = self.outputs(words)
        if position is not None:
            position = np.asarray(position, np.float32)
            if student.warm is None or position.shape != (len(words), student.positions):
                raise DataError(f"positions of shape {position.shape} for {len(words)} products")
            if not np.isfinite(position).all():
                raise DataError("a position is not finite")
            known = position.any(axis=1)
            outputs[known] += _branch(self._warm, np.concatenate([words[known], position[known]], axis=1))
        dim = student.dim
        return Placed(outputs[:, :dim], outputs[:, dim:-1], outputs[:, -1])

    def outputs(self, words: np.ndarray) -> np.ndarray:
        """The cold branch ``[n, 2 dim + 1]`` of words ``[n, words]`` float32."""
        return _branch(self._cold, words)

    @cached_property
    def _cold(self) -> tuple[Layer, Layer, Mapping[str, np.ndarray]]:
        return _prepared(self.student.cold, self.precision)

    @cached_property
    def _warm(self) -> tuple[Layer, Layer, Mapping[str, np.ndarray]]:
        return _prepared(self.student.warm or {}, self.precision)


def fastest_student(
    student: Student, products: Products, *, tolerance: float = 0.02
) -> tuple[LightStudent, dict[str, float]]:
    """The precision that takes the least CPU time on these products, of those that are near enough.

    Args:
        student: what is computed.
        products: as many as usually come together; the more, the more a small precision can gain.
        tolerance: the greatest difference of an output, of the greatest output.

    Returns:
        The student in the precision found, and ``NAME.seconds`` (CPU time of the cold branch, the least of five
        interleaved rounds) and ``NAME.error`` of each precision.

    Raises:
        DataError: there are no products, or they cannot be read.
    """
    words = np.asarray(student.transform.rows(products) @ student.project, np.float32)
    if not len(words):
        raise DataError("there are no products to measure on", fix="Give some of the catalogue.")
    forms = {name: LightStudent(student, name) for name in PRECISIONS}
    wanted = forms["float32"].outputs(words)
    largest = max(float(np.abs(wanted).max()), 1e-30)
    told = {f"{name}.seconds": np.inf for name in forms}
    for name, form in forms.items():
        told[f"{name}.error"] = float(np.abs(form.outputs(words) - wanted).max()) / largest
    for _ in range(ROUNDS):
        for name, form in forms.items():
            begun = time.process_time()
            form.outputs(words)
            told[f"{name}.seconds"] = min(told[f"{name}.seconds"], time.process_time() - begun)
    near = [name for name in forms if told[f"{name}.error"] <= tolerance]
    return forms[min(near, key=lambda name: told[f"{name}.seconds"])], told


def _prepared(branch: Mapping[str, np.ndarray], name: str) -> tuple[Layer, Layer, Mapping[str, np.ndarray]]:
    """The first product, of W and V side by side, and the second."""
    make = PRECISIONS[name]
    both = np.concatenate([branch["weight"], branch["inner"]], axis=1)
    return make(both), make(branch["outer"]), branch


def _branch(prepared: tuple[Layer, Layer, Mapping[str, np.ndarray]], x: np.ndarray) -> np.ndarray:
    first, second, branch = prepared
    both, outputs = first(x), branch["weight"].shape[1]
    inner = np.maximum(both[:, outputs:] + branch["inner_offset"], 0.0)
    return both[:, :outputs] + branch["offset"] + second(inner)
