"""Every scorer of the house keeps the contract: the baselines and the trained encoder, on four small graphs."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from tests.contract import scorers
from tests.encode.graphs import graph_of, reversed_graph, small_graphs

from thence.base.ids import IdMap
from thence.encode import Embeddings, Scorer
from thence.encode.baseline import BASELINES
from thence.encode.dual import DualConfig, DualEncoder
from thence.encode.spectral import spectral, spectral_scorer
from thence.graph import DiGraph
from thence.train import TrainConfig, fit

GRAPHS = ("cycle", "phone and case", "one-way communities", "isolated nodes")
SWAPPED = ("counts", "reverse", "svd")


@cache
def graph_named(name: str) -> DiGraph:
    return small_graphs()[name]


def learned(graph: DiGraph) -> Embeddings:
    encoder = DualEncoder(graph, DualConfig(dim=16, layers=1), seed=3)
    return fit(graph, TrainConfig(steps=12, batch_size=8, seed=3), encoder=encoder)


MAKERS = {**BASELINES, "learned": learned, "spectral": spectral, "spectral parts": spectral_scorer}


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("name", MAKERS)
def test_the_contract_is_kept(name: str, graph: str) -> None:
    scorers.keeps_the_contract(MAKERS[name], graph_named(graph))


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("name", SWAPPED)
def test_turning_all_arcs_round_swaps_the_questions(name: str, graph: str) -> None:
    forward = graph_named(graph)
    scorers.turning_arcs_round_swaps_the_questions(MAKERS[name], forward, reversed_graph(forward))


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize(
    "name",
    ["counts", "lift", "reverse", "item_cf", "svd", "page_rank", "learned", "spectral", "spectral parts"],
)
def test_turning_all_arcs_round_changes_the_answers(name: str, graph: str) -> None:
    forward = graph_named(graph)
    scorers.turning_arcs_round_changes_the_answers(MAKERS[name], forward, reversed_graph(forward))


def test_counts_and_reverse_are_each_other_turned_round() -> None:
    graph = graph_named("isolated nodes")
    counts, reverse = BASELINES["counts"](graph), BASELINES["reverse"](reversed_graph(graph))
    scorers.close(counts.scores(np.arange(7)), reverse.scores(np.arange(7)))


class Broken:
    """A scorer that breaks one clause."""

    def __init__(self, graph: DiGraph, fault: str) -> None:
        self.ids = IdMap(["x"]) if fault == "ids" else graph.ids
        self.fault, self.table = fault, np.arange(9, dtype=np.float32).reshape(3, 3)
        self.asked = 0

    def scores(self, sources) -> np.ndarray:
        rows = self.table[np.asarray(sources, np.int64)]
        self.asked += 1
        if self.fault == "float64":
            return rows.astype(np.float64)
        if self.fault == "shape":
            return rows[:, :2]
        if self.fault == "nan":
            return rows * np.nan
        if self.fault == "restless":
            return rows + np.float32(self.asked)
        if self.fault == "batch":
            return rows + np.float32(len(rows))
        return rows

    def scores_into(self, targets) -> np.ndarray:
        if self.fault == "symmetric":
            return self.scores(targets)
        self.table = self.table.T.copy()
        try:
            return self.scores(targets)
        finally:
            self.table = self.table.T.copy()


@pytest.mark.parametrize("fault", ["ids", "float64", "shape", "nan", "restless", "batch", "symmetric"])
def test_the_contract_itself_catches_a_scorer_that_breaks_it(fault: str) -> None:
    graph = graph_of([(0, 1, 1.0)], 3)
    made: Scorer = Broken(graph, "none")
    scorers.keeps_the_contract(lambda graph: Broken(graph, "none"), graph)
    assert made.ids == graph.ids
    with pytest.raises(AssertionError):
        scorers.keeps_the_contract(lambda graph: Broken(graph, fault), graph)
