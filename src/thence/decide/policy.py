"""From a boundary to decisions that can be told: act, hold or ask, at what rate, how sure, and why."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thence.base.artifact import open_artifact, version, write_artifact
from thence.base.errors import ArtifactError, ConfigError, DataError, ThenceError
from thence.decide.calibrate.venn_abers import merged
from thence.decide.calibrate.venn_abers_levels import VennAbersLevels
from thence.decide.estimator import DecisionBoundary
from thence.decide.exposed import SURE, Sure
from thence.decide.goal import SLACK
from thence.decide.keep import kept_rule, rule_of
from thence.decide.rule import Rule
from thence.decide.sample import Sample, finite

KIND = "decision-policy"
DESCRIPTION = "policy.json"
ACTIONS = ("hold", "ask", "act")
"""By code, from the least to the most that is done."""
_HALVINGS = 50


@dataclass(frozen=True, eq=False, repr=False)
class Decisions:
    """What is decided on cases.

    Args:
        action: ``[n]`` uint8, a place of :data:`ACTIONS`.
        rate: ``[n]`` calibrated rate of positives among cases like it.
        low, high: ``[n]`` interval of the rate (Venn-Abers: were the case negative, were it positive).
        margin: ``[n]`` how far inside the boundary; at least 0 is to act.
        needed: ``[n]`` least score that is acted on at the case's uncertainty; infinity where none is.
    """

    action: np.ndarray
    rate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    margin: np.ndarray
    needed: np.ndarray

    def __len__(self) -> int:
        """How many cases."""
        return len(self.action)

    def __repr__(self) -> str:
        """One line with the counts."""
        counts = np.bincount(self.action, minlength=len(ACTIONS))
        return f"Decisions({', '.join(f'{name} {n:,}' for name, n in zip(ACTIONS, counts, strict=True))})"

    def named(self) -> list[str]:
        """The actions in words, ``[n]``."""
        return [ACTIONS[code] for code in self.action]


class Policy:
    """A boundary, the rates around it, and the zone between act and hold in which somebody is asked.

    Args:
        rule: where to act.
        rates: calibrated rates and their intervals.
        ask: margin (not above 0) from which on a case that is not acted on is asked about; 0 never asks.
        span: least and greatest score that it was fitted on.
        told: what else is to be known of it, such as goal and precision; JSON.
        sure: of exposures, how sure the model is; None where uncertainties are given.

    Attributes:
        picture: what each wanted precision would bring, as :func:`~thence.decide.frontier.frontier` tells it;
            None where it was not worked out. No part of ``version``.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> score, unsure = rng.random((2, 4000))
        >>> sample = Sample.make(score, unsure, rng.random(4000) < score * (1 - unsure))
        >>> boundary = DecisionBoundary("recall", precision=0.7)
        >>> boundary = boundary.fit(sample.score, sample.uncertainty, sample.label)
        >>> policy = Policy.fit(boundary, sample, miss=0.3)
        >>> made = policy.decide([0.95, 0.8, 0.1], [0.05, 0.4, 0.5])
        >>> made.named()
        ['act', 'ask', 'hold']
        >>> print(policy.why(made, 2))
        hold: at this uncertainty a score of 0.998 is needed; cases like it came true at a rate of 0.11
    """

    def __init__(
        self,
        rule: Rule,
        rates: VennAbersLevels,
        *,
        ask: float = 0.0,
        span: tuple[float, float] = (0.0, 1.0),
        told: Mapping[str, Any] | None = None,
        sure: Sure | None = None,
    ) -> None:
        if not ask <= 0:
            raise ConfigError(f"asking from a margin of {ask}", fix="Give 0 or less.")
        self.rule, self.rates, self.ask, self.span = rule, rates, float(ask), span
        self.told, self.sure, self._version = dict(told or {}), sure, ""
        self.picture: dict[str, Any] | None = None

    @property
    def asks_uncertainty(self) -> bool:
        """Whether a case is decided by its uncertainty too, so that it must be given."""
        return bool(self.told.get("uses_uncertainty", True)) or len(self.rates.cuts) > 0

    @property
    def version(self) -> str:
        """The first 12 hexadecimal digits of the saved policy's fingerprint."""
        if not self._version:
            with tempfile.TemporaryDirectory() as folder:
                self.save(Path(folder) / "policy")
        return self._version

    @classmethod
    def fit(
        cls,
        boundary: DecisionBoundary,
        sample: Sample,
        *,
        miss: float | None = None,
        sure: Sure | None = None,
    ) -> Policy:
        """A policy from a fitted boundary and cases that it was not fitted to (best) or was.

        Args:
            boundary: fitted.
            sample: cases with labels, for rates and the zone of asking.
            miss: share of the positives that may be held without asking; as few as can be are asked about.
                None never asks.
            sure: of exposures, how sure the model is; None where uncertainties are given.

        Raises:
            ConfigError: ``miss`` is not in (0, 1).
            DataError: one class.
        """
        if miss is not None and not 0 < miss < 1:
            raise ConfigError(f"a share of {miss} missed", fix="Give one between 0 and 1.")
        rule, ask = boundary.rule_, 0.0
        if miss is not None:
            ask = asks_from(rule, sample.both_classes(), miss)
        rates = VennAbersLevels.fit(sample.score, sample.uncertainty, sample.label)
        found, shown = boundary.outcome_, boundary.guarantee_
        told = {
            "target": boundary.goal_.kind, "bound": boundary.goal_.bound, "miss": miss,
            "precision": _told(found.precision), "recall": found.recall, "acted": found.taken,
            "cases": found.cases, "confidence": boundary.confidence,
            "shown": None if shown is None else asdict(shown) | {"threshold": _told(shown.threshold)},
            "uses_uncertainty": bool(boundary.uses_uncertainty_),
        }  # fmt: skip
        span = float(sample.score.min()), float(sample.score.max())
        return cls(rule, rates, ask=ask, span=span, told=told, sure=sure)

    def decide(self, score: ArrayLike, uncertainty: ArrayLike | None = None) -> Decisions:
        """Decisions on cases.

        Args:
            score: ``[n]`` finite.
            uncertainty: ``[n]`` finite; None where the policy was fitted without.

        Raises:
            DataError: NaN, infinite values, lengths that differ, or no uncertainty where it is asked for.
        """
        scores = finite(score, "score")
        if uncertainty is None and self.asks_uncertainty:
            raise DataError(
                "no uncertainty is given, and the policy was fitted with one", fix="Give one for each case."
            )
        unsure = np.zeros(len(scores)) if uncertainty is None else finite(uncertainty, "uncertainty")
        low, high = self.rates.interval(scores, unsure)
        margin = self.rule.margin(scores, unsure)
        ends = np.minimum(scores, self.span[0]), np.maximum(scores, self.span[1])  # a case may lie outside
        return Decisions(self._action(margin), merged(low, high), low, high, margin, self._least(unsure, *ends))

    def actions(self, score: ArrayLike, uncertainty: ArrayLike) -> np.ndarray:
        """Actions alone, ``[n]`` uint8; see :meth:`decide`."""
        return self._action(self.rule.margin(finite(score, "score"), finite(uncertainty, "uncertainty")))

    def _action(self, margin: np.ndarray) -> np.ndarray:
        return np.where(margin >= 0, 2, np.where(margin >= self.ask, 1, 0)).astype(np.uint8)

    def needed(self, uncertainty: ArrayLike) -> np.ndarray:
        """Least score ``[n]`` of the span that is acted on at each uncertainty; infinity where none is."""
        unsure = finite(uncertainty, "uncertainty")
        return self._least(unsure, *(np.full(len(unsure), end) for end in self.span))

    def _least(self, unsure: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Least score ``[n]`` between two that is acted on, by halving."""
        least, always, ever = low, self.rule.act(low, unsure), self.rule.act(high, unsure)
        for _ in range(_HALVINGS):
            middle = low + (high - low) / 2
            inside = self.rule.act(middle, unsure)
            low, high = np.where(inside, low, middle), np.where(inside, middle, high)
        return np.where(always, least, np.where(ever, high, np.inf))

    def why(self, decisions: Decisions, place: int) -> str:
        """The reason of one decision in words."""
        needed, rate = decisions.needed[place], decisions.rate[place]
        asked = "no score is enough" if np.isinf(needed) else f"a score of {needed:.3g} is needed"
        return (
            f"{ACTIONS[decisions.action[place]]}: at this uncertainty {asked}; "
            f"cases like it came true at a rate of {rate:.2g}"
        )

    def save(self, folder: str | Path) -> None:
        """Write it as an artifact.

        Raises:
            ArtifactError: it cannot be written.
        """
        kind, arrays = kept_rule(self.rule)
        told = {"rule": kind, "ask": _told(self.ask), "span": list(self.span), "told": self.told}
        told |= dict.fromkeys(SURE)
        with write_artifact(folder, KIND) as draft:
            draft.tensors("rule", arrays)
            draft.tensors("rates", self.rates.arrays())
            if self.sure is not None:
                told[self.sure.kind] = self.sure.told()
                draft.tensors(self.sure.kind, self.sure.arrays())
            text = json.dumps(told, indent=1, sort_keys=True)
            draft.path(DESCRIPTION).write_text(text + "\n", encoding="utf-8")
            draft.config.update(rule=kind)
            if self.picture is not None:  # in the manifest, not a file: it decides nothing
                draft.config["picture"] = self.picture
        self._version = version(folder)

    @classmethod
    def load(cls, folder: str | Path) -> Policy:
        """Open a saved policy.

        Raises:
            ArtifactError: it is absent, torn, tampered with, or its parts do not fit together.
        """
        art = open_artifact(folder, KIND)
        try:
            told = json.loads(art.path(DESCRIPTION).read_text("utf-8"))
            rule = rule_of(told["rule"], art.tensors("rule"))
            rates = VennAbersLevels.of(art.tensors("rates"))
            low, high = (float(end) for end in told["span"])
            ask = -np.inf if told["ask"] is None else float(told["ask"])
            kinds = [name for name in SURE if told.get(name) is not None]
            sure = SURE[kinds[0]].of(told[kinds[0]], art.tensors(kinds[0])) if kinds else None
            made = cls(rule, rates, ask=ask, span=(low, high), told=told["told"], sure=sure)
            made.picture = art.config.get("picture")
        except (ThenceError, UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, ArtifactError):
                raise
            raise ArtifactError(f"inconsistent policy: {error}", where=folder) from error
        made._version = version(folder)
        return made

    def __repr__(self) -> str:
        """One line: what it is best for."""
        goal = f"{self.told.get('target', '?')} at {self.told.get('bound', '?')}"
        return f"Policy({goal}, {'asks' if self.ask < 0 else 'never asks'})"


def asks_from(rule: Rule, sample: Sample, miss: float) -> float:
    """The margin, not above 0, from which on somebody is asked, so that as few as can be are.

    Args:
        rule: where to act.
        sample: cases with positive ones among them.
        miss: share of the positives that may be held without asking.
    """
    margin = np.sort(rule.margin(sample.score, sample.uncertainty)[sample.label])
    held = min(int(miss * len(margin) * (1 + SLACK)), len(margin) - 1)
    return min(float(margin[held]), 0.0)


def _told(value: float) -> float | None:
    """A number as JSON can hold it."""
    return value if np.isfinite(value) else None
