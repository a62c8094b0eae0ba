"""A labelled graph counts its graphs and classes, and refuses what does not fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp

from thence.base.errors import ConfigError, DataError
from thence.graph.arcs import Arcs
from thence.graph.labelled import LabelledGraph


def pair() -> LabelledGraph:
    """Two graphs, 0 → 1 and 2 → 3, with a value each."""
    return LabelledGraph(
        Arcs.from_pairs([0, 2], [1, 3], num_nodes=4),
        np.ones((4, 2), np.float32),
        np.array([1.5, -2.0], np.float32),
        {"train": np.array([0]), "test": np.array([1])},
        graph_of=np.array([0, 0, 1, 1]),
        told="graphs",
    )


def test_it_counts() -> None:
    graphs = pair()
    assert graphs.num_graphs == 2 and graphs.num_classes == 0
    assert repr(graphs) == "LabelledGraph(2 graphs, 4 nodes, 2 arcs, 2 inputs, values of graphs)"
    nodes = replace(graphs, y=np.array([0, 2, -1, 1]), told="nodes", graph_of=None)
    assert nodes.num_graphs == 1 and nodes.num_classes == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"x": np.ones((3, 2), np.float32)},
        {"x": np.ones((4, 2))},
        {"x": np.full((4, 2), np.nan, np.float32)},
        {"y": np.ones(2)},
        {"y": np.ones((2, 1), np.float32)},
        {"y": np.ones(4, np.float32)},
        {"told": "nodes"},
        {"graph_of": np.array([0, 1])},
        {"splits": {"train": np.array([0, 2])}},
        {"splits": {"train": np.array([-1])}},
        {"splits": {"train": np.array([0, 1]), "test": np.array([1])}},
    ],
)
def test_what_does_not_fit_is_refused(wrong) -> None:
    with pytest.raises(DataError):
        replace(pair(), **wrong)


def test_rows_of_a_split_are_those_whose_labels_are_known() -> None:
    graphs = replace(pair(), y=np.array([np.nan, 1], np.float32))
    assert graphs.part("train").tolist() == [] and graphs.part("test").tolist() == [1]
    nodes = replace(pair(), y=np.array([0, -1, 2, 1]), told="nodes", splits={"train": np.array([0, 1, 3])})
    assert nodes.part("train").tolist() == [0, 3] and nodes.known.tolist() == [True, False, True, True]
    with pytest.raises(ConfigError, match="no split 'valid'; there are: train"):
        nodes.part("valid")


def test_features_may_be_sparse_rows_but_not_infinite() -> None:
    x = sp.csr_matrix(np.eye(4, 3, dtype=np.float32))
    assert repr(replace(pair(), x=x)) == "LabelledGraph(2 graphs, 4 nodes, 2 arcs, 3 inputs, values of graphs)"
    x.data[0] = np.inf
    with pytest.raises(DataError, match="finite"):
        replace(pair(), x=x)


def test_undirected_takes_every_arc_both_ways_with_the_larger_weight() -> None:
    arcs = Arcs.from_pairs([0, 1, 2], [1, 0, 3], num_nodes=4, weight=[1.0, 3.0, 2.0])
    both = replace(pair(), arcs=arcs).undirected()
    assert both.arcs.pairs.T.tolist() == [[0, 1], [1, 0], [2, 3], [3, 2]]
    assert both.arcs.weight.tolist() == [3, 3, 2, 2] and not both.arcs.directed and both.told == "graphs"
