"""Return probabilities against dense powers, by hand, and within the error that is stated."""

from __future__ import annotations

import numpy as np
import pytest
from tests.graph.position.literal import diagonals, symmetric, walks
from tests.graph.position.worlds import areas, complete, cycle, drawn, path, star

from thence.base.errors import ConfigError, DataError
from thence.graph import Arcs
from thence.graph.position import returns

STEPS = 6


def literal(arcs: Arcs, weighted: bool = False) -> dict[str, np.ndarray]:
    (out, into), both = walks(arcs, weighted), symmetric(arcs, weighted)
    landed = [
        [np.log1p(np.linalg.matrix_power(p, k).sum(axis=0)) for k in range(1, STEPS + 1)] for p in (out, into)
    ]
    return {
        "returns.out": diagonals(out, range(2, STEPS + 1)),
        "returns.in": diagonals(into, range(2, STEPS + 1)),
        "returns.there.out": diagonals(out @ into, range(1, STEPS // 2 + 1)),
        "returns.there.in": diagonals(into @ out, range(1, STEPS // 2 + 1)),
        "returns.both": diagonals(both, range(2, STEPS + 1)),
        "returns.landed.out": np.stack(landed[0], axis=1),
        "returns.landed.in": np.stack(landed[1], axis=1),
    }


@pytest.mark.parametrize("weight", [None, "weight"])
@pytest.mark.parametrize("arcs", [drawn(40, 150), path(5), star(6), complete(5), drawn(300, 500)])
def test_exact_returns_are_the_diagonals_of_dense_powers(arcs: Arcs, weight: str | None) -> None:
    found = returns(arcs, steps=STEPS, weight=weight).blocks
    for name, wanted in literal(arcs, weight is not None).items():
        np.testing.assert_allclose(found[name], wanted, atol=2e-6, err_msg=name)


def test_a_directed_cycle_returns_after_its_length_alone() -> None:
    found = returns(cycle(5), steps=6).blocks
    assert found["returns.out"][0].tolist() == [0, 0, 0, 1, 0]  # steps 2 … 6
    assert found["returns.there.out"][0].tolist() == [1, 1, 1]  # along and back: nothing else to choose
    np.testing.assert_allclose(found["returns.both"][0], [1 / 2, 0, 3 / 8, 2 / 32, 5 / 16], atol=1e-6)


def test_a_complete_graph() -> None:
    found = returns(complete(4), steps=3).blocks
    np.testing.assert_allclose(found["returns.out"], np.tile([1 / 3, 2 / 9], (4, 1)), atol=1e-6)


def test_nothing_returns_where_arcs_never_lead_back() -> None:
    found = returns(path(6), steps=4, exact=False).blocks
    assert not found["returns.out"].any() and not found["returns.in"].any()


@pytest.mark.parametrize("weight", [None, "weight"])
def test_probes_are_right_within_the_error_that_they_state(weight: str | None) -> None:
    arcs = areas(300, 6, 3)
    arcs = arcs.with_value("weight", np.random.default_rng(0).uniform(0.5, 2, arcs.num_arcs))
    wanted = literal(arcs, weight is not None)
    found = returns(arcs, steps=STEPS, probes=256, weight=weight, exact=False)
    for name, errors in found.info["standard_error"].items():
        off = np.sqrt(((found.blocks[name] - wanted[name]) ** 2).mean(axis=0))
        assert errors[0] == 0 and off[0] < 1e-6, name
        assert (off[1:] < 1.3 * np.array(errors[1:])).all() and (off[1:] > 0.7 * np.array(errors[1:])).all(), (
            name
        )


def test_squared_probes_err_in_proportion_to_the_value() -> None:
    """Where M = B Bᵀ the error is about √(2/probes) of the value; plain probes err by far more."""
    arcs, probes = areas(400, 6, 4), 64
    wanted = literal(arcs)["returns.both"][:, 4]
    off = returns(arcs, steps=STEPS, probes=probes, exact=False).blocks["returns.both"][:, 4] - wanted
    assert np.sqrt(np.mean((off / wanted) ** 2)) < 1.5 * np.sqrt(2 / probes)
    z = np.random.default_rng(0).choice([-1.0, 1.0], (400, probes))
    plain = (z * (np.linalg.matrix_power(symmetric(arcs), 6) @ z)).mean(axis=1) - wanted
    assert np.sqrt(np.mean(plain**2)) > 2 * np.sqrt(np.mean(off**2))


def test_what_is_refused() -> None:
    arcs = cycle(3)
    for wrong in ({"steps": 1}, {"probes": 1}, {"steps": 2.5}):
        with pytest.raises(ConfigError):
            returns(arcs, **wrong)
    with pytest.raises(DataError, match="no value 'price'"):
        returns(arcs, weight="price")
    with pytest.raises(DataError, match="negative"):
        returns(arcs.with_value("weight", [-1, 1, 1]), weight="weight")
