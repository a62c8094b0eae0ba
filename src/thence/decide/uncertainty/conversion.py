"""How sure the models of conversions are: their exposures' evidence, Laplace on their network, other seeds.

Each is asked with :class:`~thence.conversion.features.Features`, as the models are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from thence.base.errors import ConfigError, DataError
from thence.base.progress import Progress, silent
from thence.base.rng import derive_seed
from thence.conversion.exposures import Exposures
from thence.conversion.features import Features
from thence.conversion.model import ConversionModel
from thence.decide.uncertainty.believed import Believed, Cost, Members, UncertaintyEstimator
from thence.decide.uncertainty.evidence import EvidenceCounts
from thence.decide.uncertainty.laplace import LastLayerLaplace
from thence.decide.uncertainty.logits import memory_of
from thence.events.clock import Moment

CLOSE = 1e-4
"""So near a model's probability must be to the sigmoid of its first logit."""


class OfFeatures:
    """An estimator that is asked with features.

    Args:
        inner: what is asked.
        inputs: from features to its inputs.
    """

    def __init__(self, inner: UncertaintyEstimator, inputs: Callable[[Features], Any]) -> None:
        self.inner, self._inputs = inner, inputs

    @property
    def cost(self) -> Cost:
        """That of what is asked."""
        return self.inner.cost

    def estimate(self, inputs: Features) -> Believed:
        """What is believed of each row of the features."""
        return self.inner.estimate(self._inputs(inputs))


def evidence_of(exposures: Exposures, columns: Sequence[str] | None = None) -> OfFeatures:
    """Evidence counts of the exposures' categories: mature ones alone, with their final labels.

    Args:
        exposures: those that the model was trained on; only mature ones count.
        columns: names of columns of categories; all when None.

    Raises:
        ConfigError: there is no such column of categories.
        DataError: nothing is mature, all labels are the same, or there is no column of categories.

    Example:
        >>> from thence.conversion.exposures import NEVER
        >>> codes = np.repeat([0, 1], [300, 20])[:, None]
        >>> features = Features(codes, np.zeros((320, 0)), (2,), ("shop",))
        >>> bought = np.where(np.arange(320) % 4 == 0, np.arange(320) + 1, NEVER)
        >>> shown = Exposures.make(np.arange(320), bought, window=10, until=10_000, features=features)
        >>> often, seldom = evidence_of(shown).estimate(features.take(np.array([0, 319]))).uncertainty
        >>> bool(often < seldom)
        True
    """
    wanted, counts = counted(exposures, columns)
    pick = [exposures.features.names.index(name) for name in wanted]
    return OfFeatures(counts, lambda asked: asked.codes[:, pick])


def counted(
    exposures: Exposures, columns: Sequence[str] | None = None
) -> tuple[tuple[str, ...], EvidenceCounts]:
    """Names of the columns that are counted, and their counts; see :func:`evidence_of`."""
    features, mature = exposures.features, exposures.mature
    names = list(features.names[: features.codes.shape[1]])
    wanted = names if columns is None else list(columns)
    if unknown := [name for name in wanted if name not in names]:
        raise ConfigError(f"no columns of categories {unknown}", fix=f"There are {names}.")
    if not wanted or not mature.any():
        raise DataError("no column of categories, or no mature exposure to count")
    pick = [names.index(name) for name in wanted]
    return tuple(wanted), EvidenceCounts.fit(features.codes[mature][:, pick], exposures.converted[mature])


def laplace_of(model: ConversionModel, exposures: Exposures) -> OfFeatures:
    """Last-layer Laplace of a fitted model; fit it anew when the model is refreshed.

    Args:
        model: one whose probability is the sigmoid of one logit, with a network of layers.
        exposures: those that it was trained on.

    Raises:
        ConfigError: the model has more heads, another link, or a network without a last layer of its own.
        FitError: the model is not fitted.
    """
    learner = model.learner
    some = exposures.features[: min(len(exposures), 64)]
    logits = learner.logits(some, np.arange(len(some)))
    told = model.predict_proba(some)[:, 1]
    if logits.shape[1] != 1 or np.abs(1 / (1 + np.exp(-logits[:, 0].astype(float))) - told).max() > CLOSE:
        raise ConfigError(
            f"{model.estimator} does not tell a rate by one logit", fix="Use evidence counts, or ensemble_of."
        )
    return OfFeatures(LastLayerLaplace.fit(learner.net, tensors(exposures.features)), tensors)


def ensemble_of(
    model: ConversionModel,
    exposures: Exposures,
    at: Moment | None = None,
    *,
    members: int = 5,
    seed: int = 0,
    progress: Progress = silent,
) -> OfFeatures:
    """Models made like this one, fitted from other seeds; of any estimator.

    Args:
        model: as it was made; it may be fitted or not, and stays as it is.
        exposures: to fit on.
        at: the clock.
        members: how many.
        seed: the members' seeds are derived from it.
        progress: called after each member.

    Raises:
        ConfigError: fewer than two members.
        DataError: as :meth:`ConversionModel.fit`.
    """
    if members < 2:
        raise ConfigError(f"an ensemble of {members}", fix="Ask for two members or more.")
    made = []
    for place in range(members):
        own = {**model.get_params(), "seed": derive_seed(seed, "uncertainty", "member", place)}
        made.append(ConversionModel(**own).fit(exposures, at))
        progress("members", place + 1, members)
    return OfFeatures(_Models(tuple(made)), lambda features: features)


class _Models:
    """An ensemble of models of conversions."""

    def __init__(self, members: tuple[ConversionModel, ...]) -> None:
        self.members = members

    @property
    def cost(self) -> Cost:
        nets = [each.learner.net for each in self.members]
        return Cost(float(len(nets)), sum(memory_of(net) for net in nets[1:]))

    def estimate(self, inputs: Features) -> Members:
        return Members.make([each.predict_logit(inputs) for each in self.members])


def tensors(features: Features) -> tuple[torch.Tensor, torch.Tensor]:
    """What the network of a model takes."""
    return torch.from_numpy(features.codes.astype(np.int64)), torch.from_numpy(features.numbers)
