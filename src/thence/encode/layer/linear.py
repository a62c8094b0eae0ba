"""Linear layers whose start values are drawn from a generator of their own, and the rows they take."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def linear(inputs: int, outputs: int, generator: torch.Generator, *, bias: bool = True) -> nn.Linear:
    """A linear layer with torch's usual start values.

    Args:
        inputs: width of what comes in.
        outputs: width of what goes out.
        generator: from which the values are drawn.
        bias: whether there is one.

    Example:
        >>> linear(2, 3, torch.Generator().manual_seed(0)).weight.shape
        torch.Size([3, 2])
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Initializing zero-element tensors")  # no inputs, no weights
        layer: Any = nn.utils.skip_init(nn.Linear, inputs, outputs, bias=bias)
    bound = max(inputs, 1) ** -0.5
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.uniform_(-bound, bound, generator=generator)
    return layer


def mapped(seen: Callable[[Tensor], Tensor], x: Tensor, layer: nn.Linear) -> Tensor:
    """``seen(x W) = seen(x) W``, in the order in which ``seen`` works on the narrower rows; no bias.

    Args:
        seen: a linear map of rows, the same of every column.
        x: ``[n, inputs]``.
        layer: whose weights are W.
    """
    if layer.in_features < layer.out_features:
        return seen(x) @ layer.weight.T
    return seen(x @ layer.weight.T)


def beside(rows: Tensor, where: Tensor | None) -> Tensor:
    """Rows ``[n, dim]`` with positions ``[n, positions]`` beside them, where there are any.

    Example:
        >>> beside(torch.tensor([[1.0]]), torch.tensor([[2.0]])).tolist()
        [[1.0, 2.0]]
    """
    return rows if where is None else torch.cat([rows, where], 1)
