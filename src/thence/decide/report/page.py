"""The page of decisions as one self-contained HTML document, for light and for dark screens."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from thence.decide.report.plots import abstention_plot, heat_map, reliability_plot, sign_plot
from thence.decide.report.slider import slider
from thence.evaluate import html
from thence.evaluate.bootstrap import Interval

if TYPE_CHECKING:
    from thence.decide.report.report import DecisionReport

CLEAR = 2.0
"""Standard errors from which a difference is called one."""
FEW = 100
TERMS = {
    "precision, recall": "Positives among the cases acted on; acted on among the positives.",
    "against one threshold": "Recall over that of the best single threshold of the score whose precision on "
    "these cases is at least the rule's own, with the 95 % interval of a bootstrap over cases. Above 1 "
    "uncertainty helped. The threshold is sought on the test cases themselves and so is judged kindly.",
    "ECE": "Expected calibration error: bins of equal mass, mean |rate told − share of positives|.",
    "equal score": "Scores are cut finely and levels of uncertainty made inside each cut, so that the levels "
    "compared have the same scores.",
    "wrong, missed": "Share of the acts that were wrong (1 − precision), and of all positives not acted on "
    "(1 − recall), when only the surest cases are decided and the rest are held.",
    "intervals": "Wilson, 95 %, of shares.",
}


def page(report: DecisionReport) -> str:
    """The page as a string."""
    title, one = str(report.info.get("title", "Decisions")), report.outcomes[report.chosen]
    rest = {str(name): str(value) for name, value in report.info.items() if name != "title"}
    counts = {"cases": f"{len(report.sample):,}", "positives": f"{report.sample.positives:,}"}
    marked = {name: report.outcomes[name] for name in dict.fromkeys((report.single, report.chosen))}
    sections = [
        f"<header><p class='brand'>thence</p><h1>{escape(title)}</h1>"
        f"<p class='verdict'>{escape(verdict(report))}</p>",
        "".join(f"<p class='losses'>{escape(text)}</p>" for text in cautions(report)),
        f"{html.facts(counts | rest)}</header>",
        _section("Every rule", _rules(report), "Realised on these cases."),
        _section(
            "Score and uncertainty",
            _wide(heat_map(report.heat, report.boundaries, report.chosen, report.single)),
            "Share of positives in each cell, and below it how many cases. A rule acts on the side of its line "
            "where scores are higher. Columns are cut so that they hold as much of both classes, rows as many "
            "cases.",
        ),
        _section(
            "Precision and recall",
            slider(report.sweeps, report.slider(), marked, one.precision),
            _families(report),
        ),
        _reliability(report),
        _sign(report),
        _segments(report),
        _section(
            "Holding the least sure",
            html.picture(
                abstention_plot(report.abstention, report.chosen),
                "Wrong acts among the acts (whole lines) and positives not acted on (dashed), when only the "
                "surest share of cases is decided.",
            ),
        ),
        _section("How each figure is defined", _terms()),
    ]
    return html.document(title, sections)


def verdict(report: DecisionReport) -> str:
    """The first sentence: what the chosen rule takes, and whether one threshold would take as much."""
    one, gain = report.outcomes[report.chosen], report.gains[report.chosen]
    if not one.taken:
        return f"{report.chosen} acts on none of these cases."
    text = (
        f"{report.chosen} takes {share(one.recall)} of the positives at a precision of {share(one.precision)}"
    )
    if report.chosen == report.single:
        return f"{text}."
    if not np.isfinite(gain.value):
        return f"{text}; no single threshold has that precision." if one.hits else f"{text}."
    if gain.low > 1:
        return f"{text}: {gain.value:.2f} times what one threshold has at that precision."
    if gain.high < 1:
        return f"{text}, fewer than one threshold has at that precision ({gain.value:.2f} times)."
    return f"{text}; one threshold has as many within noise ({gain.value:.2f} times)."


def cautions(report: DecisionReport) -> list[str]:
    """What a reader must know before trusting the page."""
    found = []
    if report.sample.positives < FEW:
        found.append(f"There are {report.sample.positives} positives, too few for most of what follows.")
    if np.ptp(report.sample.uncertainty) == 0:
        found.append("All cases have the same uncertainty: every rule is one of the score alone.")
    clear = np.abs(report.sign.errors) > CLEAR
    if np.ptp(report.sample.uncertainty) > 0 and not clear.any():
        found.append("At equal score positivity does not differ with uncertainty beyond noise.")
    against = int((clear & (np.sign(report.sign.errors) != report.sign.expected)).sum())
    if against:
        found.append(
            f"In {against} of {len(clear)} groups of equal scores positivity goes with uncertainty against "
            "the sign rule."
        )
    return found


def _rules(report: DecisionReport) -> str:
    rows = []
    for name, one in report.outcomes.items():
        tag = "chosen" if name == report.chosen else "plain" if name == report.single else ""
        small = f" <small class='tag'>{tag}</small>" if tag else ""
        cells = f"<td>{share(one.recall)}</td><td>{share(one.precision)}</td><td>{one.taken:,}</td>"
        gain = _gain(report.gains[name]) if name != report.single else "<td class='none'>–</td>"
        rows.append(f"<tr><th scope='row'>{escape(name)}{small}</th>{cells}{gain}</tr>")
    return _table(("rule", "recall", "precision", "taken", "against one threshold"), rows)


def _gain(gain: Interval) -> str:
    if not np.isfinite(gain.value):
        return "<td class='none'>–</td>"
    best = " class='best'" if gain.low > 1 else ""
    spread = f"<small>{gain.low:.2f} – {gain.high:.2f}</small>" if np.isfinite(gain.low) else ""
    return f"<td{best}>× {gain.value:.2f}{spread}</td>"


def _families(report: DecisionReport) -> str:
    if "rate" in report.sweeps:
        return "Every threshold of the score, and every threshold of the rate over score and uncertainty."
    return "Every threshold of the score; the chosen rule is no threshold of a rate."


def _reliability(report: DecisionReport) -> str:
    table = report.table
    if table is None:
        return ""
    names = ", ".join(f"{value:.4f}" for value in table.level_ece)
    caption = "With 95 % intervals; on the dotted line rates come true. "
    caption += f"ECE {table.ece:.4f}; by level, surest first: {names}."
    return _section("Whether rates come true", html.picture(reliability_plot(table), caption))


def _sign(report: DecisionReport) -> str:
    if np.ptp(report.sample.uncertainty) == 0:
        return ""
    sign = report.sign
    caption = (
        "Each line has cases of equal score, with 95 % intervals; dotted is the base rate of training "
        f"({share(sign.base)}). By the sign rule lines of scores above it fall and those below it rise, where "
        "scores are not shrunk."
    )
    rows = [
        f"<tr><th scope='row'>{score:.3g}</th><td>{share(rate[0])}</td><td>{share(rate[-1])}</td>"
        f"<td>{_signed(errors)}</td><td>{'falls' if sign_ < 0 else 'rises'}</td><td>{_seen(errors)}</td></tr>"
        for score, rate, errors, sign_ in zip(sign.score, sign.rate, sign.errors, sign.expected, strict=True)
    ]
    heads = ("mean score", "surest", "least sure", "z", "rule", "seen")
    return _section("Uncertainty at equal score", html.picture(sign_plot(sign), caption) + _table(heads, rows))


def _segments(report: DecisionReport) -> str:
    if not report.segments or report.chosen == report.single:
        return ""
    recalls = "recall", f"recall of {report.single}", "precision", f"precision of {report.single}"
    heads = ("segment", "cases", "positives", *recalls, "gained", "lost")
    rows, column = [], ""
    for row in report.segments:
        if row["column"] != column:
            column = row["column"]
            rows.append(f"<tr><th scope='rowgroup' colspan='9'><b>{escape(column)}</b></th></tr>")
        rows.append(_segment(row))
    note = (
        f"Gained: positives that {report.chosen} takes and {report.single} does not; lost: the other way round."
    )
    return _section("Who gains and who loses", _table(heads, rows), note)


def _segment(row: dict[str, Any]) -> str:
    cells = [f"{row[name]:,}" for name in ("cases", "positives")]
    cells += [share(row[name]) for name in ("recall", "single_recall", "precision", "single_precision")]
    cells += [f"{sign}{row[name]:,}" if row[name] else "0" for name, sign in (("gained", "+"), ("lost", "−"))]
    return (
        f"<tr><th scope='row'>{escape(row['segment'])}</th>"
        + "".join(f"<td>{one}</td>" for one in cells)
        + "</tr>"
    )


def _terms() -> str:
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in TERMS.items())
    return f"<dl class='terms'>{items}</dl>"


def share(value: float | None) -> str:
    """A share as a percentage.

    Example:
        >>> share(0.1234), share(0.00123), share(None)
        ('12.3 %', '0.12 %', '–')
    """
    if value is None or not np.isfinite(value):
        return "–"
    return f"{100 * value:.1f} %" if value >= 0.01 or value == 0 else f"{100 * value:.2f} %"


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−")


def _seen(errors: float) -> str:
    return "within noise" if abs(errors) <= CLEAR else "rises" if errors > 0 else "falls"


def _wide(svg: str) -> str:
    """A picture that a narrow screen scrolls, its words staying large enough to read."""
    return f"<div class='scroll'><figure style='margin:0;min-width:40rem'>{svg}</figure></div>"


def _table(heads: tuple[str, ...], rows: list[str]) -> str:
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in heads)
    body = "".join(rows)
    return f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _section(title: str, content: str, note: str = "") -> str:
    below = f"<p class='note'>{escape(note)}</p>" if note else ""
    return f"<section><h2>{escape(title)}</h2>{content}{below}</section>" if content else ""
