"""Inner products estimated from signs: unbiased over rotations, within their bound, and plain signs are not."""

from __future__ import annotations

import numpy as np
import pytest

from thence.compress.quantize.kernel import rotate_rows
from thence.compress.quantize.packed import PackedRows

ROUNDS, DIM = 3000, 64


def rotations(pairs: int = ROUNDS, dim: int = DIM) -> np.ndarray:
    """Rotations drawn evenly from all, by the QR way: a second formula, not the package's own."""
    random = np.random.default_rng(5)
    q, r = np.linalg.qr(random.normal(size=(pairs, dim, dim)))
    return q * np.sign(np.einsum("nii->ni", r))[:, None, :]


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """One pair of vectors in many bases: ``[rounds, dim]`` each, and the pair."""
    random = np.random.default_rng(3)
    x, q = random.normal(size=DIM), random.normal(size=DIM)
    x[0], q = 4.0, 0.5 * x + q  # one large entry, and some likeness
    turns = rotations()
    return (turns @ x).astype(np.float32), (turns @ q).astype(np.float32), x, q


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_it_is_unbiased_over_rotations(drawn, bits: int) -> None:
    rows, asked, x, q = drawn
    estimates = (PackedRows.fit(rows, bits).decode(slice(None)) * asked).sum(1)
    error = estimates.std() / np.sqrt(ROUNDS)
    assert abs(estimates.mean() - x @ q) < 4 * error
    assert error < 0.01 * np.linalg.norm(x) * np.linalg.norm(q)


def test_it_is_the_paper_s_formula(drawn) -> None:
    """⟨o, q⟩ ≈ ⟨ō, q⟩ / ⟨ō, o⟩ with ō = sign(o) / √dim, times the length of the row."""
    rows, asked, _, _ = drawn
    o = rows.astype(np.float64) / np.linalg.norm(rows, axis=1, keepdims=True)
    bar = np.sign(o) / np.sqrt(DIM)
    literal = np.linalg.norm(rows, axis=1) * (bar * asked).sum(1) / (bar * o).sum(1)
    codes = PackedRows.fit(rows, 1)
    np.testing.assert_allclose((codes.decode(slice(None)) * asked).sum(1), literal, rtol=1e-4, atol=1e-4)
    assert codes.cosine is not None
    np.testing.assert_allclose(codes.cosine, (bar * o).sum(1), rtol=1e-5)


def test_it_spreads_as_its_bound_says(drawn) -> None:
    rows, asked, x, q = drawn
    codes = PackedRows.fit(rows, 1)
    estimates = (codes.decode(slice(None)) * asked).sum(1)
    bound = codes.deviation(slice(None), float(np.linalg.norm(q)))
    standard = (estimates - x @ q) / bound
    assert 0.8 < standard.std() < 1.05  # the part of q that lies along x adds nothing
    assert (np.abs(standard) < 5).mean() > 0.999


def test_plain_signs_are_not_an_estimate(drawn) -> None:
    """Without the factor, or with the least-squares one, the mean is far from the product."""
    rows, asked, x, q = drawn
    codes = PackedRows.fit(rows, 1)
    signs = codes.bytes_at(slice(None)).astype(np.float64)
    plain = (signs * asked).sum(1)
    least_squares = plain * np.abs(rows).sum(1) / DIM
    error = least_squares.std() / np.sqrt(ROUNDS)
    assert abs(least_squares.mean() - x @ q) > 20 * error
    assert abs(least_squares.mean() / (x @ q) - 2 / np.pi) < 0.05


def test_two_sides_of_signs_follow_the_law_of_arcs(drawn) -> None:
    rows, asked, x, q = drawn
    both = (PackedRows.fit(rows, 1).decode(slice(None)) * PackedRows.fit(asked, 1).decode(slice(None))).sum(1)
    size = np.linalg.norm(x) * np.linalg.norm(q)
    assert abs(both.mean() - size * np.arcsin(x @ q / size)) < 0.03 * size


@pytest.mark.parametrize("dim", [1, 2, 3, 12, 64])
def test_the_package_s_own_rotation_turns_and_nothing_else(dim: int) -> None:
    signs = (2 * np.random.default_rng(0).integers(0, 2, (4, dim)) - 1).astype(np.int8)
    turned = np.eye(dim, dtype=np.float32)
    rotate_rows(turned, signs)
    np.testing.assert_allclose(turned @ turned.T, np.eye(dim), atol=1e-5)
    if dim >= 12:  # an axis is spread over all dimensions
        assert np.abs(turned).max() < 0.85
