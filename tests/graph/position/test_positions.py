"""The noun: kept, opened, refused for another graph; and the one function that makes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.graph.position.worlds import cycle, drawn, names

from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.graph import DiGraph
from thence.graph.position import DEFAULT, KINDS, Positions, fingerprint, positions, settings_of


def test_saved_and_opened(tmp_path: Path) -> None:
    arcs = drawn(40, 120)
    found = positions(arcs, {"magnetic": {"k": 3}, "profile": {}}, ids=names(40), seed=5)
    found.save(tmp_path / "p")
    again = Positions.load(tmp_path / "p", of=arcs)
    assert again.ids == found.ids and again.info == found.info and list(again.blocks) == list(found.blocks)
    np.testing.assert_array_equal(again.matrix(), found.matrix())
    assert repr(again) == "Positions(40 nodes, 28 columns: magnetic, profile)"
    found = positions(arcs, ["profile"])
    found.save(tmp_path / "p")
    assert Positions.load(tmp_path / "p").ids is None


def test_positions_of_another_graph_are_refused(tmp_path: Path) -> None:
    arcs = drawn(40, 120)
    positions(arcs, ["profile"]).save(tmp_path / "p")
    for other in (arcs.reversed(), arcs.with_value("weight", arcs.weight * 2), drawn(41, 120)):
        assert fingerprint(other) != fingerprint(arcs)
        with pytest.raises(ArtifactError, match="another graph"):
            Positions.load(tmp_path / "p", of=other)
    assert fingerprint(arcs.reversed().reversed()) == fingerprint(arcs)
    with pytest.raises(ArtifactError):
        Positions.load(tmp_path / "nowhere")


def test_the_same_seed_gives_the_same_bytes() -> None:
    arcs = drawn(1_500, 6_000)
    settings: dict = {kind: {"k": 4} if "k" in settings_of(kind) else {} for kind in KINDS}
    settings["profile"] = {"exact": False}
    one, two, three = (positions(arcs, settings, seed=seed).matrix().tobytes() for seed in (1, 1, 2))
    assert one == two != three


def test_kinds_and_settings() -> None:
    arcs = cycle(5)
    assert tuple(positions(arcs).info["kinds"]) == DEFAULT
    found = positions(arcs, {"returns": {"steps": 4}, "anchors": {"k": 2}})
    assert found.blocks["returns.out"].shape == (5, 3) and found.blocks["anchors.hops.in"].shape == (5, 2)
    assert found.info["kinds"]["returns"]["settings"] == {"steps": 4}
    for wrong, hint in ((["magnetics"], "magnetic"), ({"returns": {"step": 4}}, "steps"), ([], "Known")):
        with pytest.raises(ConfigError, match=hint):
            positions(arcs, wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="seed"):
        positions(arcs, {"returns": {"seed": 4}})
    with pytest.raises(DataError, match="4 ids"):
        positions(arcs, ids=names(4))


def test_of_a_graph() -> None:
    graph = DiGraph(names(5), {"bought_after": cycle(5), "back": cycle(5).reversed()})
    main, back = positions(graph), positions(graph, relation="back")
    np.testing.assert_allclose(main.blocks["propagate.out"], back.blocks["propagate.in"], atol=1e-6)
    assert main.ids == graph.ids
    with pytest.raises(DataError, match="no relation"):
        positions(graph, relation="forth")


def test_blocks_are_checked() -> None:
    row = np.zeros((2, 1), np.float32)
    short = {"a": row, "b": row[:1]}
    for blocks in ({}, {"a": row.astype(float)}, {"a": row[:, 0]}, {"a": row + np.float32(np.nan)}, short):
        with pytest.raises(DataError):
            Positions(None, blocks)
    with pytest.raises(DataError):
        Positions(names(3), {"a": row})
