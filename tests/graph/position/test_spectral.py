"""Laplacian and magnetic positions: projectors, known spectra, bases that do not matter, solvers that fail."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.graph.position.literal import magnetic_laplacian, spectral, symmetric, walks
from tests.graph.position.worlds import areas, complete, cycle, drawn, path, star

from thence.base.errors import ConfigError
from thence.graph import Arcs
from thence.graph.position import approximate_magnetic, laplacian, magnetic, spectrum
from thence.graph.position.filtered import Hermitian, largest
from thence.graph.position.invariant import canonical, statistics
from thence.graph.position.operators import pairs

PARTS = ("size", "out", "in")
CONNECTED = [cycle(8), path(7), star(6), complete(6), areas(60, 4, 3)]


def split(block: np.ndarray) -> np.ndarray:
    half = block.shape[1] // 2
    return block[:, :half] + 1j * block[:, half:]


def check(found: dict, name: str, wanted: tuple[np.ndarray, ...], atol: float = 1e-4) -> None:
    for part, exact in zip(PARTS, wanted, strict=True):
        block = found[f"{name}.{part}"]
        made = split(block) if name == "magnetic" and part != "size" else block
        np.testing.assert_allclose(made, exact if name == "magnetic" else exact.real, atol=atol, err_msg=part)


@pytest.mark.parametrize("weight", [None, "weight"])
@pytest.mark.parametrize("arcs", CONNECTED)
def test_positions_are_projectors_of_the_dense_matrix(arcs: Arcs, weight: str | None) -> None:
    arcs = (
        arcs.with_value("weight", np.random.default_rng(0).uniform(0.5, 2, arcs.num_arcs)) if weight else arcs
    )
    plain = np.eye(arcs.num_nodes) - symmetric(arcs, weight is not None)
    found = laplacian(arcs, k=5, weight=weight).blocks
    check(found, "laplacian", spectral(plain, arcs, 5, 1, weight is not None))
    turned = magnetic_laplacian(arcs, 0.15, weight is not None)
    found = magnetic(arcs, k=5, q=0.15, weight=weight).blocks
    check(found, "magnetic", spectral(turned, arcs, 5, 0, weight is not None))


def test_large_components_agree_with_the_dense_matrix() -> None:
    arcs = areas(600, 6, 5)
    found = laplacian(arcs, k=4, tolerance=1e-5)
    assert found.info["converged"] and found.info["rounds"] > 0
    values = np.linalg.eigvalsh(np.eye(600) - symmetric(arcs))
    np.testing.assert_allclose(found.info["eigenvalues"], values[1:5], atol=1e-5)
    check(found.blocks, "laplacian", spectral(np.eye(600) - symmetric(arcs), arcs, 4, 1), 5e-3)
    found = magnetic(arcs, k=4, tolerance=1e-5)
    np.testing.assert_allclose(
        found.info["eigenvalues"], np.linalg.eigvalsh(magnetic_laplacian(arcs, 0.1))[:4], atol=1e-5
    )
    check(found.blocks, "magnetic", spectral(magnetic_laplacian(arcs, 0.1), arcs, 4, 0), 5e-3)


def test_spectra_known_by_hand() -> None:
    """A directed cycle of n: 1 - cos(2π (j/n - q)); the phases of a path, a tree, can be undone."""
    n, q, j = 300, 0.1, np.arange(300)
    found = magnetic(cycle(n), k=6, q=q, tolerance=1e-5, rounds=400)
    wanted = np.sort(1 - np.cos(2 * np.pi * (j / n - q)))[:6]
    np.testing.assert_allclose(found.info["eigenvalues"], wanted, atol=1e-6)
    tree, line = magnetic(path(40), k=5, q=0.2).blocks, magnetic(path(40), k=5, q=0.0).blocks
    np.testing.assert_allclose(tree["magnetic.size"], line["magnetic.size"], atol=1e-5)
    flow = split(tree["magnetic.out"])[:-1]  # each arc turns the phase by -2πq
    np.testing.assert_allclose(flow, split(line["magnetic.out"])[:-1] * np.exp(-2j * np.pi * 0.2), atol=1e-4)


def test_a_complete_graph_has_one_group() -> None:
    found = laplacian(complete(6), k=5).blocks["laplacian.size"]  # n - 1 equal eigenvalues: Π = I - 1 1ᵀ / n
    np.testing.assert_allclose(found, np.sqrt(6 * (1 - 1 / 6) / 5), atol=1e-6)


def test_without_turning_directions_are_lost() -> None:
    """The mutant: q = 0 tells neither a directed cycle from its reverse nor which way an arc leads."""
    loop = Arcs.from_pairs([0, 1, 2, 0], [1, 2, 0, 3], num_nodes=4)
    other = Arcs.from_pairs([1, 2, 0, 0], [0, 1, 2, 3], num_nodes=4)

    def angle(arcs: Arcs, q: float) -> np.ndarray:
        return split(magnetic(arcs, k=4, q=q).blocks["magnetic.out"]).imag

    assert np.abs(angle(loop, 0.0)).max() < 1e-6 and np.abs(angle(other, 0.0)).max() < 1e-6
    assert np.abs(angle(loop, 0.1) - angle(other, 0.1)).max() > 0.1
    np.testing.assert_allclose(pairs(cycle(5)).rows.weight, pairs(cycle(5).reversed()).rows.weight)
    turned = [magnetic_laplacian(arcs, 0.0) for arcs in (cycle(5), cycle(5).reversed())]
    np.testing.assert_array_equal(*turned)
    transitive = Arcs.from_pairs([0, 1, 0, 0], [1, 2, 2, 3], num_nodes=4)
    values = [np.linalg.eigvalsh(magnetic_laplacian(each, 0.1)) for each in (loop, transitive)]
    assert np.abs(values[0] - values[1]).max() > 0.05


@given(st.integers(0, 10_000))
@settings(max_examples=15)
def test_no_basis_matters(seed: int) -> None:
    """Rotate the vectors of each group of eigenvalues, multiply single ones by phases: the same statistics."""
    rng = np.random.default_rng(seed)
    arcs = cycle(9) if seed % 2 else complete(5)
    out, into = walks(arcs)
    values, vectors = np.linalg.eigh(magnetic_laplacian(arcs, 0.0 if seed % 3 else 0.1))
    rotated = vectors.copy()
    for group in {int(np.flatnonzero(np.abs(values - value) < 1e-8)[0]) for value in values}:
        own = np.flatnonzero(np.abs(values - values[group]) < 1e-8)
        any_matrix = rng.standard_normal((2, len(own), len(own)))
        unitary, _ = np.linalg.qr(any_matrix[0] + 1j * any_matrix[1])
        rotated[:, own] = vectors[:, own] @ unitary
    one, two = (
        statistics(values[None], (v[None], (out @ v)[None], (into @ v)[None]), 4, 1e-6)
        for v in (vectors, rotated)
    )
    for first, second in zip(one, two, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-9)
    phase = np.exp(1j * rng.uniform(0, 7, vectors.shape[1]))
    np.testing.assert_allclose(
        canonical(vectors * phase), canonical(vectors), atol=1e-6 if seed % 2 == 0 else 2
    )


def test_canonical_vectors() -> None:
    arcs = areas(80, 4, 3)
    for method, name in ((laplacian, "laplacian"), (magnetic, "magnetic")):
        found = method(arcs, k=4, form="vectors").blocks[f"{name}.vectors"]
        vectors = split(found) if name == "magnetic" else found.astype(complex)
        total = (vectors * np.abs(vectors) ** 2).sum(axis=0)
        assert (total.real > 0).all() and np.abs(total.imag).max() < 1e-3
        np.testing.assert_allclose((np.abs(vectors) ** 2).sum(axis=0), 80, rtol=1e-4)


def test_a_solver_that_does_not_converge_says_so() -> None:
    arcs = areas(700, 6, 5)
    found = magnetic(arcs, k=4, rounds=1, tolerance=1e-7)
    assert not found.info["converged"] and found.info["residual"] > 1e-7
    assert "after 1 rounds" in found.info["fallback"]
    assert all(np.isfinite(block).all() for block in found.blocks.values())
    good = magnetic(arcs, k=4)
    assert good.info["converged"] and good.info["fallback"] is None


def test_a_group_that_may_go_on_is_told() -> None:
    """Forty equal parts, each joined to a hub by one arc: eigenvalues that coincide, more than are found."""
    size, parts = 60, 40
    rng = np.random.default_rng(0)
    one = {(a, b) for a, b in rng.integers(0, size, (400, 2)).tolist() if a != b}
    pairs_ = [(part * size + a, part * size + b) for part in range(parts) for a, b in one]
    pairs_ += [(part * size, parts * size) for part in range(parts)]
    source, target = np.array(pairs_).T
    found = laplacian(Arcs.from_pairs(source, target, num_nodes=parts * size + 1), k=6)
    assert found.info["cut_group"] and found.info["converged"]


def test_the_block_solver_alone() -> None:
    found = pairs(areas(500, 6, 4))
    solved = largest(
        Hermitian(found.rows, found.turn, 0.5),
        5,
        tolerance=1e-5,
        rounds=30,
        guard=8,
        rng=np.random.default_rng(0),
    )
    dense = found.rows.matrix().toarray().astype(complex)
    dense[found.rows.row_of(), found.rows.neighbors] *= np.exp(0.5j * found.turn)
    values = np.linalg.eigvalsh(dense)[::-1]
    np.testing.assert_allclose(solved.values[:5], values[:5], atol=1e-6)
    v = solved.vectors[:, :5]
    np.testing.assert_allclose(v.conj().T @ v, np.eye(5), atol=1e-4)
    left = np.linalg.norm(dense @ v - v * solved.values[:5], axis=0)
    np.testing.assert_allclose(left, solved.residual[:5], atol=1e-6)


def test_many_small_components_are_solved_together(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = [cycle(3), path(3), star(4), cycle(3).reversed(), drawn(5, 40)]
    shift = np.concatenate([[0], np.cumsum([piece.num_nodes for piece in pieces])])
    source, target = np.concatenate([p.pairs + s for p, s in zip(pieces, shift, strict=False)], axis=1)
    arcs = Arcs.from_pairs(source, target, num_nodes=shift[-1] + 2)
    monkeypatch.setattr(spectrum, "STACK", 20)
    for method in (laplacian, magnetic):
        together = method(arcs, k=3).blocks
        for piece, begin in zip(pieces, shift, strict=False):
            for name, block in method(piece, k=3).blocks.items():
                np.testing.assert_allclose(together[name][begin : begin + len(block)], block, atol=1e-5)
        assert not together[f"{method.__name__}.out"][-2:].any()


def test_more_filters_come_closer() -> None:
    arcs = areas(900, 8, 6)
    once, twice = (approximate_magnetic(arcs, k=4, rounds=rounds).info["residual"] for rounds in (1, 2))
    assert once > 3 * twice


def test_what_is_refused() -> None:
    for wrong in ({"k": 0}, {"q": 0.6}, {"tolerance": 0.0}, {"rounds": 0}, {"form": "signed"}):
        with pytest.raises(ConfigError):
            magnetic(cycle(3), **wrong)
    with pytest.raises(ConfigError):
        approximate_magnetic(cycle(3), degree=99)
