"""Linear layers whose start values are drawn from a generator of their own."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import nn


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
