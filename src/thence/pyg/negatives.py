"""PyG's negative sampling, drawn from a named generator instead of torch's global one."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch_geometric.sampler import NegativeSampling

from thence.base.errors import DataError
from thence.base.rng import torch_generator


class Negatives(NegativeSampling):
    """What a user's ``NegativeSampling`` asks for, the same again for the same seed and step.

    Args:
        wanted: mode, amount and weights.
        seed: of the randomness.
        step: which draw.

    Example:
        >>> wanted = NegativeSampling("binary")
        >>> one, same = (Negatives(wanted, seed=0, step=3).sample(4, "dst", 100) for _ in range(2))
        >>> torch.equal(one, same)
        True
    """

    def __init__(self, wanted: NegativeSampling, *, seed: int, step: int) -> None:
        super().__init__(wanted.mode, wanted.amount, wanted.src_weight, wanted.dst_weight)
        self.generator = torch_generator(seed, "pyg", "negatives", step)

    def sample(self, num_samples: int, endpoint: Literal["src", "dst"], num_nodes: int | None = None) -> Tensor:
        """``[num_samples]`` nodes of one end, uniform or by that end's weights; true arcs are not avoided.

        Raises:
            DataError: there are no nodes, or weights of another number.
        """
        weight = self.src_weight if endpoint == "src" else self.dst_weight
        if weight is None and num_nodes:
            return torch.randint(num_nodes, (num_samples,), generator=self.generator)
        if weight is None or (num_nodes is not None and weight.numel() != num_nodes):
            given = "none" if weight is None else str(weight.numel())
            raise DataError(f"{given} of {num_nodes} nodes can be drawn as {endpoint}", fix="See neg_sampling.")
        return torch.multinomial(weight, num_samples, replacement=True, generator=self.generator)
