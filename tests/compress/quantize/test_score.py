"""Scores of codes are the scores of what the codes stand for, however they are computed."""

from __future__ import annotations

import numpy as np
import pytest
from tests.compress.quantize.vectors import clustered, exact_scores
from threadpoolctl import threadpool_limits

from thence.compress.quantize import KINDS, quantize
from thence.compress.quantize import score as scoring
from thence.compress.quantize.integers import ByteRows
from thence.compress.quantize.kernel import plain_bytes, tiled_bytes
from thence.compress.quantize.machine import has_byte_products
from thence.compress.quantize.packed import PackedRows
from thence.compress.quantize.score import scored, scored_by


def codes_of(kind: str, rows: int, dim: int, seed: int):
    x = np.random.default_rng(seed).normal(size=(rows, dim)).astype(np.float32)
    return ByteRows.fit(x) if kind == "8" else PackedRows.fit(x, int(kind))


@pytest.mark.parametrize("asking", ["8", "4", "1"])
@pytest.mark.parametrize("answering", ["8", "4", "2", "1"])
@pytest.mark.parametrize(("dim", "rows"), [(5, 3), (32, 70), (100, 33)])
def test_whole_numbers_are_multiplied_exactly(asking: str, answering: str, dim: int, rows: int) -> None:
    ours, theirs = codes_of(asking, 20, dim, 0), codes_of(answering, rows, dim, 1)
    bias = np.linspace(-1, 1, rows).astype(np.float32)
    whole = ours.bytes_at(slice(None)).astype(np.int64) @ theirs.bytes_at(slice(None)).astype(np.int64).T
    literal = whole.astype(np.float32) * (ours.scale[:, None] * theirs.scale) + bias
    for nodes in (np.arange(20), np.array([4]), np.array([7, 7, 2]), np.arange(9)):
        np.testing.assert_array_equal(scored(ours, nodes, theirs, bias), literal[nodes])
    assert scored(ours, np.empty(0, np.int64), theirs, bias).shape == (0, rows)


@pytest.mark.skipif(not has_byte_products(), reason="this processor has no products of bytes")
def test_the_extreme_codes_do_not_overflow_a_tile() -> None:
    dim = 2048
    query, codes = np.full((8, dim), 127, np.int8), np.full((40, dim), 127, np.int8)
    query[1], codes[1] = -127, -127
    ones, out, plain = np.ones(40, np.float32), np.empty((8, 40), np.float32), np.empty((8, 40), np.float32)
    tiled_bytes(query, ones[:8], codes, ones, np.zeros(40, np.float32), out)
    plain_bytes(query, ones[:8], codes, ones, np.zeros(40, np.float32), plain)
    np.testing.assert_array_equal(out, plain)
    assert out[0, 0] == 127 * 127 * dim and out[1, 0] == -127 * 127 * dim and out[1, 1] == 127 * 127 * dim


def test_processors_without_products_of_bytes_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs, bias = codes_of("8", 20, 48, 0), codes_of("8", 90, 48, 1), np.ones(90, np.float32)
    with_them = scored(ours, np.arange(20), theirs, bias)
    monkeypatch.setattr("thence.compress.quantize.machine.has_byte_products", lambda: False)
    np.testing.assert_array_equal(scored(ours, np.arange(20), theirs, bias), with_them)
    monkeypatch.setattr(scoring, "EXACT_SUM", 0)  # sums past float32's whole numbers are made in float64
    np.testing.assert_array_equal(scored(ours, np.arange(20), theirs, bias), with_them)


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_those_of_the_decoded_vectors(kind: str) -> None:
    small = quantize(clustered(300, 12), kind, queries=0)
    plain = small.embeddings()
    asked = np.array([0, 5, 5, 299, 17, 3])
    literal = exact_scores(plain.source[asked], plain.target, plain.bias)
    scale = np.abs(literal).max()
    np.testing.assert_allclose(small.scores(asked), literal, atol=2e-5 * scale)
    into = exact_scores(plain.source, plain.target[asked], None).T + plain.bias[asked][:, None]
    np.testing.assert_allclose(small.scores_into(asked), into, atol=2e-5 * scale)


@pytest.mark.parametrize("kind", KINDS)
def test_one_thread_and_two_one_query_and_many_say_the_same(kind: str) -> None:
    given = clustered(300, 24)
    many = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            many.append(quantize(given, kind, queries=0).scores(np.arange(40)))
    scale = np.abs(many[0]).max()
    np.testing.assert_allclose(many[1], many[0], atol=1e-5 * scale)
    small = quantize(given, kind, queries=0)
    alone = np.concatenate([small.scores([node]) for node in range(40)])
    np.testing.assert_allclose(alone, many[0], atol=1e-5 * scale)


def test_vectors_that_ask_by_themselves_are_rounded_to_bytes_at_most() -> None:
    x, theirs = np.random.default_rng(2).normal(size=(6, 40)).astype(np.float32), codes_of("1", 50, 40, 1)
    exact = x @ theirs.decode(slice(None)).T
    found = scored_by(x, theirs, np.zeros(50, np.float32))
    step = np.abs(x).max(axis=1, keepdims=True) / 127
    bound = 0.501 * step * np.abs(theirs.decode(slice(None))).sum(1)
    assert (np.abs(found - exact) <= bound + 1e-4).all()
