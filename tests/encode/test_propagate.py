"""Propagation: neighbourhoods against literal loops, and the sparse product against the dense one."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.encode.graphs import dense, graph_of, random_graph, weighted_graph

from thence.encode.propagate import SparseMatrix, neighborhoods, strongest
from thence.graph.arcs import Arcs


def literal_neighborhoods(matrix: np.ndarray, fan_out: int, power: float) -> np.ndarray:
    """Row by row: damp, sort by share then column, keep the first, scale."""
    out_weight, in_weight = matrix.sum(1), matrix.sum(0)
    result = np.zeros_like(matrix)
    for i in range(len(matrix)):
        shares = [
            (-matrix[i, j] / (out_weight[i] * in_weight[j]) ** power, j)
            for j in range(len(matrix))
            if matrix[i, j]
        ]
        for share, j in sorted(shares)[:fan_out]:
            result[i, j] = -share
        if shares:
            result[i] /= result[i].sum()
    return result


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 6), st.sampled_from([0.0, 0.5, 1.0]))
def test_neighborhoods_are_their_definition(seed: int, fan_out: int, power: float) -> None:
    graph = random_graph(num_nodes=9, num_arcs=30, seed=seed)
    out, into = neighborhoods(graph.main, fan_out=fan_out, power=power)
    matrix = dense(graph)
    kept = literal_neighborhoods(matrix, fan_out, power)
    if no_near_ties(matrix, power):
        np.testing.assert_allclose(out.toarray(), kept, atol=1e-5)
        np.testing.assert_allclose(into.toarray(), literal_neighborhoods(matrix.T, fan_out, power), atol=1e-5)
    for side, degree in ((out, graph.main.out_degree), (into, graph.main.in_degree)):
        np.testing.assert_allclose(np.asarray(side.sum(1)).ravel(), degree > 0, atol=1e-5)
        assert np.array_equal(np.diff(side.indptr), np.minimum(degree, fan_out))


def no_near_ties(matrix: np.ndarray, power: float) -> bool:
    """Whether rounding cannot change an order (equal shares from different sums differ in bits)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = matrix / np.outer(matrix.sum(1), matrix.sum(0)) ** power
    for line in (*shares, *shares.T):
        known = np.sort(line[line > 0])
        if len(known) > 1 and (np.diff(known) < 1e-5 * known[1:]).any() and power:
            return False
    return True


def test_ties_go_to_the_smaller_column() -> None:
    rows = sp.csr_matrix([[0.0, 2.0, 2.0, 2.0, 5.0], [1.0, 1.0, 1.0, 0.0, 0.0]])
    kept = strongest(rows, 2).toarray()
    np.testing.assert_allclose(kept, [[0, 2 / 7, 0, 0, 5 / 7], [0.5, 0.5, 0, 0, 0]])


def test_out_and_into_lead_to_different_neighbours() -> None:
    """By hand: 0 → 1 → 2; the middle node looks out at 2 and back at 0."""
    out, into = neighborhoods(graph_of([(0, 1, 1.0), (1, 2, 1.0)], 3).main, fan_out=4)
    assert out.toarray().tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    assert into.toarray().tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]


def test_what_is_common_is_damped() -> None:
    """Node 0 has equal arcs to 1 and 2, but three lead to 1: at power 1/2 its share is 1/√3 of the other."""
    graph = graph_of([(0, 1, 1.0), (0, 2, 1.0), (3, 1, 1.0), (4, 1, 1.0)], 5)
    shares = neighborhoods(graph.main, fan_out=9)[0].toarray()[0]
    assert shares[1] / shares[2] == pytest.approx(3**-0.5, rel=1e-5)


def test_the_product_and_its_gradient_are_the_dense_ones() -> None:
    generator = torch.Generator().manual_seed(3)
    matrix = sp.random(7, 5, density=0.4, random_state=4)
    dense_matrix = torch.from_numpy(matrix.toarray()).float()
    ours, theirs = (torch.randn(5, 3, generator=generator.manual_seed(1)).requires_grad_() for _ in range(2))
    weights = torch.randn(7, 3, generator=generator)
    product = SparseMatrix(matrix)(ours)
    torch.testing.assert_close(product, dense_matrix @ theirs)
    (product * weights).sum().backward()
    ((dense_matrix @ theirs) * weights).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_gradients_through_two_products_pass_gradcheck() -> None:
    """Numerically: forward differences of the scalar against the analytic gradient, in double precision."""
    module = SparseMatrix(neighborhoods(weighted_graph().main, fan_out=3)[0])
    for name, buffer in list(module.named_buffers()):
        setattr(module, name, buffer.double())
    x = torch.randn(7, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(lambda dense: torch.tanh(module(module(dense))), (x,))


def test_a_summed_product_has_a_gradient_although_it_is_expanded() -> None:
    x = torch.ones(2, 3, requires_grad=True)
    SparseMatrix(sp.csr_matrix([[1.0, 2.0], [0.0, 4.0]]))(x).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [[1.0] * 3, [6.0] * 3]


def test_matrices_move_with_their_module_and_are_not_saved() -> None:
    module = SparseMatrix(sp.eye(3))
    assert not module.state_dict()
    assert {buffer.device.type for buffer in module.to("meta").buffers()} == {"meta"}


def test_a_matrix_over_read_only_arrays_is_taken_as_it_is() -> None:
    arcs = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3, weight=[2.0, 3.0])
    product = SparseMatrix(arcs.matrix())(torch.eye(3))
    assert np.array_equal(product.numpy(), arcs.matrix().toarray())
