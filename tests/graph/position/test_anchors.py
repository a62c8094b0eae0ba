"""Anchors: PageRank and hops against dense formulas, and which nodes are chosen."""

from __future__ import annotations

import numpy as np
import pytest
from tests.graph.position.literal import hops, walks
from tests.graph.position.worlds import drawn, path, star

from thence.base.errors import ConfigError
from thence.graph import Arcs
from thence.graph.position import anchors


@pytest.mark.parametrize("choose", ["degree", "cover"])
def test_chances_and_hops_are_those_of_the_dense_formulas(choose: str) -> None:
    arcs, alpha, epsilon = drawn(50, 150), 0.2, 1e-7
    found = anchors(arcs, k=6, choose=choose, alpha=alpha, epsilon=epsilon)  # type: ignore[arg-type]
    chosen = found.info["anchors"]
    for name, walk, away in zip(("out", "in"), walks(arcs), (hops(arcs), hops(arcs).T), strict=True):
        rank = alpha * np.linalg.inv(np.eye(50) - (1 - alpha) * walk)[:, chosen]
        wanted = np.log1p(rank / epsilon) / np.log1p(1 / epsilon)
        near = found.blocks[f"anchors.chance.{name}"]
        certain = rank > 1e-4
        np.testing.assert_allclose(near[certain], wanted[certain], atol=1e-3)
        assert not near[rank == 0].any()
        np.testing.assert_allclose(found.blocks[f"anchors.hops.{name}"], 1 / (1 + away[:, chosen]), atol=1e-6)


def test_a_way_that_is_too_long_counts_as_none() -> None:
    found = anchors(path(9), k=1, choose="degree", most=3)
    at = found.info["anchors"][0]
    near = found.blocks["anchors.hops.in"][:, 0]
    assert near[at + 3] == 0.25 and near[at + 4] == 0


def test_a_cover_passes_over_neighbours_while_there_are_others() -> None:
    two_stars = Arcs.from_pairs([0, 0, 0, 0, 4, 4, 8], [1, 2, 3, 4, 5, 6, 9], num_nodes=10)
    assert anchors(two_stars, k=2, choose="degree").info["anchors"] == [0, 4]
    assert anchors(two_stars, k=3, choose="cover").info["anchors"] == [0, 5, 6]  # 4 is next to 0
    assert anchors(star(4), k=3, choose="cover").info["anchors"] == [0, 1, 2]  # none is left: by degree


def test_what_is_refused() -> None:
    for wrong in ({"k": 0}, {"most": 0}, {"choose": "random"}, {"alpha": 1.0}):
        with pytest.raises(ConfigError):
            anchors(path(3), **wrong)
