"""Adam against its formula in loops, and rows that rest."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from thence.train.config import TrainConfig
from thence.train.optimizer import RowAdam, make_optimizer


def literal_adam(weight, grads, rate, decay):
    """One number through some steps; None is a step that does not touch it but counts."""
    m = v = 0.0
    for t, g in enumerate(grads, 1):
        if g is None:
            continue
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        weight = (1 - rate * decay) * weight
        weight -= rate * (m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return weight


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])  # the kernel, and torch's way
def test_touched_rows_follow_the_formula_and_others_rest(dtype: torch.dtype) -> None:
    table = nn.Parameter(torch.tensor([[1.0], [2.0], [3.0]], dtype=dtype))
    optimizer = RowAdam([table], lr=0.1, weight_decay=0.5)
    for rows, slopes in (([0, 2], [0.5, -2.0]), ([2, 2], [1.0, 0.25])):
        optimizer.zero_grad()
        seen = nn.functional.embedding(torch.tensor(rows), table, sparse=True)
        (seen[:, 0] * torch.tensor(slopes, dtype=dtype)).sum().backward()
        optimizer.step()
    expected = [
        literal_adam(1.0, [0.5, None], 0.1, 0.5),
        2.0,
        literal_adam(3.0, [-2.0, 1.25], 0.1, 0.5),
    ]
    np.testing.assert_allclose(table.detach().numpy()[:, 0], expected, rtol=1e-5)


def test_dense_gradients_move_as_torch_moves_them() -> None:
    start = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    both = RowAdam([ours], lr=0.01, weight_decay=0.1), torch.optim.AdamW([theirs], lr=0.01, weight_decay=0.1)
    for _ in range(5):
        for table, optimizer in zip((ours, theirs), both, strict=True):
            optimizer.zero_grad()
            (table**3).sum().backward()
            optimizer.step()
    torch.testing.assert_close(ours, theirs)


def test_an_encoder_says_whether_its_rows_are_sparse() -> None:
    class Table(nn.Module):
        row_sparse = ("free",)

        def __init__(self) -> None:
            super().__init__()
            self.free = nn.Parameter(torch.zeros(2, 2))

    assert isinstance(make_optimizer(Table(), TrainConfig()), RowAdam)
    assert isinstance(make_optimizer(nn.Linear(2, 2), TrainConfig()), torch.optim.AdamW)


def test_only_matrices_of_vectors_decay() -> None:
    groups = make_optimizer(nn.Linear(2, 2), TrainConfig(weight_decay=0.3)).param_groups
    assert [(len(group["params"]), group["weight_decay"]) for group in groups] == [(1, 0.3), (1, 0.0)]
