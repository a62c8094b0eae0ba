"""The student in fewer bits: near the whole one, and chosen by what was measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.compress.distill.world import shop

from thence.base.errors import ConfigError, DataError
from thence.compress import DistillConfig, Student, fit_student, heuristic_teacher
from thence.compress.distill.net import Branch
from thence.compress.quantize import LightStudent, fastest_student
from thence.compress.quantize import student as light

GRAPH = shop()[0]
assert GRAPH.nodes is not None
PRODUCTS = GRAPH.nodes.select(["title", "category"])
LARGEST_ERROR = {"float32": 1e-6, "bfloat16": 0.02, "int8": 0.03}


@pytest.fixture(scope="module")
def student() -> Student:
    start = fit_student(
        GRAPH, heuristic_teacher(GRAPH, "arcs", dim=4), DistillConfig(words=6, shared=4, steps=0)
    )
    arrays = []
    for inputs in (start.project.shape[1], start.project.shape[1] + 3):
        random = np.random.default_rng(inputs)
        made = Branch(random.normal(size=(inputs, 17)).astype(np.float32), random.normal(size=17), hidden=32)
        made.outer.data += 0.2
        arrays.append(made.arrays())
    return replace(start, cold=arrays[0], warm=arrays[1])


@pytest.mark.parametrize("name", light.PRECISIONS)
def test_each_precision_is_near_the_whole_student(student: Student, name: str) -> None:
    position = np.random.default_rng(0).normal(size=(len(PRODUCTS), 3)).astype(np.float32)
    position[::2] = 0
    for given in (None, position):
        ours, theirs = LightStudent(student, name).embed(PRODUCTS, given), student.embed(PRODUCTS, given)
        for part in ("source", "target", "bias"):
            wanted = getattr(theirs, part)
            error = np.abs(getattr(ours, part) - wanted).max() / np.abs(theirs.source).max()
            assert error <= LARGEST_ERROR[name], (part, error)


def test_the_fastest_that_is_near_enough_is_chosen(student: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    found, told = fastest_student(student, PRODUCTS, tolerance=1.0)
    assert told[f"{found.precision}.seconds"] == min(told[f"{name}.seconds"] for name in light.PRECISIONS)
    assert fastest_student(student, PRODUCTS, tolerance=0.0)[0].precision == "float32"
    slow, quick = light.PRECISIONS["float32"], light.PRECISIONS["int8"]

    def slowly(matrix: np.ndarray):
        inside = slow(matrix)
        return lambda x: max((inside(x) for _ in range(400)), key=id)

    monkeypatch.setitem(light.PRECISIONS, "float32", slowly)
    monkeypatch.setitem(light.PRECISIONS, "bfloat16", slowly)
    assert fastest_student(student, PRODUCTS, tolerance=1.0)[0].precision == "int8"
    assert quick is light.PRECISIONS["int8"]


def test_wrong_names_and_inputs_are_told(student: Student) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'int8'"):
        LightStudent(student, "int88")
    with pytest.raises(DataError, match="no products"):
        fastest_student(student, PRODUCTS.slice(0, 0))
    with pytest.raises(DataError, match="positions"):
        LightStudent(student, "int8").embed(PRODUCTS, np.zeros((1, 3)))
    with pytest.raises(DataError, match="not finite"):
        LightStudent(student, "int8").embed(PRODUCTS, np.full((len(PRODUCTS), 3), np.inf))
