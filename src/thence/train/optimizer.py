"""Adam with decoupled decay, for whole parameters and for tables of which a step touches few rows.

With gradient g, moments m ← β₁ m + (1 - β₁) g and v ← β₂ v + (1 - β₂) g², and t steps taken:

    w ← (1 - rate · decay) w - rate · (m / (1 - β₁^t)) / (√(v / (1 - β₂^t)) + ε)

A *row-sparse* parameter (an encoder names its own in ``row_sparse``) has gradients for the rows that a batch
touched; these rows alone are updated, moments included, and the others rest. A step then costs what the batch
costs, not what the table does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from thence.train.config import TrainConfig
from thence.train.row_adam_kernel import move_rows, sum_rows

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """AdamW with decay on matrices of vectors only; row by row where the encoder says so.

    Args:
        model: the encoder; names in its ``row_sparse`` are parameters with row-sparse gradients.
        config: rate and decay.

    Example:
        >>> type(make_optimizer(nn.Linear(2, 2), TrainConfig())).__name__
        'AdamW'
    """
    sparse = tuple(getattr(model, "row_sparse", ()))
    vectors = [p for p in model.parameters() if p.dim() == 2]
    others = [p for p in model.parameters() if p.dim() != 2]
    groups = [{"params": vectors, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    kind = RowAdam if sparse else torch.optim.AdamW
    return kind(groups, lr=config.learning_rate)


class RowAdam(torch.optim.Optimizer):
    """AdamW that takes dense and row-sparse gradients.

    Args:
        params: parameters, or groups of them with their own ``lr`` and ``weight_decay``.
        lr: learning rate.
        weight_decay: decoupled decay.

    Example:
        >>> table = nn.Parameter(torch.ones(3, 1))
        >>> optimizer = RowAdam([table], lr=0.5)
        >>> nn.functional.embedding(torch.tensor([1]), table, sparse=True).sum().backward()
        >>> optimizer.step()
        >>> (table.detach() * 100).round().tolist()  # the first step is the rate's length
        [[100.0], [50.0], [100.0]]

    References:
        Kingma, Ba, "Adam: a method for stochastic optimization", ICLR 2015. Loshchilov, Hutter, "Decoupled
        weight decay regularization", ICLR 2019.
    """

    def __init__(self, params: Any, lr: float = 1e-3, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})
        self._places: dict[int, np.ndarray] = {}  # working memory of each table, no part of the state

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update all parameters that have a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["step"] = torch.zeros(())
                    state["exp_avg"] = torch.zeros_like(parameter)
                    state["exp_avg_sq"] = torch.zeros_like(parameter)
                state["step"] += 1
                self._update(parameter, state, group["lr"], group["weight_decay"])

    def _update(self, parameter: Tensor, state: dict[str, Tensor], rate: float, decay: float) -> None:
        grad, taken = parameter.grad, float(state["step"])
        assert grad is not None
        table = (parameter, state["exp_avg"], state["exp_avg_sq"])
        how = (1 - rate * decay, rate / (1 - BETA_1**taken), 1 / (1 - BETA_2**taken), EPSILON)
        if not grad.is_sparse:
            _move(table, grad, how)
            return
        if parameter.device.type == "cpu" and parameter.dtype == torch.float32:
            weight, first, second = (part.detach().numpy() for part in table)
            if id(parameter) not in self._places:
                self._places[id(parameter)] = np.full(len(weight), -1, np.int32)
            place = self._places[id(parameter)]
            rows, values = sum_rows(grad._indices()[0].numpy(), grad._values().contiguous().numpy(), place)
            move_rows((weight, first, second), rows, values, (BETA_1, BETA_2), how)
            return
        grad = grad.coalesce()
        rows, values = grad.indices()[0], grad.values()
        parts = tuple(whole[rows] for whole in table)
        _move(parts, values, how)
        for whole, part in zip(table, parts, strict=True):
            whole.index_copy_(0, rows, part)


def _move(table: tuple[Tensor, ...], grad: Tensor, how: tuple[float, float, float, float]) -> None:
    """The formula, in place."""
    (weight, first, second), (keep, rate, scale, epsilon) = table, how
    first.lerp_(grad, 1 - BETA_1)
    second.mul_(BETA_2).addcmul_(grad, grad, value=1 - BETA_2)
    weight.mul_(keep).addcdiv_(first, (second * scale).sqrt_().add_(epsilon), value=-rate)
