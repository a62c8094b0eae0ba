"""The end of a shared trunk in one loop: where a ReLU alone stands between the members' two layers.

    logit_m = s_m Σ_k w_k r_mk relu(s_mk (W x)_k + b_mk) + b_m

All members' hidden rows are m times as wide as the trunk's; written out they cost more than their products.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from thence.decide.uncertainty.logits import device_of, forward, with_layers
from thence.decide.uncertainty.serving_kernel import tail_rows

SOME = 16
"""Rows on which it is seen what stands between the layers."""


@dataclass(frozen=True, eq=False)
class Tail:
    """A trunk up to the product that members share, and what they make of it; see :func:`tail_of`.

    Args:
        names: of the first of the members' layers, the ReLU and the last layer.
        trunk: gives ``[n, k]``.
        layers: ``[3, m, k]`` float32: factors, biases, and weights of the last layer.
        bias: ``[m]`` float32.
    """

    names: tuple[str, str, str]
    trunk: nn.Module
    layers: np.ndarray
    bias: np.ndarray

    def logits(self, inputs: Any, device: torch.device) -> np.ndarray:
        """Of each row and member ``[n, m]``."""
        return tail_rows(forward(self.trunk, inputs, device).numpy(), self.layers, self.bias)


def tail_of(net: nn.Module, first: str, last: str, inputs: tuple[Tensor, ...]) -> Tail | None:
    """The end of a network of members, or None where something else than one ReLU stands between the layers.

    Args:
        net: its modules ``first`` and ``last`` are ``RankOneLinear``, the first without r, the last with one
            output.
        first: name of the first.
        last: name of the last.
        inputs: rows to look at; some are enough.
    """
    some = tuple(each[:SOME] for each in inputs)
    between, ends = _between(net, first, last, some), net.get_submodule(last)
    if between is None or ends.weight.shape[0] != 1 or ends.weight.dtype != torch.float32:  # type: ignore
        return None
    made = tail_named(net, (first, between, last))
    told = forward(net, some).reshape(len(some[0]), -1).numpy()
    same = np.allclose(made.logits(some, device_of(net)), told, rtol=1e-4, atol=1e-5)
    return made if same else None


def tail_named(net: nn.Module, names: tuple[str, str, str]) -> Tail:
    """The same where it is known what stands between; of a network that was kept."""
    first, between, last = names
    begins: Any = net.get_submodule(first)
    ends: Any = net.get_submodule(last)
    product = nn.Linear(1, 1, bias=False, device="meta")
    product.weight = begins.weight
    product.out_features, product.in_features = begins.weight.shape
    trunk = with_layers(net, {first: product, between: nn.Identity(), last: nn.Identity()}, share=True).eval()
    layers = torch.stack([begins.s, begins.bias, ends.s * ends.weight * ends.r])
    return Tail(names, trunk, layers.numpy(force=True), ends.bias[:, 0].numpy(force=True))


def _between(net: nn.Module, first: str, last: str, some: tuple[Tensor, ...]) -> str | None:
    """Name of the ReLU between two layers; None where it is none, or something is done beside it."""
    names = {id(layer): name for name, layer in net.named_modules() if not list(layer.children())}
    called: list[str] = []
    seen: dict[str, Tensor] = {}

    def after(layer: nn.Module, given: Any, out: Tensor) -> None:
        called.append(names[id(layer)])
        if called[-1] == first:
            seen["hidden"] = out.detach().clone()  # a ReLU may work in place
        elif called[-1] == last:
            seen["asked"], seen["told"] = given[0].detach().clone(), out.detach().clone()

    hooks = [each.register_forward_hook(after) for each in net.modules() if id(each) in names]
    try:
        told = forward(net, some)
    finally:
        for hook in hooks:
            hook.remove()
    if called.count(first) != 1 or called.count(last) != 1 or called[-3:][::2] != [first, last]:
        return None
    middle = net.get_submodule(called[-2])
    same = (
        isinstance(middle, nn.ReLU)
        and called.count(called[-2]) == 1
        and torch.equal(torch.relu(seen["hidden"]), seen["asked"])
        and torch.equal(seen["told"].flatten().cpu(), told.flatten())
    )
    return called[-2] if same else None
