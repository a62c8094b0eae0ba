"""Degrees and reach: by hand, exactly, and by sketches within their error."""

from __future__ import annotations

import numpy as np
import pytest
from tests.graph.position.literal import hops
from tests.graph.position.worlds import areas, drawn, star

from thence.base.errors import ConfigError
from thence.graph import Arcs
from thence.graph.position import profile


def test_a_star_by_hand() -> None:
    found = profile(star(5), hops=2).blocks
    np.testing.assert_allclose(found["profile.out"][0], [np.log(5), 1, 0, np.log(5), np.log(5)], rtol=1e-6)
    np.testing.assert_allclose(found["profile.in"][1], [np.log(2), 1, 0, np.log(2), np.log(2)], rtol=1e-6)
    assert found["profile.in"][0].tolist() == [0, 0, 1, 0, 0]  # nothing leads to it
    np.testing.assert_allclose(found["profile.both"], np.log(5), rtol=1e-6)


def test_reach_and_shares_are_counted() -> None:
    arcs = drawn(60, 120)
    found, away = profile(arcs, hops=3).blocks, hops(arcs)
    for name, side in (("out", away), ("in", away.T)):
        reach = np.stack([(side <= k).sum(axis=1) - 1 for k in (1, 2, 3)], axis=1)
        np.testing.assert_allclose(np.expm1(found[f"profile.{name}"][:, 3:]), reach, atol=1e-3)
    mutual = Arcs.from_pairs([0, 1, 0], [1, 0, 2], num_nodes=3)
    assert profile(mutual).blocks["profile.out"][:, 1].tolist() == [0.5, 0, 0]
    assert profile(mutual).blocks["profile.in"][:, 1].tolist() == [0, 0, 1]


def test_sketches_are_right_within_their_error() -> None:
    arcs = areas(1_500, 6, 3)
    exact = np.expm1(profile(arcs, exact=True).blocks["profile.out"][:, 3:])
    found = profile(arcs, exact=False)
    off = np.expm1(found.blocks["profile.out"][:, 3:]) / exact - 1
    assert np.sqrt((off**2).mean()) < 1.3 * found.info["relative_error"]
    assert np.abs(off.mean(axis=0)).max() < 0.08  # nodes share hashes, and so some of the error


def test_sketches_do_not_feel_the_order_of_nodes() -> None:
    arcs = areas(400, 6, 3)
    keys = np.random.default_rng(0).integers(0, 2**63, 400).astype(np.uint64)
    one = profile(arcs, exact=False, keys=keys).blocks["profile.out"]
    place = np.random.default_rng(1).permutation(400)
    other = Arcs.from_pairs(*place[arcs.pairs], num_nodes=400)
    two = profile(other, exact=False, keys=keys[np.argsort(place)]).blocks["profile.out"]
    np.testing.assert_array_equal(two[place], one)


def test_what_is_refused() -> None:
    with pytest.raises(ConfigError):
        profile(star(3), hops=0)
