"""Tuned defaults: what a graph is like, which stored one is nearest, and what is stored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from tests.encode.graphs import graph_of, phone_case_graph, random_graph, reversed_graph, weighted_graph

from thence.base.errors import ConfigError, FitError
from thence.graph import Arcs, DiGraph
from thence.train import defaults
from thence.train.defaults import Tuned, choose_near, defaults_for, distance, stored, traits
from thence.train.methods import divided, fit_method, methods
from thence.train.spaces import space_of

HERE = traits(weighted_graph())


def tuned(data: str, **changed: float) -> Tuned:
    return Tuned(data, {**HERE, **changed}, {"dim": len(data)}, 0.5, 0.4, 3)


def test_traits_are_what_one_counts() -> None:
    """Seven arcs among seven nodes, two of them each other's reverse."""
    found = traits(weighted_graph())
    assert (found["nodes"], found["arcs"], found["mean_degree"]) == (7, 7, 1)
    assert found["reciprocity"] == pytest.approx(2 / 7)
    assert (found["features"], found["relations"]) == (0, 0)
    assert traits(phone_case_graph())["features"] == 1
    beside = weighted_graph().with_relation("viewed", weighted_graph().main)
    assert traits(beside) == {**found, "relations": 1}
    bare = replace(weighted_graph(), nodes=pa.table({"item_id": weighted_graph().ids.array}))
    assert traits(bare) == found  # a table of ids says nothing of them


def test_traits_tell_the_directions_apart() -> None:
    star = graph_of([(0, k, 1.0) for k in range(1, 60)] + [(k, k + 1, 1.0) for k in range(1, 59)], 60)
    there, back = traits(star), traits(reversed_graph(star))
    assert there["out_exponent"] != there["in_exponent"]
    assert (there["out_exponent"], there["in_exponent"]) == (back["in_exponent"], back["out_exponent"])


def test_a_graph_without_arcs_has_no_traits() -> None:
    empty = DiGraph(weighted_graph().ids, {"r": Arcs.from_pairs([], [], num_nodes=7)})
    with pytest.raises(FitError, match="no arcs"):
        traits(empty)


def test_distance_is_that_of_a_space() -> None:
    others = [tuned("a", nodes=70), tuned("b", reciprocity=1.0, nodes=9), tuned("c", in_exponent=2.0)]
    for one in others:
        assert distance(HERE, one.traits) == distance(one.traits, HERE) > 0
        for other in others:
            assert distance(HERE, other.traits) <= distance(HERE, one.traits) + distance(
                one.traits, other.traits
            )
    assert distance(HERE, tuned("a", nodes=70).traits) == pytest.approx(np.sqrt(1 / len(defaults.UNITS)))
    assert distance(HERE, tuned("a", arcs=1e9).traits) == 0  # nodes and mean degree say it already


def test_the_nearest_is_chosen() -> None:
    near, far = tuned("near", nodes=14), tuned("farther", nodes=700)
    chosen = choose_near(HERE, [far, near])
    assert (chosen.data, chosen.settings) == ("near", {"dim": 4})
    assert chosen.distance == distance(HERE, near.traits)
    assert choose_near(HERE, [far]).data == "farther"


@pytest.mark.parametrize("method", sorted(defaults._table()))
def test_what_is_stored_fits_the_method(method: str) -> None:
    assert method in methods()
    entries = stored(method)
    assert len({one.data for one in entries}) == len(entries) >= 2
    space = space_of(method)
    for one in entries:
        assert set(one.traits) == set(HERE) and one.value >= one.default_value > 0 and one.trials > 1
        for key, value in one.settings.items():
            if key in space:
                assert space[key].nearest(value) == value, (one.data, key)
        assert choose_near(one.traits, entries).data == one.data
        others = [other for other in entries if other.data != one.data]
        assert choose_near(one.traits, others).data != one.data


def test_defaults_train_a_graph_that_nobody_has_seen() -> None:
    graph = random_graph()
    chosen = defaults_for(graph)
    train = divided(chosen.settings)[1]
    made = fit_method("dual", graph, {**chosen.settings, "train.steps": 2, "dim": 4})
    assert made.info["train"]["learning_rate"] == train["learning_rate"] and made.dim == 4
    assert defaults_for(graph, without=[chosen.data]).data != chosen.data


def test_where_nothing_is_stored_it_is_told() -> None:
    with pytest.raises(ConfigError, match=r"no tuned defaults for 'duel'\. Did you mean 'dual'"):
        defaults_for(weighted_graph(), "duel")
    with pytest.raises(ConfigError, match="left out"):
        defaults_for(weighted_graph(), without=[one.data for one in stored("dual")])
