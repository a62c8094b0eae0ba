"""The report of rules on a test sample: figures, what the page shows, and the page."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thence.base.errors import ConfigError
from thence.decide.calibrate.reliability import Reliability, reliability
from thence.decide.report.abstain import Abstention, abstention
from thence.decide.report.heat import Heat, heat
from thence.decide.report.outline import Path, outline
from thence.decide.report.segments import segment_rows
from thence.decide.report.sign import EqualScore, equal_score
from thence.decide.report.sweep import Sweep, matched_gains
from thence.decide.rule import Outcome, Rule, Surface, outcome
from thence.decide.sample import Sample
from thence.evaluate.bootstrap import Interval

STEPS = 100


@dataclass(frozen=True, eq=False, repr=False)
class DecisionReport:
    """What rules do to a test sample; make it with :func:`decision_report`.

    Args:
        sample: the cases.
        outcomes: by rule.
        gains: by rule, recall over that of one threshold at the same realised precision.
        chosen: the rule that the page is about.
        single: the rule that it is compared with.
        heat: rates and counts.
        boundaries: of ``chosen`` and ``single``, paths ``(x, y)`` among the cells, in cells.
        sweeps: ``score``, and ``rate`` where a surface is known.
        table: reliability of the rates, or of scores that are probabilities; None otherwise.
        sign: positivity by uncertainty at equal score.
        abstention: by rule, of ``chosen`` and ``single``.
        segments: recall gained and lost.
        info: facts to print.
    """

    sample: Sample
    outcomes: Mapping[str, Outcome]
    gains: Mapping[str, Interval]
    chosen: str
    single: str
    heat: Heat
    boundaries: Mapping[str, list[Path]]
    sweeps: Mapping[str, Sweep]
    table: Reliability | None
    sign: EqualScore
    abstention: Mapping[str, Abstention]
    segments: list[dict[str, Any]]
    info: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """One line."""
        return f"DecisionReport({len(self.outcomes)} rules on {self.sample!r})"

    def figures(self) -> dict[str, float]:
        """Flat names and numbers; those that are not defined are left out.

        ``RULE.{recall, precision, share}``, ``RULE.recall_gain`` with ``.low`` and ``.high``, ``RULE.aurc``,
        ``ece``, ``ece.level_I``, ``sign.group_I.{score, first, last, z}`` and ``sign.kept`` (of the groups in
        which the difference is beyond 2 standard errors, the share that has the sign that the rule foresees).
        """
        found: dict[str, float] = {"cases": len(self.sample), "positives": self.sample.positives}
        for name, one in self.outcomes.items():
            found |= {f"{name}.{what}": getattr(one, what) for what in ("recall", "precision", "share")}
            gain = self.gains[name]
            found |= {f"{name}.recall_gain": gain.value}
            found |= {f"{name}.recall_gain.low": gain.low, f"{name}.recall_gain.high": gain.high}
        found |= {f"{name}.aurc": curve.area for name, curve in self.abstention.items()}
        if self.table is not None:
            found["ece"] = self.table.ece
            found |= {f"ece.level_{at}": float(value) for at, value in enumerate(self.table.level_ece)}
        for at, score in enumerate(self.sign.score):
            rate = self.sign.rate[at]
            named = {"score": score, "first": rate[0], "last": rate[-1], "z": self.sign.errors[at]}
            found |= {f"sign.group_{at}.{what}": float(value) for what, value in named.items()}
        clear = np.abs(self.sign.errors) > 2
        if clear.any():
            agrees = np.sign(self.sign.errors) == self.sign.expected
            found["sign.kept"] = float(agrees[clear].mean())
        return {name: float(value) for name, value in found.items() if np.isfinite(value)}

    def slider(self) -> list[dict[str, Any]]:
        """What each bound of precision allows, from the base rate to 1: one entry a step."""
        base = self.sample.positives / len(self.sample)
        bounds = np.unique(np.round(np.linspace(base, 1.0, STEPS + 1), 4))
        return [
            {"precision": float(bound)} | {name: sweep.at(float(bound)) for name, sweep in self.sweeps.items()}
            for bound in bounds
        ]

    def data(self) -> dict[str, Any]:
        """Everything that the page shows, ready for JSON."""
        return {
            "figures": self.figures(),
            "chosen": self.chosen,
            "single": self.single,
            "heat": self.heat.data(),
            "boundaries": dict(self.boundaries),
            "precision_recall": self.slider(),
            "reliability": None if self.table is None else _table(self.table),
            "equal_score": {"base": self.sign.base, "groups": self.sign.data()},
            "segments": self.segments,
            "abstention": {name: curve.data() for name, curve in self.abstention.items()},
            "info": {name: str(value) for name, value in self.info.items()},
        }

    def save_html(self, path: str | pathlib.Path) -> pathlib.Path:
        """Write one self-contained page: no font, picture or script from elsewhere; it opens from a file."""
        from thence.decide.report.page import page

        target = pathlib.Path(path)
        target.write_text(page(self), encoding="utf-8")
        return target


def decision_report(
    sample: Sample,
    rules: Mapping[str, Rule],
    *,
    chosen: str | None = None,
    single: str = "single",
    surface: Surface | None = None,
    segments: Mapping[str, ArrayLike] | None = None,
    base_rate: float | None = None,
    info: Mapping[str, Any] | None = None,
) -> DecisionReport:
    """Judge rules on cases that they were not chosen on.

    Args:
        sample: test cases of both classes.
        rules: by name; one of them a single threshold of the score.
        chosen: which the page is about; the first that is not ``single`` where not given.
        single: which it is compared with.
        surface: rates over score and uncertainty; that of the chosen rule where it has one.
        segments: columns ``[n]`` of values by name, such as the shop or the country.
        base_rate: of positives in training; that of the sample where not given.
        info: ``title`` and other facts by name.

    Raises:
        DataError: the sample has one class, or a column of segments does not fit.
        ConfigError: a rule that is named is not there.

    Example:
        >>> from thence.decide.rule import Thresholds
        >>> score, unsure = np.tile(np.arange(50) / 50, 20), np.repeat(np.arange(20.0), 50)
        >>> label = (score > 0.5) & (unsure < 10) | (score > 0.9)
        >>> one = Thresholds(np.empty(0), np.array([0.92]))
        >>> two = Thresholds(np.array([10.0]), np.array([0.52, 0.92]))
        >>> report = decision_report(Sample.make(score, unsure, label), {"single": one, "two": two})
        >>> report.chosen, report.figures()["two.recall"], report.figures()["two.recall_gain"].__round__(2)
        ('two', 1.0, 3.5)
    """
    sample.both_classes()
    chosen = chosen or next((name for name in rules if name != single), single)
    for name in (chosen, single):
        if name not in rules:
            raise ConfigError(f"no rule {name!r} among {', '.join(rules) or 'none'}", fix="Name one that is.")
    surface = surface if surface is not None else getattr(rules[chosen], "surface", None)
    rate = None if surface is None else surface.rate(sample.score, sample.uncertainty)
    told = rate if rate is not None else sample.score if _are_rates(sample.score) else None
    both = {name: rules[name] for name in dict.fromkeys((chosen, single))}
    act = {name: rule.act(sample.score, sample.uncertainty) for name, rule in both.items()}
    cells = heat(sample)
    base = sample.positives / len(sample) if base_rate is None else base_rate
    sweeps = {"score": Sweep.of(sample.score, sample.label)}
    return DecisionReport(
        sample,
        {name: outcome(rule, sample) for name, rule in rules.items()},
        matched_gains(sample, rules),
        chosen,
        single,
        cells,
        {name: outline(cells.acts(rule), cells.count.shape) for name, rule in both.items()},
        sweeps if rate is None else sweeps | {"rate": Sweep.of(rate, sample.label)},
        None if told is None else reliability(told, sample.uncertainty, sample.label),
        equal_score(sample, base),
        {name: abstention(sample, rule) for name, rule in both.items()},
        segment_rows(sample, act[chosen], act[single], segments),
        dict(info or {}),
    )


def _are_rates(score: np.ndarray) -> bool:
    return bool(score.min() >= 0 and score.max() <= 1)


def _table(table: Reliability) -> dict[str, Any]:
    columns = ("level", "count", "rate", "seen", "low", "high", "cuts", "level_ece")
    return {"ece": table.ece} | {name: getattr(table, name).tolist() for name in columns}
