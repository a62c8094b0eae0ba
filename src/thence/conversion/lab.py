"""Models beside the main one: classifiers of the same shape, trained on what is known and nothing later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.special import expit, logit

from thence.base.errors import DataError
from thence.conversion.features import Features
from thence.conversion.learn import Batch, LearnConfig, Learner, Loss
from thence.conversion.net import NetConfig, make_net
from thence.conversion.rows import Rows

Predict = Callable[[np.ndarray], np.ndarray]
"""From places of exposures ``[r]`` to the main model's logits ``[r, heads]``."""


class Classifier:
    """P(label = 1 | features).

    Args:
        learner: the trained network, or None for a constant.
        constant: the probability where there is no network.

    Example:
        >>> Classifier(None, 0.25).predict(Features.none(2)).tolist()
        [0.25, 0.25]
    """

    def __init__(self, learner: Learner | None, constant: float = 0.0) -> None:
        self.learner, self.constant = learner, constant

    def predict(self, features: Features) -> np.ndarray:
        """Probabilities ``[r]`` float64 of rows of features."""
        if self.learner is None:
            return np.full(len(features), self.constant)
        return expit(self.learner.logits(features, np.arange(len(features)))[:, 0].astype(np.float64))


class Classifiers:
    """P(label_k = 1 | features) of several labels, by one network with an output for each.

    Args:
        learner: the trained network, or None where all are constants.
        constant: ``[k]`` the probabilities of labels of which one value alone was seen; NaN for others.

    Example:
        >>> Classifiers(None, np.array([0.0, 1.0])).predict(Features.none(2)).tolist()
        [[0.0, 1.0], [0.0, 1.0]]
    """

    def __init__(self, learner: Learner | None, constant: np.ndarray) -> None:
        self.learner, self.constant = learner, constant

    def predict(self, features: Features) -> np.ndarray:
        """Probabilities ``[r, k]`` float64 of rows of features."""
        if self.learner is None:
            return np.tile(self.constant, (len(features), 1))
        found = expit(self.learner.logits(features, np.arange(len(features))).astype(np.float64))
        return np.where(np.isnan(self.constant), found, self.constant)


@dataclass(frozen=True)
class Lab:
    """Trains models of one shape.

    Args:
        net: the shape.
        learn: batch size, rate and passes.
        seed: of weights and orders.
        main: the main model, whose embeddings or predictions another may begin with.

    Example:
        >>> shown = Features(np.arange(400)[:, None] % 2, np.zeros((400, 0)), (2,))
        >>> model = Lab(NetConfig("logistic"), LearnConfig(50, 0.05, passes=9)).classifier(
        ...     shown, shown.codes[:, 0], name="example")
        >>> model.predict(shown[:2]).round().tolist()
        [0.0, 1.0]
    """

    net: NetConfig = field(default_factory=NetConfig)
    learn: LearnConfig = field(default_factory=LearnConfig)
    seed: int = 0
    main: Learner | None = field(default=None, repr=False, compare=False)

    def model(
        self,
        features: Features,
        rows: Rows,
        loss: Loss,
        *,
        name: str,
        bias: np.ndarray,
        like: Learner | None = None,
    ) -> Learner:
        """Fit a network with any loss.

        Args:
            features: ``[n]`` rows.
            rows: what to learn from; their index is a place in ``features``.
            loss: of each row.
            name: of the model, from which its order of rows is drawn.
            bias: ``[heads]`` logits that it begins with.
            like: a model whose embeddings it begins with, where they have the same shape.
        """
        net = make_net(features, self.net, heads=len(bias), seed=self.seed)
        with torch.no_grad():
            net.out.bias.copy_(torch.from_numpy(np.asarray(bias, np.float32)))
            if like is not None and like.net.table.shape == net.table.shape:
                net.table.copy_(like.net.table)
        learner = Learner(net, self.learn, self.seed)
        for turn in range(self.learn.passes):
            learner.learn(features, rows, loss, name, turn)
        return learner

    def classifier(
        self,
        features: Features,
        label: np.ndarray,
        weight: np.ndarray | None = None,
        *,
        name: str,
        like: Learner | None = None,
    ) -> Classifier:
        """Fit P(label = 1 | features) by cross-entropy.

        Args:
            features: ``[r]`` rows.
            label: ``[r]`` from 0 to 1.
            weight: ``[r]``; 1 when None.
            name: of the model, from which its order of rows is drawn.
            like: a model whose embeddings it begins with.

        Returns:
            The model; a constant where there are no rows or all labels are 0, or all 1.

        Raises:
            DataError: arrays differ in length.
        """
        label = np.asarray(label, np.float32)
        weight = np.ones(len(label), np.float32) if weight is None else np.asarray(weight, np.float32)
        if not len(features) == len(label) == len(weight):
            raise DataError(f"{len(features):,} rows, {len(label):,} labels and {len(weight):,} weights")
        mean = float(np.average(label, weights=weight)) if weight.sum() > 0 else 0.0
        if not 0.0 < mean < 1.0:
            return Classifier(None, mean)
        start, rows = np.log([mean / (1 - mean)]), _both_outcomes(label, weight)
        return Classifier(self.model(features, rows, _cross_entropy, name=name, bias=start, like=like))

    def further(
        self, old: Classifier, features: Features, label: np.ndarray, *, name: str, turn: int
    ) -> Classifier:
        """Train a classifier on rows that have come since: one pass, or a fit where it was a constant.

        Args:
            old: the model as it stands; it is trained in place.
            features: ``[r]`` rows; the model stays as it is where there are none.
            label: ``[r]`` from 0 to 1.
            name: of the model.
            turn: names this pass.
        """
        if not len(features):
            return old
        if old.learner is None:
            return self.classifier(features, label, name=name)
        rows = _both_outcomes(np.asarray(label, np.float32))
        old.learner.learn(features, rows, _cross_entropy, name, "further", turn)
        return old

    def together(
        self,
        old: Classifiers,
        features: Features,
        label: np.ndarray,
        weight: np.ndarray,
        *,
        name: str,
        turn: int,
    ) -> Classifiers:
        """Train classifiers of several labels by one network: a fit at first, then one pass over what is new.

        Args:
            old: as they stand; a network is trained in place.
            features: ``[r]`` rows; where there are none, nothing changes.
            label: ``[r, k]`` from 0 to 1.
            weight: ``[r, k]`` of each label.
            name: of the models, from which the order of rows is drawn.
            turn: names this pass.

        Returns:
            The classifiers; a constant for each label that was always 0, or always 1, wherever it has a weight.
        """
        if not len(features):
            return old
        label, weight = np.asarray(label, np.float32), np.asarray(weight, np.float32)
        mass = weight.sum(axis=0)
        mean = (weight * label).sum(axis=0) / np.where(mass > 0, mass, 1)
        constant = np.where((mean > 0) & (mean < 1), np.nan, np.where(mass > 0, mean, old.constant))
        rows = _both_outcomes(label, weight)
        if old.learner is not None:
            old.learner.learn(features, rows, _cross_entropies, name, "further", turn)
            return Classifiers(old.learner, np.where(old.constant == constant, constant, np.nan))
        if not np.isnan(constant).any():
            return Classifiers(None, constant)
        bias = logit(np.clip(mean, 1e-3, 1 - 1e-3))
        return Classifiers(self.model(features, rows, _cross_entropies, name=name, bias=bias), constant)


def _both_outcomes(label: np.ndarray, weight: np.ndarray | float = 1.0) -> Rows:
    """A row for each label ``[r]`` or ``[r, k]``, at its own place, with the weights of both outcomes."""
    columns = {"positive": weight * label, "negative": weight * (1 - label)}
    return Rows(np.arange(len(label)), label, columns)


def _cross_entropy(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
    return weighted(logits[:, 0], batch["positive"], batch["negative"])


def _cross_entropies(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
    return weighted(logits, batch["positive"], batch["negative"]).sum(dim=1)


def weighted(logit: torch.Tensor, positive: torch.Tensor, negative: torch.Tensor) -> torch.Tensor:
    """``positive · -log σ(logit) + negative · -log(1 - σ(logit))``, row by row.

    Example:
        >>> weighted(torch.zeros(1), torch.ones(1), torch.zeros(1)).numpy().round(4)
        array([0.6931], dtype=float32)
    """
    return positive * torch.nn.functional.softplus(-logit) + negative * torch.nn.functional.softplus(logit)
