"""The closed form against fits that really leave each product out."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from thence.compress.distill.start import SHARES, STRENGTHS, _arcs_left_out, hit_share, left_out, ridge, start

RNG = np.random.default_rng(3)


def test_leaving_one_out_is_fitting_again_without_it() -> None:
    x, y = RNG.standard_normal((20, 6)), RNG.standard_normal((20, 3))
    mean = y.mean(axis=0)
    found = left_out(x, y, 2.0)
    for i in range(20):
        rest = np.arange(20) != i
        gram = x[rest].T @ x[rest] + 2.0 * np.eye(6)
        weight = np.linalg.solve(gram, x[rest].T @ (y[rest] - mean))
        np.testing.assert_allclose(found[i], mean + x[i] @ weight, rtol=1e-8)


def test_a_stronger_ridge_says_the_mean() -> None:
    x, y = RNG.standard_normal((20, 6)), RNG.standard_normal((20, 3))
    weight, offset = ridge(x, y, 1e9)
    np.testing.assert_allclose(x @ weight + offset, np.tile(y.mean(axis=0), (20, 1)), atol=1e-6)


def test_hit_share_by_counting() -> None:
    scores, right = RNG.standard_normal((7, 30)), RNG.random((7, 30)) < 0.2
    own = np.arange(7)
    right[own, own] = False
    hits = 0
    for row, asked in enumerate(own):
        others = [c for c in range(30) if c != asked]
        top = sorted(others, key=lambda c: -scores[row, c])[:10]
        hits += sum(right[row, c] for c in top)
    assert np.isclose(hit_share(scores, right, own), hits / right.sum())


def test_likeness_counts_where_products_lead_to_their_like_and_only_there() -> None:
    kinds, each = 12, 5
    words = np.eye(kinds * each, dtype=np.float32) * 0.6
    kind = np.repeat(np.arange(kinds), each)
    words = np.concatenate([words, np.eye(kinds, dtype=np.float32)[kind]], axis=1)
    words = words[:, np.r_[kinds * each : words.shape[1], : kinds * each]]  # kinds first: they are shared
    same = kind[:, None] == kind[None, :]
    np.fill_diagonal(same, False)
    for arcs, expected in ((same, True), (kind[:, None] == (kind[None, :] + 1) % kinds, False)):
        u, values, vt = np.linalg.svd(arcs.astype(np.float64))
        root = np.sqrt(values)
        taught = np.concatenate([u * root, vt.T * root, np.zeros((len(u), 1))], axis=1).astype(np.float32)
        begun = start(words, taught, sp.csr_matrix(arcs.astype(np.float32)), shared=kinds)
        assert begun.strength in STRENGTHS
        assert begun.value > 0.9  # four like it, or five of another kind, in a list of ten
        if not expected:
            assert begun.share <= SHARES[2] * 10
        again = start(words, taught, None, shared=kinds, fixed=begun)
        np.testing.assert_allclose(again.weight, begun.weight)


def test_arcs_are_left_out_as_if_each_product_had_been_fitted_without() -> None:
    words = RNG.standard_normal((15, 4)).astype(np.float32)
    arcs = sp.csr_matrix((RNG.random((15, 15)) < 0.3).astype(np.float32))
    judged = np.array([2, 7])
    found = _arcs_left_out(words, arcs, judged, 0.7)
    np.testing.assert_allclose(found, left_out(words, arcs.toarray(), 0.7)[judged], atol=1e-4)
