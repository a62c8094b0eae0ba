"""The verbs that change graphs: what they write is what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.cli.test_verbs import command, said
from tests.worlds import DAY, T0, tiny_world

from thence.base.ids import IdMap
from thence.encode.embeddings import Embeddings
from thence.graph.build import GraphConfig, build_graph
from thence.graph.digraph import DiGraph
from thence.graph.partition import PartGraph


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("change") / "graph"
    build_graph(tiny_world().log, GraphConfig(relations=("bought_after", "same_basket"))).save(folder)
    return folder


def test_a_thinned_graph_has_the_share_that_was_asked_for(graph: Path, tmp_path: Path) -> None:
    before = DiGraph.load(graph)
    for method in ("top_weight", "local_degree", "resistance", "uniform"):
        told = said(
            "graph", "sparsify", graph, "--share", "0.3", "--method", method, "--into", tmp_path / method
        )
        after = DiGraph.load(tmp_path / method)
        assert told["arcs"] == after.main.num_arcs and told["before"] == before.main.num_arcs
        assert 0.25 < after.main.num_arcs / before.main.num_arcs < 0.5
        assert before.main.contains(*after.main.pairs).all()
        assert after["same_basket"].num_arcs == before["same_basket"].num_arcs
        assert told["loss"]["cut_error"] >= 0
    code, out = command("graph", "sparsify", graph, "--share", "0.3", "--into", tmp_path / "text")
    assert code == 0 and "one_way_kept" in out
    assert command("graph", "sparsify", graph, "--share", "1.5", "--into", tmp_path / "no")[0] == 2


def test_parts_open_by_themselves(graph: Path, tmp_path: Path) -> None:
    told = said("graph", "partition", graph, "--parts", "3", "--method", "ldg", "--into", tmp_path / "parts")
    assert told["parts"] == 3 and 0 < told["edge_cut"] < 1 and 1 <= told["balance"] <= 1.06
    whole = DiGraph.load(graph)
    own = [PartGraph.load(tmp_path / "parts", part).num_own for part in range(3)]
    assert sum(own) == whole.num_nodes


def test_a_relation_of_the_most_alike_is_added(graph: Path, tmp_path: Path) -> None:
    told = said("graph", "alike", graph, "--k", "3", "--within", "category", "--into", tmp_path / "with")
    whole = DiGraph.load(tmp_path / "with")
    source, target = whole["alike"].pairs
    kinds = np.array(whole.nodes["category"].to_pylist())
    assert told["arcs"] == len(source) > 0 and (kinds[source] == kinds[target]).all()
    Embeddings(whole.ids, np.eye(len(whole.ids)), np.eye(len(whole.ids))).save(tmp_path / "vectors")
    told = said("graph", "alike", graph, "--by", tmp_path / "vectors", "--into", tmp_path / "none")
    assert told["arcs"] == 0  # at right angles nothing is alike
    assert command("graph", "alike", graph, "--within", "colour", "--into", tmp_path / "no")[0] == 2
    other = Embeddings(IdMap(["other"]), np.eye(1), np.eye(1))
    other.save(tmp_path / "other")
    assert command("graph", "alike", graph, "--by", tmp_path / "other", "--into", tmp_path / "no")[0] == 2


def test_a_reordered_graph_is_the_same_graph(graph: Path, tmp_path: Path) -> None:
    code, _ = command("graph", "reorder", graph, "--by", "degree", "--into", tmp_path / "ordered")
    one, other = DiGraph.load(graph), DiGraph.load(tmp_path / "ordered")
    assert code == 0
    named = [set(zip(*(g.ids.decode(side) for side in g.main.pairs), strict=True)) for g in (one, other)]
    assert named[0] == named[1]
    degree = other.main.out_degree + other.main.in_degree
    assert (np.diff(degree) <= 0).all()


def test_append_makes_the_graph_of_the_grown_log(tmp_path: Path) -> None:
    rows = tiny_world().log.before(T0 + 60 * DAY).events.to_pyarrow()
    old = np.asarray(rows["timestamp"]) < T0 + 50 * DAY
    for name, keep in (("old", old), ("new", ~old)):
        pq.write_table(rows.filter(pa.array(keep)), tmp_path / f"{name}.parquet")
    log, state = tmp_path / "log", tmp_path / "state"
    build = ["graph", "build", log, "--relation", "bought_after", "--min-count", "2"]
    assert command("ingest", tmp_path / "old.parquet", "--into", log)[0] == 0
    assert command(*build, "--state", state, "--into", tmp_path / "first")[0] == 0
    assert command("ingest", tmp_path / "new.parquet", "--into", log)[0] == 0
    told = said("graph", "append", state, log, "--into", tmp_path / "second")
    assert told["events"] == int((~old).sum())
    assert command(*build, "--into", tmp_path / "rebuilt")[0] == 0
    grown, rebuilt = DiGraph.load(tmp_path / "second"), DiGraph.load(tmp_path / "rebuilt")
    assert grown.ids == rebuilt.ids
    assert np.array_equal(grown.main.pairs, rebuilt.main.pairs)
    assert all(np.array_equal(grown.main.values[v], rebuilt.main.values[v]) for v in rebuilt.main.values)
    assert DiGraph.load(tmp_path / "first").main.num_arcs < grown.main.num_arcs
