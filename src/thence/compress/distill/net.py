"""The student's layers: a linear part and one hidden layer beside it, to both roles and the bias at once.

    (source, target, bias) = x W + b + relu(x V + c) U

U begins at zero, so that an untaught branch is its closed-form start (:mod:`thence.compress.distill.start`).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from thence.base.rng import torch_generator
from thence.compress.distill.student import PARTS


class Branch(nn.Module):
    """One branch of a student.

    Args:
        weight: ``[inputs, outputs]``, where W starts.
        offset: ``[outputs]``, where b starts.
        hidden: width of the hidden layer.
        dropout: of inputs and hidden units while it is taught.
        seed: from which V is drawn.

    Example:
        >>> branch = Branch(np.eye(2, dtype=np.float32), np.ones(2, np.float32), hidden=4)
        >>> branch(torch.tensor([[1.0, 2.0]])).tolist()
        [[2.0, 3.0]]
    """

    def __init__(
        self, weight: np.ndarray, offset: np.ndarray, *, hidden: int, dropout: float = 0.0, seed: int = 0
    ) -> None:
        super().__init__()
        inputs, outputs = weight.shape
        self.dropout = dropout
        self.weight = nn.Parameter(torch.tensor(weight, dtype=torch.float32))
        self.offset = nn.Parameter(torch.tensor(offset, dtype=torch.float32))
        draw = torch.randn(inputs, hidden, generator=torch_generator(seed, "student", inputs))
        self.inner = nn.Parameter(draw * (2.0 / max(inputs, 1)) ** 0.5)
        self.inner_offset = nn.Parameter(torch.zeros(hidden))
        self.outer = nn.Parameter(torch.zeros(hidden, outputs))

    def forward(self, x: Tensor, drop: torch.Generator | None = None) -> Tensor:
        """Outputs ``[B, outputs]`` of inputs ``[B, inputs]``; with ``drop``, some are dropped by chance."""
        inner = self._some(x, drop)
        inner = functional.relu(inner @ self.inner + self.inner_offset)
        return x @ self.weight + self.offset + self._some(inner, drop) @ self.outer

    def arrays(self) -> dict[str, np.ndarray]:
        """Its parameters by name, as they are kept: without hidden units that say nothing."""
        found = {name: getattr(self, name).numpy(force=True).copy() for name in PARTS}
        says = found["outer"].any(axis=1)
        if not says.all():
            for name in ("inner", "inner_offset", "outer"):
                found[name] = np.ascontiguousarray(
                    found[name][..., says] if name != "outer" else found[name][says]
                )
        return found

    def _some(self, x: Tensor, drop: torch.Generator | None) -> Tensor:
        if drop is None or self.dropout == 0:
            return x
        kept = torch.rand(x.shape, generator=drop, device=drop.device).to(x.device) >= self.dropout
        return x * kept / (1 - self.dropout)
