"""Decoders against formulas written out, blocks of pairs against single pairs, and the blend of scorers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tests.contract import scorers
from tests.encode.graphs import graph_of, random_graph, small_graphs

from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap
from thence.encode import Embeddings, Scorer
from thence.encode.baseline.page_rank_both import page_rank_both
from thence.encode.blend import Likeness, fit_blend, pair_scores
from thence.encode.peer import decode
from thence.encode.peer.decode import DECODERS, ConcatMLP, DecodedScorer, HadamardMLP, make_decoder
from thence.graph import DiGraph
from thence.train.recipes import fit_recipe


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def test_each_decoder_is_its_formula() -> None:
    s, t = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    left, right = s.numpy(), t.numpy()
    hadamard, concat, linear = HadamardMLP(3, 4).eval(), ConcatMLP(3, 4).eval(), ConcatMLP(3, 0).eval()
    p = {k: v.numpy() for k, v in hadamard.state_dict().items()}
    expected = (
        relu((left * right) @ p["first.weight"].T + p["first.bias"]) @ p["last.weight"].T + p["last.bias"]
    )
    np.testing.assert_allclose(hadamard(s, t).detach(), expected[:, 0], atol=1e-6)
    p = {k: v.numpy() for k, v in concat.state_dict().items()}
    both = np.concatenate([p["of_source.weight"], p["of_target.weight"]], axis=1)
    hidden = relu(np.concatenate([left, right], axis=1) @ both.T + p["of_source.bias"])
    np.testing.assert_allclose(
        concat(s, t).detach(), (hidden @ p["last.weight"].T + p["last.bias"])[:, 0], atol=1e-6
    )
    p = {k: v.numpy() for k, v in linear.state_dict().items()}
    expected = left @ p["of_source.weight"].T + right @ p["of_target.weight"].T + p["of_source.bias"]
    np.testing.assert_allclose(linear(s, t).detach(), expected[:, 0], atol=1e-6)


@pytest.mark.parametrize("name", DECODERS)
def test_blocks_rows_and_pairs_agree(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = torch.Generator().manual_seed(1)
    source, target, bias = (torch.randn(*shape, generator=draw) for shape in ((6, 3), (6, 3), (6,)))
    scorer = DecodedScorer(IdMap("abcdef"), source, target, bias, make_decoder(name, 3))
    decoder = make_decoder(name, 3).eval()
    one_by_one = np.array(
        [[float((decoder(source[i], target[j]) + bias[j]).detach()) for j in range(6)] for i in range(6)]
    )
    for size in (decode.BLOCK_VALUES, 40, 1):
        monkeypatch.setattr(decode, "BLOCK_VALUES", size)
        np.testing.assert_allclose(scorer.scores(range(6)), one_by_one, atol=1e-5)
        np.testing.assert_allclose(scorer.scores_into(range(6)), one_by_one.T, atol=1e-5)
        np.testing.assert_allclose(scorer.pairs([0, 5], [4, 1]), one_by_one[[0, 5], [4, 1]], atol=1e-5)


def test_wrong_vectors_and_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="unknown decoder"):
        make_decoder("haddamard", 3)
    with pytest.raises(DataError, match="not finite"):
        DecodedScorer(
            IdMap("a"), torch.full((1, 1), torch.nan), torch.ones(1, 1), torch.zeros(1), torch.nn.Identity()
        )


@pytest.mark.parametrize("graph", ["cycle", "phone and case", "isolated nodes"])
@pytest.mark.parametrize("name", ["sdgae", "dual_decoded", "magnet"])
def test_decoded_scorers_keep_the_contract(name: str, graph: str) -> None:
    def make(graph: DiGraph) -> Scorer:
        return fit_recipe(name, graph, train={"steps": 2}, settings={"dim": 4})

    scorers.keeps_the_contract(make, small_graphs()[graph])


def test_page_rank_both_ways_is_a_sum_over_walks() -> None:
    graph = random_graph()
    a = graph.main.matrix().toarray() + graph.main.matrix().toarray().T
    walk = a / a.sum(1, keepdims=True)
    expected: Any = sum(0.3 * 0.7**t * np.linalg.matrix_power(walk, t) for t in range(6))
    scorer = page_rank_both(graph, alpha=0.3, steps=5)
    np.testing.assert_allclose(scorer.scores(range(12)), expected, atol=1e-6)
    np.testing.assert_allclose(scorer.scores_into(range(12)), expected.T, atol=1e-6)
    with pytest.raises(ConfigError):
        page_rank_both(graph, alpha=1.0)


def random_blend() -> tuple[dict[str, Scorer], np.ndarray, np.ndarray]:
    graph = random_graph(num_nodes=30, num_arcs=120, seed=3)
    rng = np.random.default_rng(0)
    noise = Embeddings(graph.ids, rng.normal(size=(30, 2)), rng.normal(size=(30, 2)))
    absent = np.array(
        [(i, j) for i in range(30) for j in range(30) if i != j and not graph.main.contains([i], [j])]
    )
    return {"walks": page_rank_both(graph), "noise": noise}, graph.main.pairs, absent[::5].T


def test_a_blend_trusts_who_knows_and_scores_alike_from_everywhere() -> None:
    parts, arcs, absent = random_blend()
    blend = fit_blend(parts, arcs, absent, logarithm=["walks"])
    table = blend.scores(range(30))
    np.testing.assert_allclose(blend.scores_into(range(30)), table.T, atol=1e-4)
    np.testing.assert_allclose(blend.pairs(*arcs), table[tuple(arcs)], atol=1e-4)
    by_hand = blend.constant + sum(
        blend.weight[name] * (value - blend.shift[name])
        for name, value in (
            ("walks", np.log(parts["walks"].scores(range(30)) + 1e-3 / 30)),
            ("noise", parts["noise"].scores(range(30))),
        )
    )
    np.testing.assert_allclose(table, by_hand, atol=1e-4)
    moved = {
        name: abs(blend.weight[name]) * np.std(part)
        for name, part in (
            ("walks", np.log(parts["walks"].scores(range(30)) + 1e-3 / 30)),
            ("noise", parts["noise"].scores(range(30))),
        )
    }
    assert moved["walks"] > 5 * moved["noise"]


def test_a_blend_refuses_what_it_cannot_use() -> None:
    parts, arcs, absent = random_blend()
    with pytest.raises(DataError, match="negative"):
        fit_blend(parts, arcs, absent, logarithm=["noise"])
    with pytest.raises(DataError, match="needs scorers"):
        fit_blend({}, arcs, absent)
    with pytest.raises(DataError, match="catalogue"):
        Likeness(graph_of([(0, 1, 1.0)], 2))


def test_likeness_of_pairs_is_that_of_rows() -> None:
    likeness = Likeness(small_graphs()["phone and case"])
    rows = likeness.scores(range(len(likeness.ids)))
    np.testing.assert_allclose(np.diag(rows), 1.0, atol=1e-6)
    np.testing.assert_allclose(likeness.pairs([0, 1], [1, 0]), rows[[0, 1], [1, 0]], atol=1e-6)
    np.testing.assert_allclose(pair_scores(likeness, [0], [1]), rows[0, 1], atol=1e-6)
