"""A pool scored again exactly: its order is the exact one, and all else stands below it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.compress.quantize.vectors import clustered

from thence.compress.quantize import quantize, recall
from thence.encode import Embeddings
from thence.index import top_k

GIVEN = clustered()


@pytest.mark.parametrize("direction", ["next", "before"])
@pytest.mark.parametrize("kind", ["int8", "rabitq"])
def test_the_pool_is_exact_and_the_rest_below_in_order(kind: str, direction: str) -> None:
    small = quantize(GIVEN, kind, queries=0)
    again = small.rescored(GIVEN, pool=30)
    name, by = ("scores", "scores_by") if direction == "next" else ("scores_into", "scores_into_by")
    asked = np.array([3, 50])
    exact, found, rough = (
        getattr(GIVEN, name)(asked),
        getattr(again, name)(asked),
        getattr(small, by)(GIVEN, asked),
    )
    for row in range(2):
        pool = np.argsort(-rough[row], kind="stable")[:30]
        np.testing.assert_allclose(found[row][pool], exact[row][pool], rtol=1e-4, atol=1e-4)
        rest = np.setdiff1d(np.arange(600), pool)
        assert found[row][rest].max() <= found[row][pool].min()
        order = np.argsort(-rough[row][rest], kind="stable")
        assert (np.diff(found[row][rest][order]) <= 0).all()


def test_a_pool_of_three_lists_or_ten_gives_back_what_codes_lost() -> None:
    found = {
        kind: recall(quantize(GIVEN, kind, queries=0).rescored(GIVEN, 60), GIVEN) for kind in ("int8", "int4")
    }
    assert min(found.values()) > 0.999
    signs = quantize(GIVEN, "rabitq", queries=0)
    shares = [recall(signs.rescored(GIVEN, pool), GIVEN) for pool in (20, 60, 200, 600)]
    assert shares == sorted(shares) and shares[-1] == 1.0 and shares[2] > 0.95


def test_a_filter_that_empties_the_pool_still_finds_answers() -> None:
    again = quantize(GIVEN, "int4", queries=0).rescored(GIVEN, pool=20)
    worst = np.argsort(GIVEN.scores([7])[0])[:10]
    allowed = np.zeros(600, bool)
    allowed[worst] = True
    answers = top_k(again, [7], 10, allowed=allowed)
    assert sorted(answers.nodes[0].tolist()) == sorted(worst.tolist())


def test_exact_vectors_may_lie_on_disk(tmp_path: Path) -> None:
    for name in ("source", "target"):
        np.save(tmp_path / f"{name}.npy", getattr(GIVEN, name))
    mapped = Embeddings(
        GIVEN.ids,
        *(np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("source", "target")),
        GIVEN.bias,
    )
    small = quantize(GIVEN, "int2", queries=0)
    asked = np.arange(30)
    np.testing.assert_array_equal(small.rescored(mapped).scores(asked), small.rescored(GIVEN).scores(asked))
