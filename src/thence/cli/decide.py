"""``thence decide``: where to act on scores, given how sure the model is of each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thence.cli.console import emit, say, show
from thence.cli.decide_cases import cases_of, check_refused, exposed, known, model_of
from thence.cli.options import Into, JsonFlag

if TYPE_CHECKING:
    from thence.decide.estimator import DecisionBoundary
    from thence.decide.fitting import Fitted
    from thence.decide.policy import Policy
    from thence.decide.report import DecisionReport
    from thence.decide.rule import Outcome
    from thence.decide.sample import Sample

FIT_EXAMPLE = "Example:  thence decide fit scores.parquet --precision 0.9 --into runs/policy"
EVALUATE_EXAMPLE = "Example:  thence decide evaluate runs/policy later.parquet --report runs/policy.html"
APPLY_EXAMPLE = "Example:  thence decide apply runs/policy today.parquet --into decided.parquet"

app = typer.Typer(
    name="decide",
    help="Where to act on a score: one threshold for each level of how sure the model is.",
    no_args_is_help=True,
)

Source = Annotated[
    Path,
    typer.Argument(
        help="Parquet or CSV with a score, perhaps an uncertainty, and a label; exposures with --model."
    ),
]
Saved = Annotated[Path, typer.Argument(help="What thence decide fit wrote.")]
Score = Annotated[str | None, typer.Option(help="Column of scores; score when left out.")]
Uncertainty = Annotated[
    str | None, typer.Option(help="Column of uncertainties; uncertainty, where it is there, when left out.")
]
Label = Annotated[str | None, typer.Option(help="Column of labels, 0 or 1; label when left out.")]
Model = Annotated[
    Path | None, typer.Option(help="A saved conversion model, which scores exposures that it never saw.")
]
At = Annotated[
    str | None, typer.Option(help="Of exposures: the clock; labels that are open then do not count.")
]
Exposure = Annotated[str, typer.Option(help="Of a log: the event that is an exposure.")]
Conversion = Annotated[str, typer.Option(help="Of a log: the event that converts it.")]
MaxReject = Annotated[
    float | None, typer.Option(min=0, max=1, help="Exit with 3 when a larger share of rows is refused.")
]
Target = Annotated[str, typer.Option(help="What is to be best: recall, precision, cost or budget.")]
Precision = Annotated[float | None, typer.Option(help="Least precision, for recall.")]
Recall = Annotated[float | None, typer.Option(help="Least recall, for precision.")]
Price = Annotated[float | None, typer.Option(help="Of a wrong act, a missed positive being 1.")]
Share = Annotated[float | None, typer.Option(help="Largest share of cases acted on, for budget.")]
Method = Annotated[str, typer.Option(help="How the boundary is found; single is one threshold.")]
Confidence = Annotated[
    float | None, typer.Option(help="With which the bound shall hold on new cases, such as 0.95.")
]
Miss = Annotated[float | None, typer.Option(help="Share of the positives that may be held without asking.")]
Holdout = Annotated[float, typer.Option(help="Share of the cases that judge the boundary.")]
Unsure = Annotated[
    str | None,
    typer.Option(
        help="Column of uncertainties; uncertainty, where it is there, when left out. "
        "With --model: evidence (counts, when left out) or laplace (on the model's last layer)."
    ),
]
Counted = Annotated[
    list[str] | None,
    typer.Option(help="Of exposures: a category whose examples are counted; repeat it; all when left out."),
]


@app.command(epilog=FIT_EXAMPLE)
def fit(
    source: Source,
    into: Into,
    target: Target = "recall",
    precision: Precision = None,
    recall: Recall = None,
    cost: Price = None,
    share: Share = None,
    method: Method = "ours",
    confidence: Confidence = None,
    miss: Miss = None,
    holdout: Holdout = 0.3,
    score: Score = None,
    uncertainty: Unsure = None,
    label: Label = None,
    model: Model = None,
    at: At = None,
    evidence: Counted = None,
    exposure: Exposure = "click",
    conversion: Conversion = "purchase",
    max_reject: MaxReject = None,
    seed: int = 0,
    as_json: JsonFlag = False,
) -> None:
    """Fit a boundary, judge it beside one threshold on cases held out, and save it as a policy."""
    bounds = {"precision": precision, "recall": recall, "cost": cost, "share": share}
    boundary = _boundary(target, bounds, method, confidence, seed)
    from thence.decide.fitting import fit_policy

    events = exposure, conversion
    if model is None:
        cases = cases_of(source, {"score": score, "uncertainty": uncertainty, "label": label}, max_reject)
    else:
        cases = exposed(source, model, at, events, kind=uncertainty or "evidence", columns=evidence)
    made = fit_policy(
        cases.sample,
        boundary,
        holdout=holdout,
        later=model is not None,
        miss=miss,
        told=cases.told,
        sure=cases.sure,
        frontier=True,
    )
    made.policy.save(into)
    if as_json:
        emit({"into": into, "version": made.policy.version, **_figures(made), "told": made.policy.told})
    else:
        _tell(made, into)


@app.command(epilog=EVALUATE_EXAMPLE)
def evaluate(
    policy: Saved,
    source: Source,
    report: Annotated[Path | None, typer.Option(help="HTML page to write.")] = None,
    segment: Annotated[
        list[str] | None, typer.Option(help="Column by whose values gains are shown; repeat it for several.")
    ] = None,
    score: Score = None,
    uncertainty: Uncertainty = None,
    label: Label = None,
    model: Model = None,
    at: At = None,
    exposure: Exposure = "click",
    conversion: Conversion = "purchase",
    max_reject: MaxReject = None,
    as_json: JsonFlag = False,
) -> None:
    """Judge a policy beside one threshold on other labelled cases, and show it on a page."""
    from thence.decide.fitting import rules_of
    from thence.decide.policy import Policy
    from thence.decide.report import decision_report
    from thence.decide.rule import Above

    opened = Policy.load(policy)
    if model is None:
        asked = {"score": score, "uncertainty": uncertainty, "label": label}
        cases = cases_of(source, asked, max_reject, opened, segment or ())
    else:
        cases = exposed(source, model, at, (exposure, conversion), opened, segments=segment or ())
    rules = rules_of(opened)
    made = decision_report(
        cases.sample,
        rules,
        chosen=next(iter(rules)),
        surface=None if isinstance(opened.rule, Above) else opened.rates,
        segments=cases.segments,
        base_rate=opened.told.get("base_rate"),
        info={"title": source.stem.replace("_", " "), "policy": opened.version, "cases": len(cases.sample)},
    )
    if report is not None:
        _save(made, report)
    actions = _actions(opened, cases.sample)
    if as_json:
        emit({"report": report, "version": opened.version, "actions": actions, "figures": made.figures()})
    else:
        _tell_report(made, actions, report)


@app.command(epilog=APPLY_EXAMPLE)
def apply(
    policy: Saved,
    table: Annotated[
        Path, typer.Argument(help="Parquet or CSV with the scores; with --model, the columns of exposures.")
    ],
    into: Annotated[Path, typer.Option("--into", help="Parquet or CSV file to write.")],
    score: Score = None,
    uncertainty: Uncertainty = None,
    model: Model = None,
    max_reject: MaxReject = None,
    as_json: JsonFlag = False,
) -> None:
    """Append to each row what to do with it: act, ask or hold, at what rate, and why."""
    from thence.decide.applying import decide_table
    from thence.decide.policy import Policy
    from thence.decide.table import Columns

    opened = Policy.load(policy)
    if model is None:
        names = known(opened, {"score": score, "uncertainty": uncertainty})
        found = decide_table(opened, table, into, columns=Columns(names["score"], names["uncertainty"], None))
    else:
        found = decide_table(opened, table, into, model=model_of(model, opened))
    if found.refused.count:
        say(f"{table}: nothing is decided on {found.refused.count:,} rows: {found.refused}")
    if as_json:
        refused = {"read": found.refused.read, "refused": found.refused.count}
        emit({"into": into, "version": opened.version, **refused, "actions": found.actions})
    else:
        done = ", ".join(f"{name} {count:,}" for name, count in reversed(list(found.actions.items())))
        show(f"{into}: {done}; by policy {opened.version}")
    check_refused(found.refused, max_reject)


def _boundary(
    target: str, given: Mapping[str, float | None], method: str, confidence: float | None, seed: int
) -> DecisionBoundary:
    """A boundary to fit; a target without its bound is refused, and a bound that is another target's."""
    from thence.base.errors import ConfigError, nearest
    from thence.decide.goal import BOUNDS

    if target not in BOUNDS:
        raise ConfigError(f"no target {target!r}", fix=nearest(target, BOUNDS))
    wanted = BOUNDS[target]
    if given[wanted] is None:
        raise ConfigError(f"target {target!r} without its bound", fix=f"Give --{wanted}, such as 0.9.")
    for name, value in given.items():
        if value is not None and name != wanted:
            raise ConfigError(f"--{name} is no bound of target {target!r}", fix=f"Give --{wanted} alone.")
    from thence.decide.estimator import DecisionBoundary

    return DecisionBoundary(target, **given, method=method, confidence=confidence, seed=seed)


def _save(made: DecisionReport, report: Path) -> None:
    from thence.base.errors import DataError

    try:
        report.parent.mkdir(parents=True, exist_ok=True)
        made.save_html(report)
    except OSError as error:
        raise DataError(f"cannot be written: {error.strerror}", where=report) from error


def _actions(policy: Policy, sample: Sample) -> dict[str, int]:
    import numpy as np

    from thence.decide.policy import ACTIONS

    made = policy.actions(sample.score, sample.uncertainty)
    return dict(zip(ACTIONS, np.bincount(made, minlength=len(ACTIONS)).tolist(), strict=True))


def _figures(made: Fitted) -> dict[str, Any]:
    outcomes = {
        name: {what: getattr(one, what) for what in ("taken", "precision", "recall", "share")}
        for name, one in made.outcomes.items()
    }
    gain = {"value": made.gain.value, "low": made.gain.low, "high": made.gain.high}
    cases = {"fitted": made.fitted, "judged": made.outcomes[made.method].cases, "held_out": made.held_out}
    return {"cases": cases, "rules": outcomes, "recall_gain": gain, "why_not": made.policy.told["why_not"]}


def _table(outcomes: Mapping[str, Outcome]) -> None:
    show(f"{'':<14}{'acts on':>12}{'precision':>12}{'recall':>12}")
    for name, one in outcomes.items():
        named = "one threshold" if name == "single" else name
        show(f"{named:<14}{one.taken:>12,}{one.precision:>12.4f}{one.recall:>12.4f}")


def _gain(gain: Any, one: Outcome) -> str:
    if gain.value != gain.value:
        why = "no one threshold has that precision" if one.hits else "nothing positive is acted on"
        return f"recall over the best one threshold at equal precision: not defined, {why}"
    return (
        f"recall over the best one threshold at equal precision: {gain.value:.3f} "
        f"({gain.low:.3f} to {gain.high:.3f})"
    )


def _tell(made: Fitted, into: Path) -> None:
    told, one = made.policy.told, made.outcomes[made.method]
    judged = f"judged by {one.cases:,} others" if made.held_out else "judged by the same: hold some out"
    show(f"fitted to {made.fitted:,} cases, {judged}, {one.positives:,} of them positive")
    _table(made.outcomes)
    show(_gain(made.gain, one))
    show("uncertainty: used" if told["uses_uncertainty"] else f"uncertainty: not used; {told['why_not']}")
    if made.policy.span[0] == made.policy.span[1]:
        show(f"every score is {made.policy.span[0]:g}: all cases are acted on, or none")
    bound, held = told["bound"], {"recall": one.precision, "precision": one.recall}.get(told["target"])
    if told["confidence"] is not None:
        show(f"the bound of {bound:g} holds on new cases like these with confidence {told['confidence']:g}")
    elif held is not None and held < bound:
        show(
            f"the bound of {bound:g} is missed on them; --confidence 0.95 asks for one that holds on new cases"
        )
    show(f"{into}: {made.policy!r}, version {made.policy.version}")


def _tell_report(made: DecisionReport, actions: Mapping[str, int], page: Path | None) -> None:
    _table(made.outcomes)
    show(_gain(made.gains[made.chosen], made.outcomes[made.chosen]))
    if made.table is not None:
        show(f"rates: expected calibration error {made.table.ece:.4f}")
    show("decided: " + ", ".join(f"{name} {count:,}" for name, count in reversed(list(actions.items()))))
    if page is not None:
        show(str(page))
