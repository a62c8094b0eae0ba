"""What was lost, once more by loops over arcs."""

import numpy as np
import pytest
from hypothesis import given, settings
from tests.graph.partition.graphs import cliques, relations, scale_free

from thence.base.errors import ConfigError, DataError
from thence.base.rng import generator
from thence.graph import Arcs
from thence.graph.sparsify import fill_tail, loss_of, top_weight, uniform

PROBES = 5


def literal(before, after, seed):
    """Errors of cuts and quadratic forms, and direction, straight from their definitions."""
    old = {(u, v): w for u, v, w in zip(*before.pairs.tolist(), before.weight.tolist(), strict=True)}
    new = {(u, v): w for u, v, w in zip(*after.pairs.tolist(), after.weight.tolist(), strict=True)}
    shape = (before.num_nodes, PROBES)
    half = generator(seed, "loss", "cuts").integers(0, 2, shape)
    x = generator(seed, "loss", "vectors").standard_normal(shape)
    errors: dict[str, list[float]] = {"cut_error": [], "quadratic_error": []}
    for p in range(PROBES):
        cut = [sum(w for (u, v), w in arcs.items() if half[u, p] and not half[v, p]) for arcs in (old, new)]
        form = [sum(w * (x[u, p] - x[v, p]) ** 2 for (u, v), w in arcs.items()) for arcs in (old, new)]
        for name, (a, b) in (("cut_error", cut), ("quadratic_error", form)):
            if a > 0:
                errors[name].append(abs(b - a) / a)
    figures = {name: float(np.mean(found or [0])) for name, found in errors.items()}
    figures |= {f"{name}.max": max(found or [0]) for name, found in errors.items()}
    one = {pair for pair in old if pair[::-1] not in old}
    both = old.keys() - one
    still = [pair for pair in new if pair in old]
    figures["one_way_kept"] = len(one & new.keys()) / len(one) if one else 1
    figures["two_way_kept"] = len(both & new.keys()) / len(both) if both else 1
    figures["false_one_way"] = (
        sum(pair in both and pair[::-1] not in new for pair in still) / len(still) if still else 0
    )
    figures["kept_share"] = len(still) / max(len(old), 1)
    figures["added_share"] = (len(new) - len(still)) / max(len(old), 1)
    figures["kept_weight"] = sum(new.values()) / sum(old.values()) if sum(old.values()) else 1
    for name, place in (("lost_out", 0), ("lost_into", 1)):
        had, has = ({pair[place] for pair in arcs} for arcs in (old, new))
        figures[name] = len(had - has) / len(had) if had else 0
    return figures


@settings(max_examples=50)
@given(relations(nodes=(1, 8)))
def test_figures_are_those_of_their_definitions(before):
    after = top_weight(before, 1)
    found = loss_of(before, after, 3, probes=PROBES, low=2)
    for name, value in literal(before, after, 3).items():
        assert found[name] == pytest.approx(value, abs=1e-6), name
    assert all(np.isfinite(value) for value in found.values())


@settings(max_examples=30)
@given(relations())
def test_nothing_is_lost_when_all_is_kept(arcs):
    found = loss_of(arcs, arcs, probes=4, low=2)
    ones = {"kept_share", "kept_weight", "one_way_kept", "two_way_kept"}
    for name, value in found.items():
        assert value == pytest.approx(
            1.0 if name in ones and arcs.num_arcs else value if name in ones else 0.0
        ), name


def test_scaling_forgives_weights_that_are_all_smaller():
    before = scale_free(200, 1_500)
    after = before.with_value("weight", before.weight / 4)
    found = loss_of(before, after)
    for name in ("cut_error", "quadratic_error", "low_error", "cut_error.max", "low_error.max"):
        assert found[name] == pytest.approx(0.75) and found[f"scaled.{name}"] == pytest.approx(0, abs=1e-6)


def test_the_low_vectors_are_those_that_see_a_bottleneck():
    """Two cliques and a bridge: without the bridge, random probes see nothing, the smoothest vector all."""
    whole = cliques(40, 2)
    bridge = whole.positions([0, 40], [40, 0])
    after = whole.select(np.setdiff1d(np.arange(whole.num_arcs), bridge))
    found = loss_of(whole, after, low=1)
    assert found["quadratic_error.max"] < 0.01 and found["low_error"] > 0.9 and found["new_components"] == 1
    small = cliques(6, 2)  # the same by the dense solver
    cut = small.select(np.setdiff1d(np.arange(small.num_arcs), small.positions([0, 6], [6, 0])))
    assert loss_of(small, cut, low=1)["low_error"] > 0.5


def test_errors_grow_as_less_is_kept_and_seeds_repeat():
    arcs = scale_free(300, 4_000)
    for name in ("quadratic_error", "low_error", "cut_error"):
        errors = [loss_of(arcs, uniform(arcs, share, seed=2))[name] for share in (0.9, 0.4, 0.05)]
        assert errors == sorted(errors)
    after = uniform(arcs, 0.5)
    assert loss_of(arcs, after, 4) == loss_of(arcs, after, 4) != loss_of(arcs, after, 5)


def test_added_arcs_are_told():
    before = Arcs.from_pairs([0], [1], num_nodes=3)
    after = fill_tail(before, np.array([[2], [2], [-1]]), 2)
    assert loss_of(before, after)["added_share"] == 2.0


def test_what_cannot_be_compared_is_refused():
    arcs = cliques(3, 1)
    with pytest.raises(DataError, match="nodes after"):
        loss_of(arcs, cliques(4, 1))
    with pytest.raises(DataError, match="weight of an arc is -1"):
        loss_of(arcs, arcs.with_value("weight", -np.ones(6)))
    for wrong in ({"probes": 0}, {"low": -1}):
        with pytest.raises(ConfigError):
            loss_of(arcs, arcs, **wrong)
