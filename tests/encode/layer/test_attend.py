"""Attention over arcs: the compiled form says what the plain one says, and both what finite differences say."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.encode.layer.worlds import random_view, rows
from torch import Tensor

from thence.encode.layer import attend, attend_compiled, attend_plain
from thence.encode.layer.near import Near
from thence.graph import Arcs
from thence.graph.sample import aggregate

FORMS = ("additive", "mixed")


def drawn(name: str, n: int, heads: int, width: int, seed: int = 0) -> list[Tensor]:
    own = torch.Generator().manual_seed(seed)
    shapes = [(n, heads, width)] + (
        [(n, heads)] * 2 if name == "additive" else [(n, heads, width), (heads, width)]
    )
    return [torch.randn(shape, generator=own) for shape in shapes]


def answer(form, near: Near, parts: list[Tensor], slope: float = 0.2) -> list[Tensor]:
    """What comes out, and the gradients of all that goes in."""
    own = [part.detach().requires_grad_() for part in parts]
    out = form(near, *own, slope)
    out.backward(rows(out[..., 0].numel(), out.shape[2], seed=5).view_as(out).to(out.dtype))
    return [out.detach(), *(part.grad for part in own if part.grad is not None)]


def same(one: list[Tensor], other: list[Tensor], at_most: float = 2e-5) -> None:
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(a.double(), b.double(), rtol=at_most, atol=at_most)


@pytest.mark.parametrize("name", FORMS)
@given(st.integers(1, 12), st.integers(0, 60), st.sampled_from([(1, 1), (1, 17), (3, 4)]), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_the_two_forms_say_the_same(name, n, arcs, shape, seed) -> None:
    near = random_view(n, arcs, seed).near("into", seed % 2 == 0)
    parts = drawn(name, n, *shape, seed)
    fast = answer(getattr(attend_compiled, name), near, parts)
    wide = answer(getattr(attend_plain, name), near, [part.double() for part in parts])
    same(fast, wide)


@pytest.mark.parametrize("name", FORMS)
def test_gradients_are_what_differences_say(name) -> None:
    near = random_view(6, 20).near("out")
    parts = [part.double().requires_grad_() for part in drawn(name, 6, 2, 3)]
    form = getattr(attend_plain, name)
    assert torch.autograd.gradcheck(lambda *own: form(near, *own, 0.2), parts)


@pytest.mark.parametrize("name", FORMS)
def test_how_the_numbers_lie_in_memory_does_not_matter(name) -> None:
    near, parts = random_view(9, 40).near("into"), drawn(name, 9, 2, 4)
    turned = [part.transpose(0, 1).contiguous().transpose(0, 1) for part in parts]
    form = getattr(attend_compiled, name)
    assert not turned[0].is_contiguous()
    same(answer(form, near, turned), answer(form, near, parts), 0)


@pytest.mark.parametrize("name", FORMS)
def test_large_scores_stay_finite(name) -> None:
    near = random_view(9, 40).near("into")
    parts = [100 * part for part in drawn(name, 9, 2, 4)]
    fast = answer(getattr(attend_compiled, name), near, parts)
    assert all(part.isfinite().all() for part in fast)
    same(fast[:1], answer(getattr(attend_plain, name), near, [part.double() for part in parts])[:1], 1e-3)


@pytest.mark.parametrize("name", FORMS)
def test_what_is_not_a_number_is_passed_on(name) -> None:
    near = Near.of(sp.csr_matrix(np.ones((3, 3))))
    parts = drawn(name, 3, 1, 4)
    parts[0][1, 0, 2] = torch.nan
    out = getattr(attend_compiled, name)(near, *parts, 0.2)
    assert out[:, 0, 2].isnan().all()


@pytest.mark.parametrize("name", FORMS)
def test_threads_change_no_byte(name, monkeypatch) -> None:
    monkeypatch.setattr(aggregate, "CHUNK", 64)
    near, parts = random_view(80, 900).near("into", True), drawn(name, 80, 2, 5)
    before, found = torch.get_num_threads(), []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append(answer(getattr(attend_compiled, name), near, parts))
    torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))
    same(found[0], answer(getattr(attend_plain, name), near, [part.double() for part in parts]))


@pytest.mark.parametrize("name", FORMS)
def test_the_chooser_takes_the_compiled_form_for_float32(name) -> None:
    near, parts = random_view(9, 40).near("into"), drawn(name, 9, 2, 4)
    fast, plain = (getattr(form, name)(near, *parts, 0.2) for form in (attend_compiled, attend_plain))
    chosen = getattr(attend, name)
    assert torch.equal(chosen(near, *parts), fast) and not torch.equal(fast, plain)
    assert chosen(near, *(part.double() for part in parts)).dtype == torch.float64


def test_an_arc_of_weight_zero_is_looked_at() -> None:
    from thence.encode.layer.view import View

    view = View(Arcs.from_pairs([0], [1], num_nodes=2, weight=[0.0]))
    assert view.near("into").seen.tolist() == [0]
    assert view.near("both", True).seen.tolist() == [0, 1, 0, 1]


def test_entries_are_listed_from_both_ends() -> None:
    near = random_view(30, 200).near("out", True)
    seer = torch.repeat_interleave(torch.arange(30), near.indptr.diff())
    seen = torch.repeat_interleave(torch.arange(30), near.back_indptr.diff())
    assert torch.equal(seer[near.back_at.long()].int(), near.seers)
    assert torch.equal(near.seen[near.back_at.long()].long(), seen)
    moved = near.to("cpu")
    assert moved.num_nodes == 30 and torch.equal(moved.back_at, near.back_at)
