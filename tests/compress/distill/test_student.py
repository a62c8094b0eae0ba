"""A student answers for products that no graph knows, in the right direction, and by itself."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.compress.distill.world import KINDS, right_way, shop

from thence.base.errors import ArtifactError, ConfigError, DataError, FitError
from thence.base.ids import IdMap
from thence.compress import DistillConfig, Student, fit_student, heuristic_teacher, position_features
from thence.compress.distill.kernel import add_rows
from thence.encode import Embeddings
from thence.graph import Arcs, DiGraph

GRAPH, KIND, COLD = shop()
TEACHER = heuristic_teacher(GRAPH, "arcs", dim=6)
SMALL = DistillConfig(words=16, shared=4, hidden=16, steps=20, anchors=32, every=10)
POSITION = position_features(GRAPH, dim=8)


@pytest.fixture(scope="module")
def student() -> Student:
    return fit_student(GRAPH, TEACHER, SMALL, position=POSITION)


def test_cold_products_are_followed_by_the_next_kind_and_follow_the_one_before(student: Student) -> None:
    vectors = student.completed(TEACHER, GRAPH.nodes, COLD)
    asked = np.flatnonzero(COLD)
    assert right_way(vectors.scores(asked)[:, ~COLD], KIND[~COLD], KIND[asked] * 15) > 0.95
    into = vectors.scores_into(asked)[:, ~COLD]
    top = np.argsort(-into, axis=1)[:, :10]
    assert (KIND[~COLD][top] == (KIND[asked][:, None] - 1) % KINDS).mean() > 0.95


def test_warm_products_keep_the_scores_of_the_teacher(student: Student) -> None:
    vectors = student.completed(TEACHER, GRAPH.nodes, COLD)
    warm = np.flatnonzero(~COLD)
    np.testing.assert_allclose(vectors.scores(warm)[:, warm], TEACHER.scores(warm)[:, warm], atol=1e-6)


def test_a_product_by_itself_stands_where_it_stands_in_the_batch(student: Student) -> None:
    vectors = student.completed(TEACHER, GRAPH.nodes, COLD)
    for node in np.flatnonzero(COLD)[:4]:
        product = {name: GRAPH.nodes[name][int(node)].as_py() for name in ("title", "category")}
        placed = student.place(product)
        assert placed.source.shape == (student.dim,)
        np.testing.assert_allclose(placed.source, vectors.source[node], atol=1e-5)
        np.testing.assert_allclose(placed.target, vectors.target[node], atol=1e-5)
        assert abs(placed.bias - vectors.bias[node]) < 1e-5


def test_nothing_of_cold_products_was_looked_at() -> None:
    nodes = GRAPH.nodes
    titles = [None if cold else title for cold, title in zip(COLD, nodes["title"].to_pylist(), strict=True)]
    blind = DiGraph(GRAPH.ids, GRAPH.relations, nodes.set_column(1, "title", pa.array(titles)))
    strange = Embeddings(
        TEACHER.ids, np.where(COLD[:, None], 99, TEACHER.source), np.where(COLD[:, None], -99, TEACHER.target)
    )
    one = fit_student(GRAPH, TEACHER, SMALL).place({"title": "thing1"})
    other = fit_student(blind, strange, SMALL).place({"title": "thing1"})
    np.testing.assert_array_equal(one.source, other.source)
    np.testing.assert_array_equal(one.target, other.target)


def test_position_brings_warm_products_nearer_to_the_teacher(student: Student) -> None:
    blind = student.embeddings(GRAPH.ids, GRAPH.nodes)
    seeing = student.embeddings(GRAPH.ids, GRAPH.nodes, POSITION)
    wanted = student.completed(TEACHER, GRAPH.nodes, np.zeros(len(COLD), bool))
    warm = ~COLD
    for role in ("source", "target"):
        truth = getattr(wanted, role)[warm]
        far, near = (np.square(getattr(e, role)[warm] - truth).sum() for e in (blind, seeing))
        assert near < 0.5 * far
        np.testing.assert_array_equal(getattr(blind, role)[COLD], getattr(seeing, role)[COLD])


def test_the_same_seed_gives_the_same_student() -> None:
    once, again = (fit_student(GRAPH, TEACHER, SMALL, position=POSITION, seed=4) for _ in range(2))
    assert once.warm is not None and again.warm is not None
    for name in once.cold:
        np.testing.assert_array_equal(once.cold[name], again.cold[name])
        np.testing.assert_array_equal(once.warm[name], again.warm[name])


def test_steps_that_lead_away_from_the_teachers_lists_are_not_kept() -> None:
    begun = fit_student(GRAPH, TEACHER, replace(SMALL, steps=0), position=POSITION).warm
    wild = fit_student(GRAPH, TEACHER, replace(SMALL, learning_rate=0.5), position=POSITION).warm
    assert begun is not None and wild is not None
    for name in begun:
        np.testing.assert_array_equal(begun[name], wild[name])


def test_it_comes_back_from_its_folder_bit_for_bit(student: Student, tmp_path: Path) -> None:
    student.save(tmp_path / "student")
    again = Student.load(tmp_path / "student")
    one, other = (s.embed(GRAPH.nodes, POSITION) for s in (student, again))
    np.testing.assert_array_equal(one.source, other.source)
    np.testing.assert_array_equal(one.target, other.target)
    np.testing.assert_array_equal(one.bias, other.bias)
    assert again.info == student.info
    assert repr(again) == repr(student)


def test_what_was_tampered_with_is_refused(student: Student, tmp_path: Path) -> None:
    student.save(tmp_path / "student")
    (tmp_path / "student" / "vocabulary.parquet").write_bytes(b"x")
    with pytest.raises(ArtifactError):
        Student.load(tmp_path / "student")


def test_answering_loads_no_torch_and_no_graph(student: Student, tmp_path: Path) -> None:
    student.save(tmp_path / "student")
    code = (
        "import sys; from thence.compress import Student; "
        f"Student.load({str(tmp_path / 'student')!r}).place({{'title': 'thing1'}}); "
        "print('torch' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_bad_products_and_positions_are_refused(student: Student) -> None:
    with pytest.raises(DataError, match="nothing of"):
        student.place({"title": "umbrella"})
    with pytest.raises(DataError, match="Did you mean 'title'"):
        student.place({"titel": "thing1"})
    with pytest.raises(DataError, match="positions of shape"):
        student.embed(GRAPH.nodes, POSITION[:, 1:])
    with pytest.raises(DataError, match="not finite"):
        student.embed(GRAPH.nodes, np.where(POSITION[0, 0] == POSITION, np.nan, POSITION))
    with pytest.raises(DataError, match="taught on"):
        student.completed(heuristic_teacher(GRAPH, dim=3), GRAPH.nodes, COLD)
    with pytest.raises(DataError, match="products for"):
        student.completed(TEACHER, GRAPH.nodes.slice(1), COLD[1:])
    for wrong in (COLD[1:], [len(COLD)], [-1], [0.5]):
        with pytest.raises(DataError, match="cold"):
            student.completed(TEACHER, GRAPH.nodes, wrong)


def test_rows_are_added_as_a_matrix_product_adds_them() -> None:
    rng = np.random.default_rng(0)
    table = rng.standard_normal((30, 7)).astype(np.float32)
    for num in range(10):
        at, value = rng.integers(0, 30, num), rng.standard_normal(num).astype(np.float32)
        out = np.ones(7, np.float32)
        add_rows(table, at, value, out)
        np.testing.assert_allclose(out, 1 + value @ table[at], rtol=1e-5, atol=1e-5)


def test_one_arc_is_enough_to_be_taught_by() -> None:
    nodes = pa.table({"title": ["red", "blue"]})
    pair = DiGraph(IdMap("ab"), {"x": Arcs.from_pairs([0], [1], num_nodes=2)}, nodes)
    config = DistillConfig(words=2, shared=1, steps=2, every=1)
    position = position_features(pair, dim=2)
    student = fit_student(pair, heuristic_teacher(pair, dim=2), config, position=position)
    assert np.isfinite(student.embed(nodes, position).source).all()


def test_what_cannot_be_taught_is_refused() -> None:
    with pytest.raises(DataError, match="no catalogue"):
        fit_student(DiGraph(GRAPH.ids, GRAPH.relations), TEACHER)
    none = DiGraph(IdMap("ab"), {"x": Arcs.from_pairs([], [], num_nodes=2)}, pa.table({"title": ["a", "b"]}))
    with pytest.raises(FitError, match="no arcs"):
        fit_student(none, Embeddings(none.ids, np.ones((2, 1)), np.ones((2, 1))))
    with pytest.raises(DataError, match="other nodes"):
        fit_student(GRAPH, Embeddings(IdMap("ab"), np.ones((2, 1)), np.ones((2, 1))))
    with pytest.raises(DataError, match="positions"):
        fit_student(GRAPH, TEACHER, position=POSITION[1:])


@pytest.mark.parametrize(
    "wrong",
    [
        {"words": 0},
        {"steps": -1},
        {"ranking": -1.0},
        {"arcs": float("nan")},
        {"learning_rate": 0.0},
        {"dropout": 1.0},
        {"held": 0.0},
        {"arcs_by": "hinge"},
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        DistillConfig(**wrong)
