"""The model that users hold: fit it on what is known, refresh it as labels change, ask it, save it.

Below it stand the parts that can be used alone: :class:`~thence.conversion.net.ConversionNet` (a plain
``nn.Module``), :class:`~thence.conversion.learn.Learner`, the estimators of ``conversion/delayed``.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from thence.base.artifact import open_artifact, version, write_artifact
from thence.base.errors import ArtifactError, ConfigError, DataError, FitError, ThenceError
from thence.base.progress import Progress, silent
from thence.conversion.delayed import Protocol, make
from thence.conversion.delays import DelayCurve, still
from thence.conversion.exposures import Exposures
from thence.conversion.features import Features
from thence.conversion.keep import Arrays, lay_over, learner_arrays, set_learner, set_net
from thence.conversion.learn import LearnConfig, Learner
from thence.conversion.net import ConversionNet, NetConfig, Scale, make_net
from thence.conversion.ready import check_labels, moment
from thence.conversion.schema import Schema
from thence.conversion.trainer import Trainer
from thence.events.clock import DAY, HOUR, Moment, iso, micros

KIND = "conversion-model"
DESCRIPTION = "model.json"
_SURE = 1e-7
_NET, _LEARN = NetConfig(), LearnConfig()


class ConversionModel:
    """P(conversion within the window | what was known of the exposure when it was made).

    Args:
        estimator: how to learn from open labels; a name of ``thence.conversion.delayed.ESTIMATORS``.
        wait: waiting time of the estimators that label after one, microseconds.
        settings: of the estimator, by name.
        net: the shape of the network.
        learn: how it is trained.
        kinds: of the columns of categories by name (see :class:`~thence.conversion.schema.Schema`), so that
            whoever asks with raw columns is told of a wrong type.
        seed: of weights and orders.

    Attributes:
        clock: nothing at or after it has been seen, microseconds UTC.
        window: label horizon: attribution window of the probabilities, microseconds.
        label_age: from the newest exposure whose label was final to the clock, microseconds.
        schema: columns that it was fitted on.
        delays: how late conversions come, of all that was mature at the clock; None in models saved without.
        figures: how it does on exposures that it never saw, JSON as
            :func:`thence.evaluate.conversion.later.judge_later` gives it; None until somebody has looked, and
            after each refresh. No part of ``version``.
        version: first digits of a fingerprint of all of it, which every answer carries.

    Example:
        >>> from thence.conversion.exposures import NEVER
        >>> times, colour = np.arange(400) * HOUR, np.arange(400)[:, None] % 2
        >>> bought = np.where(colour[:, 0] == 1, times + HOUR, NEVER)
        >>> features = Features(colour, np.zeros((400, 0)), buckets=(2,))
        >>> clicks = Exposures.make(times, bought, window=DAY, features=features)
        >>> net, learn = NetConfig("logistic"), LearnConfig(32, 0.1, passes=9)
        >>> model = ConversionModel("wait", net=net, learn=learn).fit(clicks, at=300 * HOUR)
        >>> model
        ConversionModel(wait, logistic, window 1 d, known until 1970-01-13T12:00:00Z)
        >>> model.predict_proba(features[:2]).round(1).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
        >>> _ = model.partial_fit(clicks, at=324 * HOUR)
        >>> model.label_age // HOUR
        25
    """

    def __init__(
        self,
        estimator: str = "es_dfm_exact",
        *,
        wait: int = HOUR,
        settings: Mapping[str, Any] | None = None,
        net: NetConfig = _NET,
        learn: LearnConfig = _LEARN,
        kinds: Mapping[str, str] | None = None,
        seed: int = 0,
    ) -> None:
        self.estimator, self.wait, self.settings = estimator, wait, settings
        self.net, self.learn, self.kinds, self.seed = net, learn, kinds, seed
        make(estimator, Protocol(wait, max(wait, 1)), settings)  # a wrong name is said at once
        self.clock = self.window = self.label_age = self._began = 0
        self.schema = Schema((), (), ())
        self.delays: DelayCurve | None = None
        self.figures: dict[str, Any] | None = None
        self._trainer: Trainer | None = None
        self._opened: tuple[Arrays, Arrays] | None = None  # learner and estimator as saved, until a refresh
        self._version = ""

    def __repr__(self) -> str:
        """One line: what it is, and what it knows."""
        name = f"ConversionModel({self.estimator}, {self.net.kind}"
        if self._trainer is None:
            return f"{name}, not fitted)"
        return f"{name}, window {self.window / DAY:g} d, known until {iso(self.clock)})"

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """What it was made with, by name, as scikit-learn's ``clone`` wants it."""
        names = ("estimator", "wait", "settings", "net", "learn", "kinds", "seed")
        return {name: getattr(self, name) for name in names}

    @property
    def classes_(self) -> np.ndarray:
        """Meaning of the columns of :meth:`predict_proba`: no conversion, and a conversion."""
        return np.array([0, 1])

    def fit(
        self, exposures: Exposures, at: Moment | None = None, *, progress: Progress = silent
    ) -> ConversionModel:
        """Fit from nothing on everything known at the clock; what was learned before is forgotten.

        First ``passes`` over the mature exposures with their final labels, then as many over the estimator's
        rows of the last window, in which labels are open.

        Args:
            exposures: any that include those before the clock.
            at: the clock; that of the exposures when None, and where they have none, when the last window ends.
            progress: called after each pass.

        Raises:
            DataError: nothing is mature at the clock, or mature labels are all the same; a value is infinite
                or a code out of range.
            FitError: the loss is not a number.
        """
        known = exposures.before(moment(exposures, at))
        self._begin(known, progress)
        self._learn_rows(known, known.until - known.window, self.learn.passes, progress)
        return self

    def partial_fit(self, exposures: Exposures, at: Moment) -> ConversionModel:
        """One refresh of a stream: learn the rows that came since the clock, up to a new one.

        Of a model that is not fitted, the stream begins here: that is ``fit`` with one pass over open labels.

        Args:
            exposures: all of them up to the new clock; those before the old one are needed too, because their
                labels may have changed since.
            at: the new clock, after the old one.

        Raises:
            ConfigError: the clock does not move on, or the window is another.
            DataError: the columns are others, or as for :meth:`fit`.
            FitError: the loss is not a number.
        """
        clock = min(micros(at), exposures.until)
        if self._trainer is None:
            known = exposures.before(clock)
            self._begin(known, silent)
            self._learn_rows(known, clock - known.window, 1, silent)
            return self
        if clock <= self.clock:
            raise ConfigError(
                f"the model knows everything until {iso(self.clock)}, and {iso(clock)} is not later",
                fix="Give a later clock, or fit from nothing.",
            )
        if exposures.window != self.window:
            raise ConfigError(f"the window is {exposures.window} µs, the model's {self.window} µs")
        known = exposures.before(clock)
        self.schema.check(known.features[known.since(self.clock) :])
        self._resume(exposures)
        self._learn_rows(known, self.clock, 1, silent)
        return self

    def predict_logit(self, features: Features) -> np.ndarray:
        """Log odds ``[n]`` float64, log p / (1 - p), of exposures with the columns it was fitted on.

        Raises:
            FitError: the model is not fitted.
            DataError: other columns, codes out of range or infinite numbers; NaN is unknown.
        """
        chance = self._probability(features)
        return np.log(chance) - np.log1p(-chance)

    def predict_proba(self, features: Features) -> np.ndarray:
        """Probabilities ``[n, 2]`` float64 of no conversion and of a conversion within the window.

        Raises:
            FitError: the model is not fitted.
            DataError: other columns, codes out of range or infinite numbers; NaN is unknown.
        """
        chance = self._probability(features)
        return np.stack([1 - chance, chance], axis=1)

    def delay_by(self, features: Features, elapsed: ArrayLike) -> np.ndarray:
        """The share ``[n]`` of conversions that has come by ages: of the model's own law of x, else of all.

        Args:
            features: of exposures.
            elapsed: ``[n]`` or one for all, microseconds since the exposure, at least 0.

        Raises:
            DataError: a negative age, or as for :meth:`predict_proba`; or it is not known how late they come.
        """
        ages = np.broadcast_to(np.asarray(elapsed, np.float64), len(features))
        if not (ages >= 0).all():
            raise DataError("an age below 0 since the exposure", fix="Give the time that has passed since.")
        trainer, logits = self._fitted(), self._logits(features)
        part = torch.from_numpy(np.minimum(ages / self.window, 1.0))
        with torch.no_grad():
            left = trainer.estimator.log_left(logits, part)
        if left is not None:
            return 1 - np.exp(left.numpy(force=True))
        if self.delays is None:
            raise DataError(
                "this model was saved without how late its conversions come", fix="Fit or refresh it anew."
            )
        return self.delays.by(ages)

    def predict_later(self, features: Features, elapsed: ArrayLike) -> np.ndarray:
        """Probabilities ``[n]`` that a conversion still comes within the window, where none has come until now.

        ``p (1 - F) / (1 - p F)``, F by :meth:`delay_by`; engagement is not looked at.

        Raises:
            DataError: as for :meth:`delay_by`.
        """
        return still(self._probability(features), self.delay_by(features, elapsed))

    @property
    def own_delays(self) -> bool:
        """Whether the model knows a delay of each exposure, not only one of all."""
        heads = self._fitted().estimator.heads
        return self._fitted().estimator.log_left(torch.zeros(1, heads), torch.zeros(1)) is not None

    @property
    def version(self) -> str:
        """The first 12 hexadecimal digits of the saved model's fingerprint."""
        if not self._version:
            with tempfile.TemporaryDirectory() as folder:
                self.save(Path(folder) / "model")
                self._version = version(Path(folder) / "model")
        return self._version

    @property
    def learner(self) -> Learner:
        """What it learns with; its ``net`` is the plain ``nn.Module`` below.

        Raises:
            FitError: the model is not fitted.
        """
        return self._fitted().learner

    def save(self, folder: str | Path) -> None:
        """Write it as an artifact: weights, Adam's moments, the estimator's state, and what describes it.

        Raises:
            FitError: the model is not fitted.
            ArtifactError: it cannot be written.
        """
        trainer = self._fitted()
        learner, method = trainer.learner, trainer.estimator
        told = {
            "estimator": self.estimator, "wait": self.wait, "settings": dict(self.settings or {}),
            "kinds": dict(self.kinds or {}),
            "net": asdict(self.net), "learn": asdict(self.learn), "seed": self.seed, "heads": learner.net.heads,
            "clock": self.clock, "window": self.window, "label_age": self.label_age, "began": self._began,
            "schema": asdict(self.schema),
        }  # fmt: skip
        told |= {} if self.delays is None else {"delays": self.delays.told()}
        with write_artifact(folder, KIND) as draft:
            learned, state = self._opened or (learner_arrays(learner, "main"), method.state())
            draft.tensors("learner", learned)
            draft.tensors("estimator", state)
            text = json.dumps(told, indent=1, sort_keys=True, allow_nan=False)
            draft.path(DESCRIPTION).write_text(text + "\n", encoding="utf-8")
            draft.counts.update(columns=len(self.schema.names), buckets=sum(self.schema.buckets))
            draft.config.update(estimator=self.estimator, known_until=iso(self.clock))
            if self.figures is not None:  # in the manifest, not a file: the same model, whoever has judged it
                draft.config["figures"] = self.figures

    @classmethod
    def load(cls, folder: str | Path) -> ConversionModel:
        """Open a saved model; it answers as the one that was saved, and can be refreshed further.

        Raises:
            ArtifactError: it is absent, torn, tampered with, or its parts do not fit together.
        """
        art = open_artifact(folder, KIND)
        try:
            told = json.loads(art.path(DESCRIPTION).read_text("utf-8"))
            net = NetConfig(**{**told["net"], "hidden": tuple(told["net"]["hidden"])})
            options = {name: told[name] for name in ("wait", "settings", "kinds", "seed")}
            made = cls(told["estimator"], net=net, learn=LearnConfig(**told["learn"]), **options)
            made.schema = Schema(**{name: tuple(values) for name, values in told["schema"].items()})
            made.clock, made.window = told["clock"], told["window"]
            made.label_age, made._began = told["label_age"], told["began"]
            made.delays = DelayCurve.from_told(told["delays"]) if "delays" in told else None
            made.figures = art.config.get("figures")
            made._restore(art.tensors("learner"), art.tensors("estimator"), told["heads"])
        except (ThenceError, UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, ArtifactError):
                raise
            raise ArtifactError(f"inconsistent model: {error}", where=folder) from error
        made._version = version(folder)
        return made

    def _begin(self, known: Exposures, progress: Progress) -> None:
        """A new network and estimator, trained on what is mature."""
        schema = Schema.of(known.features, self.kinds)
        schema.check(known.features)
        check_labels(known)
        method = make(self.estimator, Protocol(min(self.wait, known.window), known.window), self.settings)
        net = make_net(known.features, self.net, heads=method.heads, seed=self.seed)
        trainer = Trainer(method, net, self.learn, self.seed)
        trainer.begin(known, progress)
        self._trainer, self._opened, self.schema = trainer, None, schema
        self.window, self._began = known.window, known.until
        self._know(known)

    def _learn_rows(self, known: Exposures, since: int, passes: int, progress: Progress) -> None:
        """Learn from the estimator's rows that came in ``[since, clock)``, as a stream does."""
        self._fitted().learn(known, since, passes, progress)
        self._know(known)

    def _know(self, known: Exposures) -> None:
        mature = int(known.mature.sum())  # exposures rise, so mature ones are first
        newest = int(known.time[mature - 1])
        self.clock, self.label_age, self._version = known.until, known.until - newest, ""
        self.delays = DelayCurve.of(known) if known.converted[:mature].any() else None
        self.figures = None

    def _restore(self, learner: Arrays, state: Arrays, heads: int) -> None:
        numbers = len(self.schema.names) - len(self.schema.buckets)
        blank = Scale(np.zeros(numbers, np.float32), np.ones(numbers, np.float32))
        net = ConversionNet(self.schema.buckets, blank, self.net, heads=heads, seed=self.seed)
        method = make(self.estimator, Protocol(min(self.wait, self.window), self.window), self.settings)
        self._trainer = Trainer(method, net, self.learn, self.seed)
        set_net(self._trainer.learner, learner, "main")
        lay_over(method, state, strict=False)
        self._opened = learner, state

    def _resume(self, exposures: Exposures) -> None:
        """Of a model that was opened: let the estimator see again what it began with, and go on from there."""
        if self._opened is None:
            return
        trainer = self._fitted()
        began = exposures.before(self._began)
        if not began.mature.any():
            raise DataError(
                f"nothing of what was mature when this model began, at {iso(self._began)}, is here",
                fix="Give the whole log, or fit from nothing.",
            )
        set_learner(trainer.learner, self._opened[0], "main")
        trainer.estimator.begin(began, trainer.lab)
        trainer.estimator.restore(self._opened[1], exposures.before(self.clock), trainer.lab)
        self._opened = None

    def _probability(self, features: Features) -> np.ndarray:
        logits = self._logits(features)
        with torch.no_grad():
            chance = self._fitted().estimator.probability(logits).numpy(force=True)
        if not np.isfinite(chance).all():
            raise FitError("a predicted probability is not a number", where=self.estimator)
        return np.clip(chance, _SURE, 1 - _SURE)

    def _logits(self, features: Features) -> torch.Tensor:
        trainer = self._fitted()
        self.schema.check(features)
        return torch.from_numpy(trainer.learner.logits(features, np.arange(len(features)))).double()

    def _fitted(self) -> Trainer:
        if self._trainer is None:
            raise FitError("the model is not fitted", fix="Call fit first, or load a saved one.")
        return self._trainer
