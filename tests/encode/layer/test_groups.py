"""Graphs of many sizes side by side: a global channel gives each what it gives it alone."""

from __future__ import annotations

import pytest
import torch

from thence.encode.attention.channel import make_channel
from thence.encode.attention.kernel import FORMS
from thence.encode.layer.view import View
from thence.graph import Arcs

SIZES = (4, 6, 2, 1, 7, 5, 12, 4)


def lone(size: int) -> View:
    return View(Arcs.from_pairs([], [], num_nodes=size))


@pytest.mark.parametrize("kind", ["full", *FORMS])
@pytest.mark.parametrize("sizes", [SIZES, (4, 6, 2), (3, 3), (1,)])
def test_graphs_see_their_own_nodes_alone(kind, sizes) -> None:
    channel = make_channel(kind, 8, heads=2)
    x = torch.randn(sum(sizes), 8, generator=torch.Generator().manual_seed(0), requires_grad=True)
    together = channel(x, View.stacked([lone(size) for size in sizes]))
    apart = torch.cat([channel(part, lone(len(part))) for part in x.split(sizes)])
    torch.testing.assert_close(together, apart, rtol=1e-5, atol=1e-6)
    weight = torch.linspace(-1, 1, x.numel()).view_as(x)
    (one,), (other,) = (torch.autograd.grad((out * weight).sum(), x) for out in (together, apart))
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
