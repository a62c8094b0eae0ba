"""Bootstrap ensembles of any scikit-learn classifier: each member fitted to rows drawn with replacement.

    rate = mean of the members' rates,  uncertainty = sd of their logits,  epistemic = H(mean) - mean H

Reference: Breiman, "Bagging predictors", Machine Learning 1996.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thence.base.errors import ConfigError, DataError, FitError
from thence.base.progress import Progress, silent
from thence.base.rng import derive_seed, generator
from thence.decide.sample import Sample
from thence.decide.uncertainty.believed import Cost, Members

DRAWS = 100
"""As often a member's rows are drawn until both classes are among them."""
_SURE = 1e-7


class BootstrapEnsemble:
    """Several fitted classifiers; make it with :meth:`fit`, or give those that are there.

    Args:
        members: two or more, with ``predict_proba`` of the classes 0 and 1.

    Raises:
        ConfigError: fewer than two.

    Example:
        >>> from sklearn.linear_model import LogisticRegression
        >>> x = np.linspace(-1, 1, 60)[:, None]
        >>> sure = BootstrapEnsemble.fit(LogisticRegression(), x, x[:, 0] > 0, members=5).estimate(x)
        >>> bool(sure.uncertainty[0] > sure.uncertainty[30]), sure.mean.shape
        (True, (60,))
    """

    def __init__(self, members: Sequence[Any]) -> None:
        if len(members) < 2:
            raise ConfigError(f"an ensemble of {len(members)}", fix="Give two members or more.")
        self.members = tuple(members)

    @classmethod
    def fit(
        cls,
        classifier: Any,
        x: Any,
        y: ArrayLike,
        *,
        members: int = 10,
        seed: int = 0,
        progress: Progress = silent,
    ) -> BootstrapEnsemble:
        """Clone the classifier and fit the clones.

        Args:
            classifier: with ``fit`` and ``predict_proba``; where it has a ``random_state``, each clone gets its
                own.
            x: ``[n, d]`` rows, or a frame that takes rows by place.
            y: ``[n]`` 0 or 1.
            members: how many.
            seed: of the rows and the clones.
            progress: called after each member.

        Raises:
            ConfigError: fewer than two members, or no ``predict_proba``.
            DataError: rows and labels do not fit together, or all labels are the same.
            FitError: draws of rows have no positive or no negative among them.
        """
        from sklearn.base import clone

        if members < 2:
            raise ConfigError(f"an ensemble of {members}", fix="Ask for two members or more.")
        if not hasattr(classifier, "predict_proba"):
            raise ConfigError("the classifier has no predict_proba", fix="Give one that tells probabilities.")
        label = Sample.make(np.zeros(_rows(x)), None, y).both_classes().label
        made = []
        for place in range(members):
            own: Any = clone(classifier)
            if "random_state" in own.get_params():
                own.set_params(random_state=derive_seed(seed, "uncertainty", "clone", place) % 2**31)
            rows = _drawn(label, generator(seed, "uncertainty", "bootstrap", place))
            made.append(own.fit(_take(x, rows), label[rows].astype(np.int64)))
            progress("members", place + 1, members)
        return cls(made)

    @property
    def cost(self) -> Cost:
        """A prediction for each member; what their fitted arrays take, where they tell."""
        return Cost(float(len(self.members)), sum(_bytes(vars(each)) for each in self.members[1:]))

    def estimate(self, inputs: Any) -> Members:
        """What is believed of each row; members' rates are kept within 10⁻⁷ of 0 and 1.

        Raises:
            DataError: a member's answer is not two finite columns.
        """
        told = []
        for each in self.members:
            rate = np.asarray(each.predict_proba(inputs), np.float64)
            if rate.ndim != 2 or rate.shape[1] != 2 or not np.isfinite(rate).all():
                raise DataError(f"a member gives {rate.shape}, not two finite columns")
            sure = np.clip(rate[:, 1], _SURE, 1 - _SURE)
            told.append(np.log(sure) - np.log1p(-sure))
        return Members.make(told)


def _drawn(label: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    for _ in range(DRAWS):
        rows = rng.integers(0, len(label), len(label))
        if 0 < label[rows].sum() < len(label):
            return rows
    raise FitError("draws of rows have one class alone", fix="Give more rows of the rarer class.")


def _rows(x: Any) -> int:
    try:
        return x.shape[0] if hasattr(x, "shape") else len(x)
    except TypeError as error:
        raise DataError("no rows", where="x") from error


def _take(x: Any, rows: np.ndarray) -> Any:
    return x.iloc[rows] if hasattr(x, "iloc") else (x if hasattr(x, "shape") else np.asarray(x))[rows]


def _bytes(values: Any) -> int:
    """Of the arrays among fitted attributes, two levels deep."""
    if isinstance(values, np.ndarray) and values.dtype != object:
        return values.nbytes
    if isinstance(values, dict):
        return sum(_bytes(each) for each in values.values())
    return 0
