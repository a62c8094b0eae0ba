"""Partitioners: answers known by hand, capacity, determinism, and streaming once more in plain Python."""

import math
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.graph.partition.graphs import cliques, relations, scale_free

from thence.base.errors import ConfigError
from thence.base.ids import IdMap
from thence.base.rng import derive_seed, generator
from thence.graph import Arcs, DiGraph
from thence.graph.partition import by_hash, by_range, choose, metis, partition, streaming

FOUND = ("metis", "ldg", "fennel")
EVERY = (*FOUND, "hash", "range")


@pytest.mark.parametrize("method", FOUND)
def test_cliques_joined_by_single_arcs_are_told_apart(method):
    arcs = cliques(12, 4)
    found = partition(arcs, 4, method=method, seed=1)
    assert found.edge_cut == 4 / arcs.num_arcs and found.balance == 1
    assert all(len(set(found.part[at : at + 12].tolist())) == 1 for at in range(0, 48, 12))


@pytest.mark.parametrize("method", EVERY)
@pytest.mark.parametrize("by", ["nodes", "arcs"])
def test_every_method_divides_every_graph_the_same_twice(method, by):
    for arcs in (
        scale_free(200, 900),
        Arcs.from_pairs([], [], num_nodes=5),
        Arcs.from_pairs([], [], num_nodes=0),
    ):
        for count in (1, 3):
            if arcs.num_nodes:
                one, two = (partition(arcs, count, method=method, by=by, seed=3) for _ in range(2))
                assert one.part.tolist() == two.part.tolist()
                assert one.num_parts == count and one.part.max() < count and one.part.min() >= 0
        assert partition(arcs, 1, method=method).edge_cut == 0


@settings(max_examples=40)
@given(relations(nodes=(1, 9)), st.sampled_from(["ldg", "fennel"]), st.integers(1, 3), st.integers(1, 3))
def test_streaming_is_what_its_formula_says(arcs, rule, count, passes):
    count = min(count, arcs.num_nodes)
    found = streaming(arcs, count, rule=rule, passes=passes, seed=5, slack=0.1)
    order = generator(5, "partition", "order").permutation(arcs.num_nodes)
    capacity = max(1.1 * arcs.num_nodes / count, math.ceil(arcs.num_nodes / count))
    alpha = arcs.num_arcs * math.sqrt(count) / arcs.num_nodes**1.5
    where: dict[int, int] = {}
    for _ in range(passes):
        size = [0] * count
        for v in order.tolist():
            near = arcs.out(v).tolist() + arcs.into(v).tolist()

            def gain(p, near=near, size=size):
                seen = sum(where.get(u) == p for u in near)
                held = seen * (1 - size[p] / capacity)
                return held if rule == "ldg" else seen - alpha * 1.5 * math.sqrt(size[p])

            open_parts = [p for p in range(count) if size[p] + 1 <= capacity]
            best = max(open_parts, key=lambda p: (round(gain(p), 9), -size[p], -p))
            where[v] = best
            size[best] += 1
    assert found.part.tolist() == [where[v] for v in range(arcs.num_nodes)]
    assert found.sizes.max() <= capacity


@pytest.mark.parametrize("rule", ["ldg", "fennel"])
def test_no_part_takes_more_than_its_capacity(rule):
    arcs = scale_free(500, 4_000)
    for slack in (0.0, 0.05, 0.5):
        found = streaming(arcs, 7, rule=rule, slack=slack)
        assert found.sizes.max() <= max((1 + slack) * 500 / 7, 72)
        load = np.bincount(found.part, 1 + arcs.out_degree + arcs.in_degree)
        by_arcs = streaming(arcs, 7, rule=rule, by="arcs", slack=slack)
        filled = np.bincount(by_arcs.part, 1 + arcs.out_degree + arcs.in_degree)
        biggest = int((1 + arcs.out_degree + arcs.in_degree).max())
        assert filled.max() <= max((1 + slack) * load.sum() / 7, load.sum() / 7 + biggest)
        assert by_arcs.arc_balance <= found.arc_balance + 1e-9 or by_arcs.arc_balance < 1.1 + slack


def test_more_passes_cut_less_and_all_beat_the_hash():
    arcs = scale_free(2_000, 12_000)
    cuts = {passes: streaming(arcs, 8, passes=passes).edge_cut for passes in (1, 10)}
    floor = by_hash(arcs, 8).edge_cut
    assert metis(arcs, 8).edge_cut < cuts[10] < cuts[1] < floor
    assert floor == pytest.approx(1 - 1 / 8, abs=0.02)


def test_metis_counts_arcs_cut_not_pairs():
    """Between two halves either one pair with both directions is cut, or one one-way arc: it takes the arc."""
    ring = Arcs.from_pairs(
        [0, 1, 1, 2, 2, 3, 3, 0], [1, 0, 2, 1, 3, 2, 0, 3], num_nodes=4, weight=[9, 9, 1, 1, 9, 9, 1, 1]
    )
    assert metis(ring, 2).edge_cut == 0.5
    one_way = Arcs.from_pairs([0, 1, 1, 2, 3, 3], [1, 0, 2, 3, 2, 0], num_nodes=4)
    found = metis(one_way, 2, seed=1)
    assert found.part[0] == found.part[1] != found.part[2] == found.part[3] and found.edge_cut == 1 / 3


def test_the_hash_is_splitmix_of_the_node():
    arcs = Arcs.from_pairs([], [], num_nodes=50)
    mask = 2**64 - 1

    def mixed(word):
        word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & mask
        word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & mask
        return word ^ (word >> 31)

    key = derive_seed(2, "partition", "hash")
    assert by_hash(arcs, 7, seed=2).part.tolist() == [mixed(node ^ key) % 7 for node in range(50)]


def test_ranges_are_runs_of_equal_load():
    assert by_range(Arcs.from_pairs([], [], num_nodes=6), 3).part.tolist() == [0, 0, 1, 1, 2, 2]
    star = Arcs.from_pairs([0] * 6, range(1, 7), num_nodes=7)
    assert by_range(star, 2, by="arcs").part.tolist() == [0, 0, 1, 1, 1, 1, 1]  # 9 and 10
    arcs = scale_free(500, 4_000)
    assert (np.diff(by_range(arcs, 9, by="arcs").part) >= 0).all()
    assert by_range(arcs, 9, by="arcs").arc_balance < by_range(arcs, 9).arc_balance


def test_auto_takes_metis_where_it_is_and_the_graph_fits(monkeypatch):
    arcs = cliques(4, 2)
    assert partition(arcs, 2).method == "metis"
    monkeypatch.setattr(choose, "METIS_ARCS", 3)
    assert partition(arcs, 2).method.startswith("ldg")
    monkeypatch.undo()
    monkeypatch.setattr(choose, "installed", lambda: False)
    assert partition(arcs, 2).method.startswith("ldg")
    monkeypatch.setitem(sys.modules, "pymetis", None)
    with pytest.raises(ConfigError, match=r"thence\[partition\]"):
        metis(arcs, 2)


@pytest.mark.parametrize(
    ("count", "settings", "message"),
    [
        (0, {}, "num_parts is 0"),
        (9, {}, "num_parts is 9"),
        (2, {"method": "metiss"}, "Did you mean 'metis'"),
        (2, {"by": "weight"}, "cannot balance by"),
        (2, {"slack": -0.1}, "slack is -0.1"),
        (2, {"slack": float("nan"), "method": "metis"}, "slack is nan"),
    ],
)
def test_settings_out_of_range_are_refused(count, settings, message):
    with pytest.raises(ConfigError, match=message):
        partition(cliques(4, 2), count, **settings)
    with pytest.raises(ConfigError, match="at least one pass"):
        streaming(cliques(4, 2), 2, passes=0)


def test_progress_is_told_after_each_pass():
    told = []
    partition(cliques(4, 2), 2, method="ldg", progress=lambda *step: told.append(step))
    assert told == [("partition", step, 5) for step in range(1, 6)]


def test_an_opened_graph_and_offsets_of_either_size_give_the_same_parts(tmp_path):
    arcs = scale_free(3_000, 12_000)
    DiGraph(IdMap(map(str, range(3_000))), {"next": arcs}).save(tmp_path / "g")
    opened = DiGraph.load(tmp_path / "g").main
    assert isinstance(opened.targets, np.memmap)
    wide = {name: getattr(arcs, name).astype(np.int64) for name in ("indptr", "in_indptr", "in_order")}
    for method in FOUND:
        expected = partition(arcs, 5, method=method).part.tolist()
        assert partition(opened, 5, method=method).part.tolist() == expected
        assert partition(replace(arcs, **wide), 5, method=method).part.tolist() == expected
