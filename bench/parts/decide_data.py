"""Scores and uncertainties of real data: one base model, several ways of knowing how sure it is.

``scored(data, tau, seed)`` trains on one part of the rows, with negatives kept at a rate of 1/τ, and gives for
each estimator its score and uncertainty on three other parts: to fit, to calibrate or test the fit, to judge.
Scores are rates as the model tells them, at the training rate of positives.

Base model: the library's ConversionNet (embeddings of 8, layers of 64 and 32, dropout of .1), three passes; the
same for evidence counts, dropout and Laplace, and as the start of the networks that are trained on. Second base
model: gradient boosting on the same columns.
"""

from __future__ import annotations

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from torch import nn

from parts.decide_tables import Table, table
from thence.base.rng import generator
from thence.conversion.features import Features
from thence.conversion.net import NetConfig, make_net
from thence.decide.sample import Sample
from thence.decide.uncertainty.believed import Believed
from thence.decide.uncertainty.bootstrap import BootstrapEnsemble
from thence.decide.uncertainty.dropout import MonteCarloDropout, SeededDropout
from thence.decide.uncertainty.ensemble import DeepEnsemble
from thence.decide.uncertainty.entropies import sigmoid
from thence.decide.uncertainty.evidence import EvidenceCounts
from thence.decide.uncertainty.laplace import LastLayerLaplace
from thence.decide.uncertainty.logits import logits_of
from thence.decide.uncertainty.natural import NaturalPosterior
from thence.decide.uncertainty.posterior import PosteriorNetwork
from thence.decide.uncertainty.shared_trunk import SharedTrunk
from thence.decide.uncertainty.training import Plan, train

DATA = ("census_kdd", "nycflights13", "open_bandit", "coupons", "cross_sell", "cross_sell_trials")
ESTIMATORS = (
    "evidence",
    "dropout",
    "laplace",
    "shared_trunk",
    "posterior",
    "natural",
    "ensemble",
    "ensemble_evidence",
    "boosted",
    "boosted_evidence",
)
TRAIN, ROWS = 0.4, 150_000
"""Share of the rows for training, and so many at most after negatives are left out."""
MEMBERS, TREES = 5, 60
PARTS = (0.4, 0.2, 0.4)
"""Shares of the other rows: to fit, to calibrate, to judge."""

Scored = tuple[Sample, Sample, Sample]


def scored(
    data: str, tau: float, seed: int, only: tuple[str, ...] = ESTIMATORS, most: int | None = None
) -> dict[str, Scored]:
    """Samples to fit, to calibrate and to judge by, for each estimator.

    Args:
        data: one of :data:`DATA`.
        tau: negatives are kept in training at a rate of one in so many.
        seed: of the parts, the negatives, weights and orders.
        only: these estimators alone.
        most: rows that are drawn first, of all; every row when None.
    """
    rows = table(data)
    trained, parts = split(rows, tau, seed, most)
    told = _Told(rows, trained, np.concatenate(parts), seed)
    bounds = np.cumsum([len(part) for part in parts])[:-1]
    label = rows.label[told.asked]
    found = {}
    for name in only:
        score, uncertainty = getattr(told, name)()
        cuts = (np.split(column, bounds) for column in (score, uncertainty, label))
        found[name] = tuple(Sample.make(*columns) for columns in zip(*cuts, strict=True))
    return found


def split(
    rows: Table, tau: float, seed: int, most: int | None = None
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Places of the training rows that were kept, and of the three other parts."""
    rng = generator(seed, "bench", "decide", "split")
    order = np.arange(len(rows.label))
    if most is not None:
        order = np.sort(generator(seed, "bench", "decide", "rows").permutation(order)[:most])
    order = order if rows.ordered else rng.permutation(order)
    first = round(TRAIN * len(order))
    trained, others = rng.permutation(order[:first]), rng.permutation(order[first:])
    kept = rows.label[trained] | (rng.random(first) * tau < 1)
    ends = np.cumsum(np.round(np.array(PARTS) * len(others)).astype(int))[:-1]
    return trained[kept][:ROWS], tuple(np.split(others, ends))


class _Told:
    """What each estimator tells of the rows asked for: score and uncertainty."""

    def __init__(self, rows: Table, trained: np.ndarray, asked: np.ndarray, seed: int) -> None:
        self.rows, self.trained, self.asked, self.seed = rows, trained, asked, seed
        self.label = rows.label[trained]
        self.inputs, self.wanted = (_tensors(rows.features.take(places)) for places in (trained, asked))
        many = len(trained) > 20_000
        self.plan = Plan(passes=3 if many else 10, batch_size=512 if many else 64, learning_rate=2e-3)
        self._nets: dict[int, nn.Module] = {}
        self._kept: dict[str, Believed] = {}

    def net(self, seed: int) -> nn.Module:
        """The base model."""
        if seed not in self._nets:
            config = NetConfig("mlp", 8, (64, 32))
            made = make_net(self.rows.features.take(self.trained), config, seed=seed)
            layers: list[nn.Module] = []
            for layer in made.deep:
                layers += (
                    [layer, SeededDropout(0.1, seed=seed + len(layers))]
                    if isinstance(layer, nn.ReLU)
                    else [layer]
                )
            made.deep = nn.Sequential(*layers)
            self._nets[seed] = train(made, self.inputs, self.label, plan=self.plan, seed=seed)
        return self._nets[seed]

    def evidence(self) -> tuple[np.ndarray, np.ndarray]:
        return sigmoid(logits_of(self.net(self.seed), self.wanted).numpy()), self._evidence()

    def dropout(self) -> tuple[np.ndarray, np.ndarray]:
        return _both(MonteCarloDropout(self.net(self.seed), 10, seed=self.seed).estimate(self.wanted))

    def laplace(self) -> tuple[np.ndarray, np.ndarray]:
        return _both(LastLayerLaplace.fit(self.net(self.seed), self.inputs).estimate(self.wanted))

    def shared_trunk(self) -> tuple[np.ndarray, np.ndarray]:
        made = SharedTrunk.fit(self.net(self.seed), self.inputs, self.label, plan=self.plan, seed=self.seed)
        return _both(made.estimate(self.wanted))

    def posterior(self) -> tuple[np.ndarray, np.ndarray]:
        return _both(self._trained(PosteriorNetwork))

    def natural(self) -> tuple[np.ndarray, np.ndarray]:
        return _both(self._trained(NaturalPosterior))

    def ensemble(self) -> tuple[np.ndarray, np.ndarray]:
        return _both(self._ensemble())

    def ensemble_evidence(self) -> tuple[np.ndarray, np.ndarray]:
        return self._ensemble().mean, self._evidence()

    def boosted(self) -> tuple[np.ndarray, np.ndarray]:
        return _both(self._boosted())

    def boosted_evidence(self) -> tuple[np.ndarray, np.ndarray]:
        return self._boosted().mean, self._evidence()

    def _trained(self, kind: type[PosteriorNetwork] | type[NaturalPosterior]) -> Believed:
        made = kind.fit(self.net(self.seed), self.inputs, self.label, plan=self.plan, seed=self.seed)
        return made.estimate(self.wanted)

    def _evidence(self) -> np.ndarray:
        if "evidence" not in self._kept:
            sure = EvidenceCounts.fit(self.rows.ids[self.trained], self.label)
            self._kept["evidence"] = sure.estimate(self.rows.ids[self.asked])
        return self._kept["evidence"].uncertainty

    def _ensemble(self) -> Believed:
        if "ensemble" not in self._kept:
            seeds = [self.seed + 1000 * member for member in range(MEMBERS)]
            self._kept["ensemble"] = DeepEnsemble([self.net(seed) for seed in seeds]).estimate(self.wanted)
        return self._kept["ensemble"]

    def _boosted(self) -> Believed:
        if "boosted" not in self._kept:
            features = self.rows.features
            wide = np.hstack([features.codes, features.numbers]).astype(np.float64)
            few = np.array([size <= 64 for size in features.buckets] + [False] * features.numbers.shape[1])
            told = np.array(
                [len(np.unique(column[np.isfinite(column)])) > 1 for column in wide[self.trained].T]
            )
            wide, few = wide[:, told], few[told]
            boost = HistGradientBoostingClassifier(max_iter=TREES, categorical_features=few)
            made = BootstrapEnsemble.fit(boost, wide[self.trained], self.label, members=MEMBERS, seed=self.seed)
            self._kept["boosted"] = made.estimate(wide[self.asked])
        return self._kept["boosted"]


def _both(told: Believed) -> tuple[np.ndarray, np.ndarray]:
    return told.mean, told.uncertainty


def _tensors(features: Features) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(features.codes.astype(np.int64)), torch.from_numpy(features.numbers)
