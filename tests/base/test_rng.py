"""Generators: a name fixes the numbers, whoever else draws, and the global generators never move."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from thence.base.rng import derive_seed, generator, torch_generator

NAMES = st.lists(st.text(max_size=5) | st.integers(), max_size=3)


def test_the_numbers_never_change_between_releases() -> None:
    assert derive_seed(0) == 4246866556266386882
    assert derive_seed(7, "negatives", 3) == 9044200679884200427
    assert generator(0, "prices").integers(1_000_000, size=3).tolist() == [864563, 802587, 571631]


@given(st.integers(), NAMES)
def test_a_name_fixes_the_numbers(seed: int, names: list) -> None:
    assert 0 <= derive_seed(seed, *names) < 2**63
    assert generator(seed, *names).bytes(16) == generator(seed, *names).bytes(16)


@given(st.integers(), NAMES, st.integers(), NAMES)
def test_other_names_or_seeds_give_other_seeds(seed: int, names: list, other: int, others: list) -> None:
    same = (seed, [str(name) for name in names]) == (other, [str(name) for name in others])
    assert (derive_seed(seed, *names) == derive_seed(other, *others)) == same


def test_a_draw_elsewhere_moves_nothing() -> None:
    alone = generator(1, "a").random(5)
    first, second = generator(1, "a"), generator(1, "b")
    mixed = []
    for _ in range(5):
        second.random(3)
        mixed.append(first.random())
    assert mixed == alone.tolist()


def test_generators_of_different_names_are_uncorrelated() -> None:
    draws = np.stack([generator(0, "stream", i).standard_normal(4000) for i in range(40)])
    correlations = np.corrcoef(draws)[np.triu_indices(40, 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(4000)
    assert abs(correlations.mean()) < 4 / np.sqrt(4000 * len(correlations))


def test_the_global_generators_do_not_move() -> None:
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    generator(3, "x").random(100)
    torch.rand(100, generator=torch_generator(3, "x"))
    assert np.array_equal(np.random.get_state()[1], before[0])
    assert torch.equal(torch.get_rng_state(), before[1])


def test_torch_generators_follow_the_same_rule() -> None:
    draws = [torch.rand(4, generator=torch_generator(3, name)).tolist() for name in ("x", "x", "y")]
    assert draws[0] == draws[1] != draws[2]


@pytest.mark.parametrize("names", [("a", "b"), ("a\x1fb",), ("ab",), ("a", "", "b")])
def test_names_do_not_run_into_each_other(names: tuple[str, ...]) -> None:
    others = {("a", "b"), ("a\x1fb",), ("ab",), ("a", "", "b")} - {names}
    assert all(derive_seed(0, *names) != derive_seed(0, *other) for other in others)
