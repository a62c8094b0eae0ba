"""Worlds on disk, their catalogue's words, and the shared tiny worlds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.worlds import (
    PHONE_CASE_BUYERS,
    PHONE_CASE_FIRST_AFTER,
    cycle_graph,
    cycle_tables,
    one_way_communities,
    phone_case_tables,
    tiny_world,
)

from thence.base.errors import ArtifactError
from thence.events.worlds import Campaign, World, WorldConfig, simulate
from thence.events.worlds.catalogue import make_catalogue


def test_a_saved_world_is_the_same_world(tmp_path: Path) -> None:
    config = WorldConfig(items=100, customers=300, campaign=Campaign())
    world = simulate(config, seed=9)
    world.save(tmp_path / "world")
    again = World.load(tmp_path / "world")
    assert again.fingerprint() == world.fingerprint()
    assert again.config == config and again.seed == 9
    assert np.array_equal(again.truth.arcs, world.truth.arcs)
    assert np.array_equal(again.truth.effects.spillover, world.truth.effects.spillover)
    assert again.truth.effects.begin == world.truth.effects.begin
    assert np.array_equal(again.truth.scorer().scores([1]), world.truth.scorer().scores([1]))


def test_a_torn_world_is_refused(tmp_path: Path) -> None:
    simulate(WorldConfig(items=100, customers=100)).save(tmp_path / "world")
    (tmp_path / "world" / "events.parquet").write_bytes(b"torn")
    with pytest.raises(ArtifactError):
        World.load(tmp_path / "world")


def test_titles_say_what_an_accessory_fits() -> None:
    catalogue = make_catalogue(2_000, seed=0)
    titles = np.array(catalogue.table["title"].to_pylist(), dtype=object)
    for i in np.flatnonzero((catalogue.role == 1) & (catalogue.series >= 0))[::20]:
        device = np.flatnonzero((catalogue.series == catalogue.series[i]) & (catalogue.generation > 0))[0]
        brand_and_series = " ".join(titles[device].split(" ")[:2])
        assert titles[i].endswith(f"for {brand_and_series}") or brand_and_series in titles[i]
    assert (np.diff(catalogue.type) >= 0).all() and (np.diff(catalogue.category) >= 0).all()
    assert len(set(catalogue.types.names.tolist())) == len(catalogue.types)
    log_price = np.log(catalogue.price)
    assert log_price[catalogue.role == 0].mean() > log_price[catalogue.role == 1].mean() + 1


def test_ids_say_nothing_of_the_catalogues_order() -> None:
    number = np.array([int(id_[1:]) for id_ in make_catalogue(2_000, seed=0).ids.array.to_pylist()])
    assert sorted(number.tolist()) == list(range(2_000))
    assert abs(np.corrcoef(number, np.arange(2_000))[0, 1]) < 0.08


def test_the_tiny_world_is_tiny_and_cached() -> None:
    assert tiny_world() is tiny_world()
    assert tiny_world().items.num_rows == 300
    assert 100_000 < tiny_world().events.num_rows < 180_000


def test_the_phone_log_has_the_answers_that_it_claims() -> None:
    events, items = phone_case_tables()
    first: dict[tuple[str, str], tuple[int, str]] = {}
    for row in events.to_pylist():
        if row["event"] == "purchase":
            first.setdefault((row["user_id"], row["item_id"]), (row["timestamp"], row["order_id"]))
    counts: dict[tuple[str, str], int] = {}
    buyers: dict[str, int] = {}
    for (user, i), (time, _) in first.items():
        buyers[i] = buyers.get(i, 0) + 1
        for (other, j), (later, _) in first.items():
            if user == other and later > time:
                counts[i, j] = counts.get((i, j), 0) + 1
    assert counts == PHONE_CASE_FIRST_AFTER and buyers == PHONE_CASE_BUYERS
    assert set(events["item_id"].to_pylist()) <= set(items["item_id"].to_pylist())


def test_the_cycle_and_the_communities_are_one_way() -> None:
    cycle = cycle_graph(5)
    assert cycle.main.pairs.tolist() == [[0, 1, 2, 3, 4], [1, 2, 3, 4, 0]]
    assert cycle.main.one_way_share == 1.0
    assert cycle_tables(5, 2).num_rows == 20
    graph, community = one_way_communities()
    source, target = graph.main.pairs
    assert (community[target] == community[source] + 1).all() and graph.main.num_arcs == 128
