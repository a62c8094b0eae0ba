"""Linear attention says the same in one block of nodes as in several, and its gradients too."""

from __future__ import annotations

import pytest
import torch
from tests.encode.layer.worlds import rows

from thence.encode.attention import linear
from thence.encode.attention.kernel import FORMS
from thence.encode.layer.view import View
from thence.graph import Arcs


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("sizes", [[40], [11, 4, 11, 14]])
def test_blocks_change_nothing(form, sizes, monkeypatch) -> None:
    of = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes)).numpy()
    view = View(Arcs.from_pairs([], [], num_nodes=40), of)
    layer, found = linear.LinearAttention(8, heads=2, form=form, seed=1), []
    monkeypatch.setattr(linear, "MANY", 0)
    for block in (linear.BLOCK, 6):
        monkeypatch.setattr(linear, "BLOCK", block)
        x = rows(40, 8).requires_grad_()
        out = layer(x, view)
        out.backward(rows(40, 8, seed=1))
        assert x.grad is not None
        found.append((out.detach(), x.grad, *(part.grad.clone() for part in layer.parameters())))
        layer.zero_grad()
    for one, several in zip(*found, strict=True):
        torch.testing.assert_close(one, several, rtol=1e-4, atol=1e-5)


def test_no_block_has_a_gradient_as_long_as_all_nodes(monkeypatch) -> None:
    """A slice of x has: as many of them as there are blocks cost blocks · nodes."""
    monkeypatch.setattr(linear, "BLOCK", 6)
    out = linear.LinearAttention(8)(rows(40, 8).requires_grad_(), View(Arcs.from_pairs([], [], num_nodes=40)))
    seen, left = set(), [out.grad_fn]
    while left:
        node = left.pop()
        if node is not None and node not in seen:
            seen.add(node)
            left += [after for after, _ in node.next_functions]
    names = {node.name() for node in seen}
    assert "SplitBackward0" in names and "SliceBackward0" not in names
