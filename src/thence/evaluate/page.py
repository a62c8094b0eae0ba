"""The report as one self-contained HTML page, for light and for dark screens."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from thence.evaluate import html
from thence.evaluate.plots import beyond_plot, degree_plot, headline_plot
from thence.evaluate.report import ALL, Report
from thence.evaluate.words import NAMES, NOT_RANKED, against, definitions, losses, verdict

SHOWN_INFO = ("headline", "counts", "slices", "buckets", "settings", "protocol", "title", "seed")


def page(report: Report) -> str:
    """The page as a string.

    Example:
        >>> from thence.evaluate.report import Figure
        >>> html = page(Report((Figure("ours", "HR@10", 0.03),), info={"title": "Groceries"}))
        >>> html.startswith("<!doctype html>"), "Groceries" in html, "<script" in html
        (True, True, False)
    """
    title = str(report.info.get("title", "Evaluation"))
    lost = losses(report)
    body = [
        f"<header><p class='brand'>thence</p><h1>{escape(title)}</h1>",
        f"<p class='verdict'>{escape(verdict(report))}</p>",
        f"<p class='losses'>{escape(lost)}</p>" if lost else "",
        f"{_facts(report)}</header>",
        _headline(report),
        html.picture(headline_plot(report), f"{report.headline} of each method, with its interval."),
        html.picture(degree_plot(report), _degree_caption(report)),
        _slices(report),
        _direction(report),
        _beyond(report),
        _definitions(report),
    ]
    return html.document(title, body)


def _facts(report: Report) -> str:
    """What was measured on: the caller's facts, then counts."""
    facts = {name: value for name, value in report.info.items() if name not in SHOWN_INFO}
    facts |= dict(report.info.get("protocol", {})) | dict(report.info.get("counts", {}))
    return html.facts({str(name): _plain(value) for name, value in facts.items()})


def _headline(report: Report) -> str:
    metrics = [name for name in report.metrics() if "@" in name]
    k = report.headline.partition("@")[2]
    wanted = [m for m in metrics if m.startswith("HR@")] + [f"{name}@{k}" for name in ("MRR", "NDCG", "Recall")]
    columns = [(name, name, ALL) for name in wanted if name in metrics]
    note = "The best of each column stands out; the interval stands below each figure."
    drawn = _table(report, columns, gap=True)
    return f"<section><h2>Who finds what comes next</h2>{drawn}<p class='note'>{note}</p></section>"


def _slices(report: Report) -> str:
    found: Mapping[str, Any] = report.info.get("slices", {})
    columns = [(NAMES.get(name, name), report.headline, name) for name in found]
    if not columns:
        return ""
    notes = "; ".join(
        f"{NAMES.get(name, name)}: {part['what']}, {part['cases']:,} cases" for name, part in found.items()
    )
    return (
        f"<section><h2>{escape(report.headline)} where averages hide it</h2>{_table(report, columns)}"
        f"<p class='note'>{escape(notes)}.</p></section>"
    )


def _direction(report: Report) -> str:
    names = (
        "existence_auc",
        "direction_auc",
        "direction_auc_paired",
        "direction_auc_matched",
        "direction_gain",
    )
    columns = [(NAMES[name], name, ALL) for name in names if name in report.metrics()]
    if not columns:
        return ""
    note = "In-degree knows no direction, so what it reaches is the mark; a gain of 0 is a model that counts."
    return (
        f"<section><h2>Which way the arc points</h2>{_table(report, columns)}"
        f"<p class='note'>{note}</p></section>"
    )


def _beyond(report: Report) -> str:
    names = ("coverage", "popularity_bias", "gini")
    columns = [(NAMES[name], name, ALL) for name in names if name in report.metrics()]
    if not columns:
        return ""
    k = report.headline.partition("@")[2]
    caption = f"Each dot is a method, judged by the first {k} of every list. Up and left is wider and fairer."
    return (
        f"<section><h2>Beyond accuracy</h2>{html.picture(beyond_plot(report), caption)}"
        f"{_table(report, columns)}</section>"
    )


def _definitions(report: Report) -> str:
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in definitions(report))
    settings = {**report.info.get("settings", {})}
    if "seed" in report.info:
        settings["seed"] = report.info["seed"]
    how = ", ".join(f"{name} {_plain(value)}" for name, value in settings.items())
    foot = f"<p class='note'>Settings: {escape(how)}.</p>" if how else ""
    return f"<section><h2>How each figure is defined</h2><dl class='terms'>{items}</dl>{foot}</section>"


def _table(report: Report, columns: Iterable[tuple[str, str, str]], *, gap: bool = False) -> str:
    """Methods down, (heading, metric, slice) across; the best of a column is marked."""
    columns = list(columns)
    heads = "".join(f"<th scope='col'>{escape(heading)}</th>" for heading, _, _ in columns)
    gap = gap and bool(report.baselines)
    heads += "<th scope='col'>against the best baseline</th>" if gap else ""
    rows = []
    for method in report.methods:
        tag = " <small class='tag'>baseline</small>" if method in report.baselines else ""
        cells = "".join(_cell(report, method, metric, part) for _, metric, part in columns)
        cells += _gap(report, method) if gap else ""
        rows.append(f"<tr><th scope='row'>{escape(method)}{tag}</th>{cells}</tr>")
    return (
        f"<div class='scroll'><table><thead><tr><th scope='col'>method</th>{heads}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cell(report: Report, method: str, metric: str, part: str) -> str:
    figure = report.best(metric, part, [method])
    if figure is None:
        return "<td class='none'>–</td>"
    best = report.best(metric, part)
    first = best is not None and figure.value == best.value and metric not in NOT_RANKED
    sign = "+" if metric == "direction_gain" and figure.value else ""
    value = f"{figure.value:{sign}.4f}".replace("-", "−")
    ends = "" if math.isnan(figure.low) else f"<small>{figure.low:.4f} – {figure.high:.4f}</small>"
    return f"<td{' class=best' if first else ''}>{value}{ends}</td>"


def _gap(report: Report, method: str) -> str:
    value, _, ends = against(report, method).partition(" (")
    small = f"<small>{escape(ends.rstrip(')'))}</small>" if ends else ""
    return f"<td class='gap'>{escape(value)}{small}</td>"


def _degree_caption(report: Report) -> str:
    buckets = report.info.get("buckets", ())
    counts = ", ".join(f"{bucket['queries']:,}" for bucket in buckets)
    return (
        f"{report.headline} by how much was known of the query. Each bucket holds about as many queries "
        f"({counts}). Bands are intervals of the best learned method and of the best plain baseline."
    )


def _plain(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return "–" if value is None else "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return " / ".join(_plain(item) for item in value)
    return str(value)
