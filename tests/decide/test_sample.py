"""Samples: what is taken, and what is refused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from thence.base.errors import DataError
from thence.decide.sample import Sample, finite

WRONG_COLUMNS = {
    "nan": ([0.1, np.nan], "NaN or infinite, the first at place 1"),
    "infinite": ([np.inf, 0.1], "NaN or infinite, the first at place 0"),
    "words": (["a", "b"], "not numbers"),
    "table": ([[0.1], [0.2]], r"shape \(2, 1\)"),
    "ragged": ([[0.1], [0.2, 0.3]], "not numbers"),
    "one number": (0.5, r"shape \(\)"),
    "complex": ([1j, 0.5], "not numbers"),
    "sparse": (sparse.csr_array([[1.0, 0.0]]), "sparse"),
    "none inside": ([None, 0.5], "NaN"),
    "objects": ([object(), 0.5], "not numbers"),
}


@pytest.mark.parametrize(
    "kind", [[1, 0, 1], [1.0, 0.0, 1.0], np.array([1, 0, 1], np.int8), [True, False, True]]
)
def test_labels_of_any_type_are_the_same(kind: Any) -> None:
    sample = Sample.make(np.array([3, 2, 1], np.float32), pd.Series([1, 2, 3], index=[7, 8, 9]), kind)
    assert sample.label.dtype == bool and sample.label.tolist() == [True, False, True]
    assert sample.score.dtype == sample.uncertainty.dtype == np.float64
    assert (len(sample), sample.positives) == (3, 2)
    assert repr(sample) == "Sample(3 cases, 2 positive)"
    assert sample[sample.score > 1].positives == 1 and len(sample[:2]) == 2


def test_no_uncertainty_is_the_same_for_all() -> None:
    assert Sample.make([1, 2], None, [0, 1]).uncertainty.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("name", WRONG_COLUMNS)
@pytest.mark.parametrize("place", ["score", "uncertainty"])
def test_columns_that_cannot_be_used_are_refused_by_name(name: str, place: str) -> None:
    values, says = WRONG_COLUMNS[name]
    with pytest.raises(DataError, match=says) as refused:
        finite(values, place)
    assert place in str(refused.value)
    good = [0.5, 0.5]
    with pytest.raises(DataError, match=says):
        Sample.make(*((values, good) if place == "score" else (good, values)), [0, 1])


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ([0, 2], "2 is neither 0 nor 1"),
        ([-1, 1], "-1 is neither"),
        ([0.5, 1], "0.5 is neither"),
        ([np.nan, 1], "nan is neither"),
        (["yes", "no"], "not numbers"),
        ([[0], [1]], "shape"),
        ([[0], [1, 1]], "one column"),
    ],
)
def test_labels_that_are_not_0_and_1_are_refused(labels: Any, says: str) -> None:
    with pytest.raises(DataError, match=says):
        Sample.make([0.1, 0.2], None, labels)


def test_lengths_and_classes_are_checked() -> None:
    with pytest.raises(DataError, match="2 scores, 3 uncertainties and 1 labels"):
        Sample.make([1, 2], [1, 2, 3], [1])
    with pytest.raises(DataError, match="no cases"):
        Sample.make([], None, [])
    for kind in (0, 1):
        with pytest.raises(DataError, match=f"all 2 labels are {kind}"):
            Sample.make([1, 2], None, [kind] * 2).both_classes()
    both = Sample.make([1, 2], None, [0, 1])
    assert both.both_classes() is both
