"""``thence positions``: what it writes, keeps and refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.cli.test_verbs import command, said
from tests.graph.position.worlds import drawn, names

from thence.graph import DiGraph
from thence.graph.position import Positions, positions


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    arcs = drawn(50, 150)
    DiGraph(names(50), {"bought_after": arcs, "back": arcs.reversed()}).save(tmp_path / "graph")
    return tmp_path / "graph"


def test_positions_are_written_and_kept(graph: Path, tmp_path: Path) -> None:
    call = ("positions", graph, "--kind", "magnetic", "--kind", "profile", "--set", "magnetic.k=3")
    told = said(*call, "--into", tmp_path / "p")
    assert told["computed"] and told["blocks"]["magnetic.size"] == 3 and told["nodes"] == 50
    wanted = positions(DiGraph.load(graph), {"magnetic": {"k": 3}, "profile": {}})
    np.testing.assert_array_equal(Positions.load(tmp_path / "p").matrix(), wanted.matrix())
    assert not said(*call, "--into", tmp_path / "p")["computed"]
    assert said(*call, "--seed", "1", "--into", tmp_path / "p")["computed"]
    code, out = command(*call, "--seed", "1", "--into", tmp_path / "p")
    assert code == 0 and "as it stood there" in out and "profile.both: 1 columns" in out


def test_another_graph_is_refused_unless_it_is_to_be_replaced(graph: Path, tmp_path: Path) -> None:
    said("positions", graph, "--into", tmp_path / "p")
    other = ("positions", graph, "--relation", "back", "--into", tmp_path / "p")
    code, out = command(*other, "--json")
    assert code == 2 and "another graph" in out and "--replace" in out
    assert said(*other, "--replace")["computed"]


def test_a_solver_that_gave_up_is_told(tmp_path: Path) -> None:
    DiGraph(names(700), {"bought_after": drawn(700, 5_000)}).save(tmp_path / "graph")
    call = ("positions", tmp_path / "graph", "--kind", "magnetic", "--into", tmp_path / "p")
    code, out = command(*call, "--set", "magnetic.rounds=1", "--set", "magnetic.tolerance=1e-6")
    assert code == 0 and "after 1 rounds" in out


@pytest.mark.parametrize("wrong", [("--set", "magnetic.k=8"), ("--set", "profile"), ("--kind", "magnetics")])
def test_what_is_refused(graph: Path, tmp_path: Path, wrong: tuple[str, str]) -> None:
    assert command("positions", graph, "--into", tmp_path / "p", *wrong)[0] == 2
    assert not (tmp_path / "p").exists()
