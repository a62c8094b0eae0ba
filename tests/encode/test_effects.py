"""Scores without an arc are those of the encoder on a graph that never had it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.encode.test_dual import output, three_relations

from thence.base.errors import ArtifactError, DataError
from thence.encode.dual import DualConfig, DualEncoder
from thence.encode.effects import Arc, ArcEffects
from thence.graph import Arcs, DiGraph


def trained(graph: DiGraph, layers: int, fan_out: int, like: DualEncoder | None = None) -> DualEncoder:
    """An encoder whose coefficients are not those of the start; ``like`` lends its learned numbers."""
    encoder = DualEncoder(graph, DualConfig(dim=4, layers=layers, fan_out=fan_out), seed=5)
    with torch.no_grad():
        for share in (encoder.directed_share, encoder.undirected_share):
            share.uniform_(-1, 1, generator=torch.Generator().manual_seed(1))
        if like is not None:
            encoder.load_state_dict(like.state_dict())
    return encoder


def lacking(graph: DiGraph, arc: Arc) -> DiGraph:
    arcs = graph[arc.relation]
    gone = [(arc.source, arc.target)] if arcs.directed else [(arc.source, arc.target), (arc.target, arc.source)]
    keep = np.array([pair not in gone for pair in zip(*arcs.pairs.tolist(), strict=True)])
    return graph.with_relation(arc.relation, arcs.select(keep))


def random_graph(seed: int, nodes: int = 12) -> DiGraph:
    draw = np.random.default_rng(seed)
    base = three_relations()

    def relation(directed: bool) -> Arcs:
        pairs = {tuple(pair) for pair in draw.integers(0, nodes, (45, 2)).tolist() if pair[0] != pair[1]}
        pairs = pairs if directed else pairs | {pair[::-1] for pair in pairs}
        source, target = zip(*sorted(pairs), strict=True)
        return Arcs.from_pairs(
            source, target, num_nodes=nodes, weight=draw.random(len(pairs)) + 0.1, directed=directed
        )

    ids = type(base.ids)(str(n) for n in range(nodes))
    return DiGraph(ids, {name: relation(arcs.directed) for name, arcs in base.relations.items()})


@pytest.mark.parametrize("layers", [0, 1, 2, 3])
@pytest.mark.parametrize("fan_out", [2, 5, 32])
def test_the_score_without_an_arc_is_that_of_a_graph_that_never_had_it(layers: int, fan_out: int) -> None:
    graph = random_graph(seed=layers)
    encoder = trained(graph, layers, fan_out)
    effects = ArcEffects.of(encoder)
    whole = output(encoder)
    draw = np.random.default_rng(fan_out)
    for name, arcs in graph.relations.items():
        for place in draw.choice(arcs.num_arcs, 6, replace=False):
            arc = Arc(name, *arcs.pairs[:, place].tolist())
            source, target, bias = output(trained(lacking(graph, arc), layers, fan_out, like=encoder))
            for i, j in [
                (arc.source, arc.target),
                (arc.source, 3),
                (4, arc.target),
                (arc.target, arc.source),
                (1, 2),
            ]:
                assert effects.score(graph, i, j) == pytest.approx(
                    whole[0][i] @ whole[1][j] + whole[2][j], abs=1e-5
                )
                assert effects.score(graph, i, j, arc) == pytest.approx(
                    source[i] @ target[j] + bias[j], abs=1e-5
                )


def test_an_arc_far_away_changes_nothing_and_a_near_one_does() -> None:
    arcs = Arcs.from_pairs([0, 1, 4], [1, 2, 5], num_nodes=6)
    graph = DiGraph(type(three_relations().ids)("abcdef"), {"next": arcs})
    effects = ArcEffects.of(trained(graph, 1, 32))
    assert effects.score(graph, 0, 2, Arc("next", 4, 5)) == effects.score(graph, 0, 2)
    assert effects.score(graph, 0, 2, Arc("next", 0, 1)) != effects.score(graph, 0, 2)
    assert effects.score(graph, 2, 0, Arc("next", 0, 1)) == effects.score(
        graph, 2, 0
    )  # a reversed reader would move


def test_wrong_arcs_and_graphs_are_refused(tmp_path) -> None:
    graph = three_relations()
    effects = ArcEffects.of(trained(graph, 1, 2))
    with pytest.raises(DataError, match="no arc 4 → 0"):
        effects.score(graph, 0, 1, Arc("after", 4, 0))
    with pytest.raises(DataError, match="no relation 'aftr'"):
        effects.score(graph, 0, 1, Arc("aftr", 0, 2))
    with pytest.raises(DataError, match="another graph"):
        effects.score(random_graph(0), 0, 1)
    with pytest.raises(DataError, match="do not fit"):
        replace(effects, bias=effects.bias[:-1])
    effects.save(tmp_path / "e")
    again = ArcEffects.load(tmp_path / "e")
    assert again.score(graph, 0, 2) == effects.score(graph, 0, 2)
    file = tmp_path / "e" / "start.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(ArtifactError):
        ArcEffects.load(tmp_path / "e")
