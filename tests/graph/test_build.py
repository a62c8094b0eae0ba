"""What becomes a node, what the clock hides, and which settings and logs are refused."""

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from tests.graph.literal import DAY, bought, counted, log_of, valued
from tests.graph.test_digraph import assert_same
from tests.worlds import T0, phone_case_log, phone_case_tables

from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap
from thence.events import EventLog
from thence.events.worlds import WorldConfig, simulate
from thence.graph.build import RELATIONS, GraphConfig, build_graph
from thence.graph.nodes import categories, node_codes, node_table

ONE = GraphConfig(relations=("same_basket", "bought_after", "co_viewed"), min_count=1, min_support=1)
ROWS = bought([], (0, "ann", "a"), (0, "ann", "b"), (1, "ann", "c"), (0, "bob", "a"), (1, "bob", "b"))
CATALOGUE = {"item_id": ["z", "b", "a"], "title": ["Zed", None, "Ay"], "category": ["x", "x", " "]}


def names(graph):
    return graph.ids.array.to_pylist()


# Nodes


def test_nodes_are_what_was_bought_in_the_order_of_ids():
    rows = [*reversed(ROWS), (0, "ann", "viewed", "view", None)]
    graph = build_graph(log_of(rows), ONE)
    assert names(graph) == graph.nodes["item_id"].to_pylist() == ["a", "b", "c"]
    assert graph.nodes["count"].to_pylist() == [2, 2, 1]
    assert graph.nodes["first_time"].to_pylist() == [0, 0, DAY]
    assert graph.nodes["last_time"].to_pylist() == [0, DAY, DAY]


def test_ids_are_ordered_by_their_bytes():
    odd = ["é", "a", "Z", "10", "9", "🙂", "a b", "A"]
    graph = build_graph(log_of(bought([], *((0, "ann", name) for name in odd))), ONE)
    assert names(graph) == sorted(odd, key=str.encode)


def test_min_count_counts_rows_and_leaves_the_rest_out_entirely():
    graph = build_graph(log_of(ROWS), GraphConfig(("same_basket", "bought_after"), min_count=2, min_support=1))
    assert names(graph) == ["a", "b"]
    assert counted(graph, "bought_after") == {("a", "b"): (1, DAY)}
    rows = bought(ROWS, (5, "cleo", "c"))
    assert names(build_graph(log_of(rows), GraphConfig(("bought_after",), min_count=2))) == ["a", "b", "c"]


def test_min_support_is_each_relations_own_unless_given():
    pairs = {
        n: build_graph(log_of(ROWS), GraphConfig(("same_basket", "bought_after"), 1, n)) for n in (None, 1, 2)
    }
    arcs = {n: [graph[name].num_arcs for name in graph.relations] for n, graph in pairs.items()}
    assert arcs == {None: [2, 0], 1: [2, 3], 2: [0, 0]}


def test_cold_products_are_nodes_without_arcs_and_move_no_figure():
    log = log_of([*ROWS, (2, "ann", "z", "view", None), (3, "ann", "b", "view", None)], CATALOGUE)
    config = {"relations": (*RELATIONS,), "min_count": 2, "min_support": 1}
    warm = build_graph(log, GraphConfig(**config))
    cold = build_graph(log, GraphConfig(**config, include_cold=True))
    assert names(warm) == ["a", "b"] and names(cold) == ["a", "b", "c", "z"]  # c was bought once, z never
    assert cold.nodes["count"].to_pylist() == [2, 2, 1, 0]
    assert cold.nodes["first_time"].to_pylist() == [0, 0, DAY, None]
    assert cold.nodes["title"].to_pylist() == ["Ay", None, None, "Zed"]
    for name in RELATIONS:
        assert counted(cold, name) == counted(warm, name)
        for value in ("lift", "asymmetry"):
            assert valued(cold, name, value) == valued(warm, name, value)
        assert (cold[name].out_degree + cold[name].in_degree)[2:].tolist() == [0, 0]


def test_without_a_catalogue_cold_products_are_those_bought_too_seldom():
    graph = build_graph(log_of(ROWS), GraphConfig(("bought_after",), min_count=2, include_cold=True))
    assert names(graph) == ["a", "b", "c"] and graph.nodes.column_names[:2] == ["item_id", "count"]
    assert categories(graph.nodes).tolist() == [-1, -1, -1]


def test_products_that_the_catalogue_lacks_are_nodes_too():
    graph = build_graph(log_of(ROWS, CATALOGUE), ONE)
    assert names(graph) == ["a", "b", "c"] and graph.nodes["title"].to_pylist() == ["Ay", None, None]
    assert categories(graph.nodes).tolist() == [-1, 0, -1]  # blank, x, unknown


def test_a_catalogue_with_columns_of_our_names_keeps_them_under_others():
    items = {"item_id": ["a", "b"], "count": [70, 80], "last_time": ["x", "y"]}
    for include_cold in (False, True):
        nodes = node_table(log_of(ROWS, items), min_count=1, include_cold=include_cold)
        assert nodes["count"].to_pylist() == [2, 2, 1]
        assert nodes["catalogue_count"].to_pylist() == [70, 80, None]
        assert nodes["catalogue_last_time"].to_pylist() == ["x", "y", None]


def test_a_product_twice_in_the_catalogue_is_refused():
    with pytest.raises(DataError, match="more than once"):
        build_graph(log_of(ROWS, {"item_id": ["a", "a"]}), ONE)


def test_codes_are_of_the_kept_nodes():
    codes = node_codes(IdMap("abc"), np.array([True, False, True]))
    assert codes.to_pydict() == {"item_id": ["a", "c"], "node": [0, 2]} and codes["node"].type == pa.int32()


# Logs with little in them


@pytest.mark.parametrize("rows", [[], [(0, "ann", "a", "view", None), (1, "ann", "b", "cart", None)]])
def test_a_log_without_purchases_is_refused(rows):
    with pytest.raises(DataError, match="no product was bought once"):
        build_graph(log_of(rows), ONE)


def test_a_count_that_nothing_reaches_is_refused():
    for include_cold in (False, True):
        with pytest.raises(DataError, match="no product was bought 3 times"):
            build_graph(log_of(ROWS, CATALOGUE), GraphConfig(min_count=3, include_cold=include_cold))


def test_a_single_basket():
    graph = build_graph(log_of(bought([], (0, "ann", "a"), (0, "ann", "b"))), ONE)
    assert counted(graph, "same_basket") == {("a", "b"): (1, 0), ("b", "a"): (1, 0)}
    assert counted(graph, "bought_after") == counted(graph, "co_viewed") == {}
    assert valued(graph, "same_basket", "lift") == {("a", "b"): 1.0, ("b", "a"): 1.0}
    assert valued(graph, "same_basket", "asymmetry") == {("a", "b"): 0.0, ("b", "a"): 0.0}


def test_a_single_purchase_has_a_node_and_no_arcs():
    graph = build_graph(log_of(bought([], (0, "ann", "a"))), GraphConfig(RELATIONS, min_count=1))
    assert names(graph) == ["a"] and [arcs.num_arcs for arcs in graph.relations.values()] == [0] * 4


# The clock


def test_nothing_at_or_after_the_clock_is_used():
    log = phone_case_log()
    for day in (2, 9):
        moment = T0 + day * DAY
        events, items = phone_case_tables()
        past = events.filter(pa.compute.less(events["timestamp"], moment))
        config = GraphConfig((*RELATIONS,), min_count=1, min_support=1, include_cold=True)
        seen = build_graph(log.before(moment), config)
        alone = build_graph(EventLog.from_tables(past, items), config)
        assert_same_but_origin(seen, alone)
        assert seen.info["log"]["until"] == moment and seen.info["log"]["events"] == past.num_rows


def test_what_comes_before_the_start_is_not_used():
    graph = build_graph(log_of(ROWS).since(DAY), ONE)
    assert names(graph) == ["b", "c"] and counted(graph, "same_basket") == {}


def assert_same_but_origin(one, other):
    from dataclasses import replace

    assert_same(replace(one, info={}), replace(other, info={}))


# The same log, the same graph


@pytest.fixture(scope="module")
def world():
    return simulate(WorldConfig(items=120, customers=1500), seed=0)


def test_the_order_of_rows_and_where_they_lie_do_not_matter(world, tmp_path):
    log = world.log
    config = GraphConfig((*RELATIONS,), min_count=3)
    whole = build_graph(log, config)
    log.save(tmp_path / "log")
    events = log.events.to_pyarrow()
    shuffled = events.take(pa.array(np.random.default_rng(1).permutation(len(events))))
    again = EventLog.from_tables(shuffled, log.items.to_pyarrow())
    for other in (build_graph(EventLog.load(tmp_path / "log"), config), build_graph(again, config)):
        assert_same(whole, other)  # the fingerprint of the log included
    whole.save(tmp_path / "one")
    build_graph(log, config).save(tmp_path / "two")
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_accessories_follow_devices_in_a_world(world):
    graph = build_graph(world.log, GraphConfig(("bought_after", "same_basket"), min_count=5))
    place = graph.ids.encode(world.truth.ids.array, missing="mark")
    source, target = place[world.truth.arcs]
    back = ~world_contains(world, world.truth.arcs[::-1])
    known = (source >= 0) & (target >= 0) & back & (world.truth.probability >= 0.1)
    ahead, behind = (
        support_of(graph.main, pair)
        for pair in ((source[known], target[known]), (target[known], source[known]))
    )
    assert known.sum() > 20 and ahead.sum() > 3 * behind.sum()


def support_of(arcs, pairs):
    at = arcs.positions(*pairs)
    return np.where(at >= 0, arcs.values["support"][np.maximum(at, 0)], 0)


def world_contains(world, pairs):
    size = len(world.truth.ids)
    known = set((world.truth.arcs[0] * size + world.truth.arcs[1]).tolist())
    return np.array([key in known for key in (pairs[0] * size + pairs[1]).tolist()])


# Settings and progress


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"relations": ("same_baskets",)}, "Did you mean 'same_basket'"),
        ({"relations": ()}, "must have a direction"),
        ({"relations": ("co_viewed", "same_basket")}, "must have a direction"),
        ({"relations": ("same_basket", "same_basket")}, "stands twice"),
        ({"min_count": 0}, "out of range"),
        ({"min_support": 0}, "out of range"),
        ({"window_days": 0}, "out of range"),
        ({"window_days": float("nan")}, "out of range"),
        ({"window_days": float("inf")}, "out of range"),
        ({"max_basket": 1}, "out of range"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        GraphConfig(**settings)


def test_progress_is_told_of_each_relation():
    told = []
    build_graph(log_of(ROWS), ONE, progress=lambda *call: told.append(call))
    assert told == [("relations", step, 3) for step in range(4)]
