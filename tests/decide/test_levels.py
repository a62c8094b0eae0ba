"""Levels of uncertainty and their curves, against loops over cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.decide.boundary.literal import above, rows_of, tiny

from thence.base.errors import ConfigError
from thence.decide.levels import curves, level_cuts, level_of

few = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=20)


@settings(max_examples=150)
@given(values=few, levels=st.integers(1, 8), spacing=st.sampled_from(["weight", "span"]))
def test_cuts_rise_and_leave_no_first_level_empty(values, levels: int, spacing) -> None:
    cuts = level_cuts(values, levels, spacing)
    assert (np.diff(cuts) > 0).all() and len(cuts) <= levels - 1
    level = level_of(values, cuts)
    assert level.tolist() == [sum(value >= cut for cut in cuts) for value in values]
    assert (level == 0).any()
    if spacing == "weight":
        assert set(level) == set(range(len(cuts) + 1))  # every cut is a value, and so no level is empty


def test_cuts_of_equal_weight_and_of_equal_span() -> None:
    values = np.random.default_rng(0).permutation(1000) / 1000
    assert np.bincount(level_of(values, level_cuts(values, 8))).tolist() == [125] * 8
    assert level_cuts([0, 1, 10], 4, "span").tolist() == [2.5, 5.0, 7.5]
    assert np.allclose(level_cuts(values, 8), np.arange(1, 8) / 8)


def test_a_value_of_most_cases_does_not_hide_the_others() -> None:
    assert level_cuts([0] * 90 + [1] * 10, 3).tolist() == [1.0]
    assert level_cuts([0] * 10 + [1] * 90, 3).tolist() == [1.0]
    assert level_cuts([5.0] * 9, 4).tolist() == level_cuts([5.0] * 9, 4, "span").tolist() == []


def test_no_levels_and_unknown_spacing_are_refused() -> None:
    with pytest.raises(ConfigError, match="0 levels"):
        level_cuts([1], 0)
    with pytest.raises(ConfigError, match="spacing"):
        level_cuts([1], 2, "even")  # type: ignore[arg-type]


def test_curves_are_what_thresholds_take() -> None:
    for seed in range(120):
        sample = tiny(seed)
        cuts = level_cuts(sample.uncertainty, 1 + seed % 4, "span")  # which may leave a level without cases
        rows = rows_of(sample, cuts)
        found = curves(sample, cuts)
        assert len(found) == len(rows)
        for curve, level in zip(found, rows, strict=True):
            assert curve.score.tolist() == sorted({score for score, _ in level}, reverse=True)
            for place in range(len(curve.taken)):
                pair = curve.taken[place], curve.positives[place]
                assert pair == (above(level, curve.threshold(place)) if level else (0, 0))


def test_strict_levels_would_be_seen(monkeypatch) -> None:
    """A mutant that puts a case on a cut into the level below."""
    import thence.decide.levels as module

    monkeypatch.setattr(module, "level_of", lambda unsure, cuts: np.searchsorted(cuts, unsure, side="left"))
    with pytest.raises((AssertionError, IndexError)):
        test_curves_are_what_thresholds_take()
