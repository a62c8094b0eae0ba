"""Source and target roles: the literal decomposition, signs, and large graphs."""

from __future__ import annotations

import numpy as np
import pytest
from tests.graph.position.literal import adjacency
from tests.graph.position.worlds import areas, drawn, star

from thence.graph import Arcs
from thence.graph.position import svd


def literal(arcs: Arcs, weighted: bool = False) -> np.ndarray:
    matrix = adjacency(arcs, weighted)
    ridge = matrix.sum() / len(matrix)
    return matrix / np.sqrt(np.outer(matrix.sum(axis=1) + ridge, matrix.sum(axis=0) + ridge))


@pytest.mark.parametrize("weight", [None, "weight"])
@pytest.mark.parametrize("nodes", [60, 500])
def test_roles_rebuild_the_best_low_rank_matrix(nodes: int, weight: str | None) -> None:
    arcs = areas(nodes, 6, 5)
    arcs = arcs.with_value("weight", np.random.default_rng(0).uniform(0.5, 2, arcs.num_arcs))
    wanted = literal(arcs, weight is not None)
    u, values, vt = np.linalg.svd(wanted)
    found = svd(arcs, k=4, tolerance=1e-5, weight=weight)
    np.testing.assert_allclose(found.info["singular_values"], values[:4], atol=1e-5)
    assert found.info["converged"] and found.info["fallback"] is None
    source, target = found.blocks["svd.out"], found.blocks["svd.in"]
    low = u[:, :4] * values[:4] @ vt[:4]
    np.testing.assert_allclose(source @ target.T / nodes, low, atol=1e-3)
    np.testing.assert_allclose((source**2).sum(axis=0), nodes * values[:4], rtol=1e-3)


def test_roles_of_a_star_by_hand() -> None:
    """Four targets of one source: ridge 4/5, one singular value √4 / √((4 + 4/5) (1 + 4/5))."""
    found = svd(star(5), k=2)
    value = 2 / np.sqrt(4.8 * 1.8)
    np.testing.assert_allclose(found.info["singular_values"], [value, 0], atol=1e-6)
    np.testing.assert_allclose(found.blocks["svd.out"][:, 0], np.sqrt(5 * value) * np.eye(5)[0], atol=1e-6)
    ends = np.sqrt(5 * value) * np.array([0, 1, 1, 1, 1]) / 2
    np.testing.assert_allclose(found.blocks["svd.in"][:, 0], ends, atol=1e-6)
    assert np.abs(found.blocks["svd.out"][:, 1]).max() < 1e-3


def test_columns_beyond_the_nodes_are_zeros() -> None:
    found = svd(drawn(5, 20), k=9).blocks
    assert found["svd.out"].shape == (5, 9) and not found["svd.out"][:, 5:].any()


def test_too_few_rounds_are_told() -> None:
    found = svd(areas(600, 6, 4), k=4, rounds=1, tolerance=1e-8)
    assert not found.info["converged"] and "1 rounds" in found.info["fallback"]
