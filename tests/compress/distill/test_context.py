"""Contexts keep to the direction of their role."""

from __future__ import annotations

import numpy as np
import pytest

from thence.compress.distill.context import Context, Contexts, Role
from thence.graph import Arcs

RING = Arcs.from_pairs(np.arange(30), (np.arange(30) + 1) % 30, num_nodes=30)
ROLES: tuple[Role, Role] = ("source", "target")


def drawn(role: Role, step: int = 0, anchors: int = 30) -> Context:
    contexts = Contexts(RING, np.arange(30), walks=2, length=3, random=2, seed=5)
    return contexts.draw(np.arange(anchors), role, step)


@pytest.mark.parametrize("role", ROLES)
def test_walks_go_along_the_arcs_from_sources_and_against_them_from_targets(role: Role) -> None:
    found = drawn(role)
    anchors = np.arange(30)[:, None]
    sign = 1 if role == "source" else -1
    np.testing.assert_array_equal(found.nodes[:, :3], (anchors + sign * np.array([1, 2, 3])) % 30)
    ahead = (found.nodes - anchors) % 30 == sign % 30
    np.testing.assert_array_equal(found.arcs, ahead & found.mask)


@pytest.mark.parametrize("role", ROLES)
def test_nobody_stands_twice_in_a_row_and_no_anchor_in_its_own(role: Role) -> None:
    found = drawn(role)
    for anchor, (nodes, mask) in enumerate(zip(found.nodes, found.mask, strict=True)):
        shown = nodes[mask].tolist()
        assert len(shown) == len(set(shown))
        assert anchor not in shown


def test_the_same_step_draws_the_same_and_another_one_differs() -> None:
    one, again, other = drawn("source"), drawn("source"), drawn("source", step=1)
    np.testing.assert_array_equal(one.nodes, again.nodes)
    assert (one.nodes != other.nodes).any()


def test_walks_that_end_leave_gaps_that_do_not_count() -> None:
    path = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)
    found = Contexts(path, np.arange(3), walks=1, length=3, random=1).draw(np.array([1]), "source", 0)
    assert found.mask[0, :3].tolist() == [True, False, False]
    assert found.arcs[0].sum() == 1
