"""``thence conversion``: models of whether an exposure will convert, on labels that are still changing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from thence.cli.console import emit, show
from thence.cli.exposures import alone, kinds_of, numeric_of, opened_exposures
from thence.cli.options import Into, JsonFlag
from thence.cli.progress import progress_shown

if TYPE_CHECKING:
    import numpy as np

    from thence.conversion.estimator import Estimator
    from thence.conversion.exposures import Exposures
    from thence.conversion.model import ConversionModel
    from thence.evaluate.conversion.predictions import Streamed
    from thence.evaluate.conversion.report import ConversionReport

FIT_EXAMPLE = "Example:  thence conversion fit clicks.parquet --window-days 30 --into runs/clicks/model"
JUDGE_EXAMPLE = "Example:  thence conversion judge runs/clicks/model later.parquet"
STREAM_EXAMPLE = "Example:  thence conversion stream clicks.parquet --window-days 30 --into runs/clicks/stream"
EVALUATE_EXAMPLE = (
    "Example:  thence conversion evaluate runs/clicks/stream clicks.parquet --into runs/clicks/report"
)
SCORE_EXAMPLE = "Example:  thence conversion score runs/clicks/model today.parquet --into scored.parquet"
BOUNDS = ("pretrained", "oracle")
USUAL = ("naive", "wait", "es_dfm", "es_dfm_exact", "ours")

app = typer.Typer(
    name="conversion",
    help="Whether an exposure will convert, learned while labels are still changing.",
    no_args_is_help=True,
)

Source = Annotated[Path, typer.Argument(help="Exposures in a Parquet file, or a log that thence ingest wrote.")]
WindowDays = Annotated[
    float | None,
    typer.Option(min=1e-6, help="Attribution window; not needed for a file that thence wrote."),
]
Until = Annotated[str | None, typer.Option(help="When the log ends; after its last time when left out.")]
Numeric = Annotated[
    list[str] | None, typer.Option(help="A column of whole numbers that counts; repeat it for several.")
]
Exposure = Annotated[str, typer.Option(help="Of a log: the event that is an exposure.")]
Conversion = Annotated[str, typer.Option(help="Of a log: the event that converts it.")]
WaitHours = Annotated[float, typer.Option(min=0.0, help="Waiting time of the estimators that label after one.")]
Net = Annotated[Literal["logistic", "mlp", "dcn"], typer.Option(help="The shape of the network.")]
Batch = Annotated[int, typer.Option(min=1, help="Rows a step.")]
Rate = Annotated[float, typer.Option(help="Learning rate.")]
Group = Annotated[
    str | None, typer.Option(help="Column whose values have an age; the first category when left out.")
]
Segment = Annotated[str | None, typer.Option(help="Column by whose values calibration is shown.")]


@app.command(epilog=FIT_EXAMPLE)
def fit(
    source: Source,
    into: Into,
    window_days: WindowDays = None,
    until: Until = None,
    at: Annotated[str | None, typer.Option(help="The clock: nothing after it is learned.")] = None,
    after: Annotated[
        Path | None, typer.Option("--from", help="An earlier model, which learns what has come since.")
    ] = None,
    estimator: Annotated[str | None, typer.Option(help="How to learn from open labels.")] = None,
    numeric: Numeric = None,
    exposure: Exposure = "click",
    conversion: Conversion = "purchase",
    wait_hours: WaitHours = 1.0,
    net: Net = "mlp",
    batch_size: Batch = 1024,
    learning_rate: Rate = 1e-3,
    passes: Annotated[int, typer.Option(min=1, help="Over the rows that are there.")] = 2,
    seed: int = 0,
    as_json: JsonFlag = False,
) -> None:
    """Fit a model on exposures, or refresh an earlier one, and save it."""
    from thence.conversion.learn import LearnConfig
    from thence.conversion.model import ConversionModel
    from thence.conversion.net import NetConfig
    from thence.events.clock import HOUR, iso

    model = ConversionModel.load(after) if after is not None else None
    if model is not None and window_days is None:
        window_days = model.window / (24 * HOUR)
    exposures = opened_exposures(source, window_days, until, numeric, (exposure, conversion))
    if model is not None:
        model.partial_fit(exposures, at or exposures.until)
    else:
        model = ConversionModel(
            estimator or "ours",
            wait=round(wait_hours * HOUR),
            net=NetConfig(net),
            learn=LearnConfig(batch_size, learning_rate, passes=passes),
            kinds=kinds_of(source, exposures),
            seed=seed,
        )
        with progress_shown() as progress:
            model.fit(exposures, at, progress=progress)
    judged = _judge(model, exposures)
    model.save(into)
    if as_json:
        told = {"estimator": model.estimator, "version": model.version, "known_until": iso(model.clock)}
        emit({"into": into, **told, "label_age_days": model.label_age / (24 * HOUR), "figures": model.figures})
    else:
        show(judged)
        show(f"{into}: {model!r}, version {model.version}")


@app.command(epilog=JUDGE_EXAMPLE)
def judge(
    model: Annotated[
        Path, typer.Argument(help="What thence conversion fit wrote; the figures are kept in it.")
    ],
    source: Source,
    at: Annotated[str | None, typer.Option(help="Until when labels are known; the end when left out.")] = None,
    until: Until = None,
    exposure: Exposure = "click",
    conversion: Conversion = "purchase",
    as_json: JsonFlag = False,
) -> None:
    """Judge a model by exposures that came after its clock, and keep the figures for its page."""
    from thence.conversion.model import ConversionModel
    from thence.evaluate.conversion.later import judge_later
    from thence.events.clock import DAY

    opened = ConversionModel.load(alone(model))
    numeric = numeric_of(opened, source)
    exposures = opened_exposures(source, opened.window / DAY, until, numeric, (exposure, conversion))
    opened.figures = judge_later(opened, exposures, at)
    opened.save(model)
    if as_json:
        emit({"into": model, "version": opened.version, "figures": opened.figures})
    else:
        show(_judgement(opened.figures))


@app.command(epilog=STREAM_EXAMPLE)
def stream(
    source: Source,
    into: Annotated[Path, typer.Option("--into", help="Folder for predictions and report.")],
    window_days: WindowDays = None,
    until: Until = None,
    start: Annotated[str | None, typer.Option(help="When the stream begins.")] = None,
    step_hours: Annotated[float | None, typer.Option(help="From one refresh to the next.")] = None,
    end: Annotated[str | None, typer.Option(help="When it ends; where labels end when left out.")] = None,
    method: Annotated[
        list[str] | None,
        typer.Option("--method", help="An estimator, repeat it for several; the usual ones when left out."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds.")] = 5,
    numeric: Numeric = None,
    exposure: Exposure = "click",
    conversion: Conversion = "purchase",
    wait_hours: WaitHours = 1.0,
    net: Net = "mlp",
    batch_size: Batch = 256,
    learning_rate: Rate = 1e-3,
    visits: Annotated[
        float, typer.Option(min=0.01, help="Gradient rows a refresh per exposure, the same for all.")
    ] = 1.0,
    group: Group = None,
    segment: Segment = None,
    as_json: JsonFlag = False,
) -> None:
    """Let estimators learn block by block and predict the next; write predictions and a report.

    An interrupted command goes on where it stopped, with the same result to the byte.
    """
    import shutil

    from thence.conversion.learn import LearnConfig
    from thence.conversion.net import NetConfig
    from thence.conversion.resume import fingerprint
    from thence.evaluate.conversion.predictions import Streamed
    from thence.events.clock import HOUR

    exposures = opened_exposures(source, window_days, until, numeric, (exposure, conversion))
    learn = LearnConfig(batch_size, learning_rate, visits=visits)
    config = _laid_out(exposures, start, step_hours, end, {"net": NetConfig(net), "learn": learn})
    names = _methods(method)
    columns = _columns(exposures, group, segment)  # a wrong name is told before hours of work
    runs = {
        name: [_run(exposures, name, config, seed, round(wait_hours * HOUR), into) for seed in range(seeds)]
        for name in names
    }
    made = Streamed(runs, config.start, config.step, fingerprint(exposures), exposures.window)
    made.save(into / "predictions")
    report = _judged(made, exposures, columns, source)
    report.save(into / "report")
    shutil.rmtree(into / "checkpoints", ignore_errors=True)  # the stream is done
    _tell(report, into / "report", as_json)


@app.command(epilog=EVALUATE_EXAMPLE)
def evaluate(
    predictions: Annotated[Path, typer.Argument(help="What thence conversion stream wrote.")],
    source: Source,
    into: Into,
    window_days: WindowDays = None,
    until: Until = None,
    numeric: Numeric = None,
    exposure: Exposure = "click",
    conversion: Conversion = "purchase",
    group: Group = None,
    segment: Segment = None,
    as_json: JsonFlag = False,
) -> None:
    """Judge the predictions of a stream by final labels, and write the report."""
    from thence.base.errors import DataError
    from thence.conversion.resume import fingerprint
    from thence.evaluate.conversion.predictions import Streamed
    from thence.events.clock import DAY

    inside = predictions / "predictions"
    made = Streamed.load(inside if inside.is_dir() else predictions)
    days = made.window / DAY if window_days is None and made.window else window_days
    exposures = opened_exposures(source, days, until, numeric, (exposure, conversion))
    if made.of != fingerprint(exposures):
        raise DataError(
            "these are not the exposures that were predicted",
            where=source,
            fix="Give the same file, window and end of the log as to thence conversion stream.",
        )
    report = _judged(made, exposures, _columns(exposures, group, segment), source)
    report.save(into)
    _tell(report, into, as_json)


@app.command(epilog=SCORE_EXAMPLE)
def score(
    model: Annotated[Path, typer.Argument(help="What thence conversion fit wrote.")],
    table: Annotated[Path, typer.Argument(help="Parquet with the columns that the model was fitted on.")],
    into: Annotated[Path, typer.Option("--into", help="Parquet file to write.")],
    as_json: JsonFlag = False,
) -> None:
    """Append the probability of a conversion to a table, row by row."""
    from thence.conversion.model import ConversionModel
    from thence.conversion.score import score_table

    opened = ConversionModel.load(model)
    rows, total = score_table(opened, table, into)
    mean = total / rows if rows else None
    if as_json:
        emit({"into": into, "rows": rows, "mean": mean, "version": opened.version})
    else:
        told = "" if mean is None else f", mean probability {mean:.4f}"
        show(f"{into}: {rows:,} rows scored by version {opened.version}{told}")


def _judge(model: ConversionModel, exposures: Exposures) -> str:
    """Judge a new model by what came after its clock, where there is anything; what to say of it."""
    from thence.base.errors import DataError
    from thence.evaluate.conversion.later import judge_later

    try:
        model.figures = judge_later(model, exposures)
    except DataError:  # the clock is at the end of the log, or less than a window before it
        return (
            "not judged: no exposure after the clock has a final label; thence conversion judge does it later"
        )
    return _judgement(model.figures)


def _judgement(found: Mapping[str, Any]) -> str:
    ratio = "nothing to compare" if found["calibration"] is None else f"{found['calibration']:.3f}"
    return (
        f"judged by {found['exposures']:,} exposures that it never saw, {found['conversions']:,} of which "
        f"converted: predicted / converted {ratio}, NLL {found['nll']:.4f}"
    )


def _methods(asked: list[str] | None) -> list[str]:
    """The bounds, and what was asked for."""
    from thence.base.errors import ConfigError, nearest
    from thence.conversion.delayed import ESTIMATORS

    for name in asked or ():
        if name not in ESTIMATORS and name not in BOUNDS:
            raise ConfigError(f"no estimator is called {name!r}", fix=nearest(name, ESTIMATORS))
    wanted = asked or USUAL
    return list(dict.fromkeys([*BOUNDS, *wanted]))


def _laid_out(
    exposures: Exposures, start: str | None, step_hours: float | None, end: str | None, learning: dict[str, Any]
) -> Any:
    """When the stream begins, steps and ends."""
    from dataclasses import replace

    from thence.conversion.stream import StreamConfig
    from thence.events.clock import HOUR, micros

    usual = StreamConfig.laid_out(exposures)
    given = {"start": micros(start)} if start else {}
    given |= {"end": micros(end) if end else None} if end or start or step_hours else {}
    given |= {"step": round(step_hours * HOUR)} if step_hours is not None else {}
    return replace(usual, **given, **learning)


def _run(exposures: Exposures, name: str, config: Any, seed: int, wait: int, into: Path) -> Any:
    """Run one estimator with one seed; it stops in and goes on from a folder of its own."""
    import time
    from dataclasses import replace

    from thence.conversion.stream import run_stream

    begun = time.process_time()
    with progress_shown() as progress:
        made = run_stream(
            exposures,
            _estimator(name, exposures, wait),
            replace(config, seed=seed),
            checkpoint=into / "checkpoints" / f"{name}-{seed}",
            progress=lambda task, done, total: progress(f"{name}, seed {seed}", done, total),
        )
    return replace(made, told=made.told | {"seconds": time.process_time() - begun})


def _estimator(name: str, exposures: Exposures, wait: int) -> Estimator:
    from thence.conversion.delayed import Oracle, Protocol, make
    from thence.conversion.delayed.settle import Pretrained

    if name == "oracle":
        return Oracle(exposures)
    return Pretrained() if name == "pretrained" else make(name, Protocol(wait, exposures.window))


def _columns(exposures: Exposures, group: str | None, segment: str | None) -> dict[str, np.ndarray | None]:
    """Codes of the columns that ages and segments are told by."""
    from thence.base.errors import ConfigError, nearest

    features = exposures.features
    names = features.names[: len(features.buckets)]
    for name in (group, segment):
        if name is not None and name not in names:
            raise ConfigError(f"no column of categories is called {name!r}", fix=nearest(name, names))
    first = group or (names[0] if names else None)
    chosen = {"group": first, "segment": segment}
    return {
        what: None if name is None else features.codes[:, names.index(name)] for what, name in chosen.items()
    }


def _judged(
    made: Streamed, exposures: Exposures, columns: Mapping[str, np.ndarray | None], source: Path
) -> ConversionReport:
    from thence.evaluate.conversion import ConversionReport, Standing, judge
    from thence.evaluate.conversion.report import delay_curve
    from thence.events.clock import DAY

    runs = {
        name: [
            judge(exposures, one, config=made.config, group=columns["group"], segment=columns["segment"])
            for one in each
        ]
        for name, each in made.runs.items()
    }
    info = {
        "title": source.stem.replace("_", " "),
        "exposures": len(exposures),
        "window, days": exposures.window / DAY,
        "a block, days": made.step / DAY,
        "seeds": max(len(each) for each in made.runs.values()),
        "delays": delay_curve(exposures),
    }
    return ConversionReport(Standing(runs), info)


def _tell(report: ConversionReport, into: Path, as_json: bool) -> None:
    from thence.evaluate.conversion.page import cautions, verdict

    standing = report.standing
    if as_json:
        emit({"report": into, "figures": standing.flat(), "cautions": cautions(standing)})
        return
    names = ("AUC", "PRAUC", "NLL", "ECE", "RI_AUC", "RI_NLL", "calibration")
    flat = standing.flat()
    show(f"{'':<14}" + "".join(f"{name:>12}" for name in names))
    for method in sorted(standing.methods, key=lambda name: flat.get(f"{name}.NLL", 9.0)):
        cells = (flat.get(f"{method}.{name}") for name in names)
        show(f"{method:<14}" + "".join(f"{'-' if cell is None else f'{cell:.4f}':>12}" for cell in cells))
    show(verdict(standing))
    for text in cautions(standing):
        show(text)
    show(f"{into / 'report.html'}")
