"""What layers multiply by, entry by entry, and that graphs side by side stay apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from thence.base.errors import ConfigError, DataError
from thence.encode.layer.view import SCALES, WAYS, View
from thence.graph import Arcs

SOURCE, TARGET = [0, 0, 1, 2, 2], [1, 2, 2, 0, 3]
WEIGHT = [1.0, 2.0, 0.5, 4.0, 1.0]


def world() -> tuple[Arcs, np.ndarray]:
    dense = np.zeros((5, 5))
    dense[SOURCE, TARGET] = WEIGHT
    return Arcs.from_pairs(SOURCE, TARGET, num_nodes=5, weight=WEIGHT), dense


def literal(dense: np.ndarray, scale: str, way: str) -> np.ndarray:
    rows = {"out": dense, "into": dense.T, "both": np.maximum(dense, dense.T)}[way]
    if scale == "sum":
        return rows
    rows = rows + np.eye(5) if "loops" in scale else rows
    out = np.zeros_like(rows)
    for i in range(5):
        for j in range(5):
            if rows[i, j]:
                by = rows[i].sum() if "mean" in scale else (rows[i].sum() * rows[:, j].sum()) ** 0.5
                out[i, j] = rows[i, j] / by
    return out


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("way", WAYS)
def test_matrices_are_what_the_formulas_say(scale, way) -> None:
    arcs, dense = world()
    got = View(arcs).matrix(scale, way)(torch.eye(5))
    np.testing.assert_allclose(got.numpy(), literal(dense, scale, way), rtol=1e-6, atol=1e-7)


def test_graphs_side_by_side_stay_apart() -> None:
    arcs, _ = world()
    lone = View(Arcs.from_pairs([], [], num_nodes=1))
    both = View.stacked([View(arcs), lone, View(arcs)])
    assert both.sizes.tolist() == [5, 1, 5] and both.num_graphs == 3
    one, all_ = View(arcs).matrix("loops", "both"), both.matrix("loops", "both")
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    stacked = all_(torch.cat([x, torch.ones(1, 3), x]))
    torch.testing.assert_close(stacked[:5], one(x), rtol=0, atol=0)
    torch.testing.assert_close(stacked[6:], one(x), rtol=0, atol=0)


@pytest.mark.parametrize(
    "of", [[0, 0, 0, 0], [1, 1, 1, 1, 1], [0, 0, 2, 2, 2], [0, 0, 1, 1, 0], [0, 0, 0, 1, 1]]
)
def test_wrong_graph_numbers_are_refused(of) -> None:
    arcs, _ = world()
    with pytest.raises(DataError):
        View(arcs, np.array(of))


def test_wrong_names_are_refused() -> None:
    arcs, _ = world()
    with pytest.raises(ConfigError, match="Did you mean 'mean'"):
        View(arcs).matrix("men")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="into"):
        View(arcs).matrix("mean", "inta")  # type: ignore[arg-type]


@pytest.mark.parametrize("sizes", [[1], [3, 3], [1, 2, 3], [3, 1, 3, 2, 1]])
def test_graphs_of_one_size_stand_together_and_go_back(sizes) -> None:
    of = np.repeat(np.arange(len(sizes)), sizes)
    view = View(Arcs.from_pairs([], [], num_nodes=len(of)), of)
    x = torch.arange(2.0 * len(of)).view(-1, 2).requires_grad_()
    rows = view.by_size(x)
    blocks = view.blocks(rows)
    found = [graph.tolist() for block in blocks for graph in block]
    alone = [x[of == graph].tolist() for graph in np.argsort(sizes, kind="stable")]
    assert found == alone and [len(block[0]) for block in blocks] == sorted(set(sizes))
    assert torch.equal(view.by_node(torch.cat([block.flatten(0, 1) for block in blocks])), x)
    (rows * torch.arange(len(of))[:, None]).sum().backward()
    assert x.grad is not None and torch.equal(view.by_size(x.grad)[:, 0], torch.arange(float(len(of))))
