"""The report on conversions as one self-contained HTML page, for light and for dark screens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from thence.evaluate import html
from thence.evaluate.conversion.judge import ENOUGH
from thence.evaluate.conversion.plots import by_age, delays, over_time
from thence.evaluate.conversion.standing import NOISE, ORACLE, OURS, PLAIN, Standing

if TYPE_CHECKING:
    from thence.evaluate.conversion.report import ConversionReport

COLUMNS = {
    "AUC": "AUC",
    "PRAUC": "PR-AUC",
    "NLL": "NLL",
    "ECE": "ECE",
    "RI_AUC": "RI by AUC",
    "RI_NLL": "RI by NLL",
    "calibration": "prediction / label",
    "calibration_by_age": "worst age",
    "seconds": "CPU s",
}
TERMS = {
    "AUC, PR-AUC": "Means over time blocks, weighted by their exposures. A block whose labels are all alike "
    "has neither and is counted above.",
    "NLL": "Negative log-likelihood of the final labels, natural logarithm.",
    "ECE": "Expected calibration error over 20 bins of equal mass.",
    "RI": "What of the way from the model that never moves to the oracle was gone: (M − M pretrained) / "
    "(M oracle − M pretrained). Not defined where these two are within two standard errors of each other.",
    "prediction / label": "Mean prediction over mean final label; 1 is right.",
    "worst age": f"The largest |mean prediction / matured rate − 1| over ages of the group (time since its "
    f"first exposure), among those with at least {ENOUGH} conversions.",
    "CPU s": "Of the whole stream: first training, models beside the main one, all refreshes, all predictions.",
    "±": "Standard deviation over seeds.",
    "against the oracle": "Difference of NLL with its 95 % interval: a paired bootstrap over time blocks, "
    "which are taken as independent.",
}


def page(report: ConversionReport) -> str:
    """The page as a string."""
    standing, title = report.standing, str(report.info.get("title", "Conversions"))
    curve = report.info.get("delays", {})
    late = over_time(standing, "NLL"), over_time(standing, "calibration")
    age = by_age(standing, "group"), by_age(standing, "model")
    sections = [
        f"<header><p class='brand'>thence</p><h1>{escape(title)}</h1>",
        f"<p class='verdict'>{escape(verdict(standing))}</p>",
        "".join(f"<p class='losses'>{escape(text)}</p>" for text in cautions(standing)),
        f"{_facts(report)}</header>",
        _section(
            "Every estimator", _table(standing), "The best of each column stands out, the oracle left out."
        ),
        _section("Over time", html.picture(late[0], "NLL of each time block; lower is better."), ""),
        html.picture(late[1], "Mean prediction over mean final label of each time block; 1 is right."),
        _section("By age", html.picture(age[0], "By age of the group; the band is ±2 %."), ""),
        html.picture(age[1], "By the time since the model last learned."),
        _segments(standing),
        _section(
            "How late labels come",
            html.picture(
                delays(curve.get("hours", ()), curve.get("share", ())), "Of all conversions in the window."
            ),
            "",
        ),
        _terms(),
    ]
    return html.document(title, sections)


def verdict(standing: Standing) -> str:
    """The first sentence: who is best by NLL, and against whom.

    Example:
        >>> verdict(Standing({"oracle": [None]}))
        'Only the oracle was judged.'
    """
    among = [name for name in standing.methods if name != ORACLE]
    if not among:
        return "Only the oracle was judged."
    best = standing.best("NLL", among)
    if best is None:
        return "Nothing could be judged."
    others = [name for name in among if name != best]
    text = f"By NLL {best} is best with {standing.value(best, 'NLL'):.4f}"
    second = standing.best("NLL", others) if others else None
    if second is None:
        return text + "."
    gap = standing.difference(best, second, "NLL")
    assert gap is not None
    ahead = "beyond noise" if gap.errors > NOISE else "within noise"
    text += f", {gap.value:.4f} ahead of {second} ({ahead})"
    ri = standing.ri(best, "NLL")
    return text + (f"; it goes {ri:.0%} of the way to the oracle." if ri is not None else ".")


def cautions(standing: Standing) -> list[str]:
    """What a reader must know before trusting the table."""
    found = []
    first = next(iter(standing.runs.values()))
    alike, blocks = sum(one.one_class for one in first), sum(len(one.count) for one in first)
    if alike:
        found.append(f"{alike} of {blocks} blocks have labels that are all alike: no AUC there.")
    for metric in standing.undefined() if ORACLE in standing.runs else ():
        found.append(
            f"RI by {metric} is not defined: the oracle is not beyond noise of the model that never moved."
        )
    excess, name = standing.beyond_oracle()
    if excess:
        found.append(
            f"{name} is better than the oracle by {excess + 2:.1f} standard errors: look for a leak, or for an "
            "oracle that learns too little."
        )
    if blocks < 8 * len(first):
        found.append(f"There are {blocks // len(first)} time blocks, too few for an interval to be trusted.")
    return found


def _facts(report: ConversionReport) -> str:
    facts = {key: value for key, value in report.info.items() if key not in ("title", "delays")}
    return html.facts({str(name): _plain(value) for name, value in facts.items()})


def _table(standing: Standing) -> str:
    flat = standing.flat()
    columns = [name for name in COLUMNS if any(f"{method}.{name}" in flat for method in standing.methods)]
    rest = [name for name in standing.methods if name != ORACLE]
    heads = "".join(f"<th scope='col'>{COLUMNS[name]}</th>" for name in columns)
    heads += "<th scope='col'>NLL against the oracle</th>" if ORACLE in standing.runs else ""
    best = {name: _best(flat, rest, name) for name in columns}
    rows = []
    for method in sorted(standing.methods, key=lambda name: flat.get(f"{name}.NLL", 9.0)):
        kind = "bound" if method == ORACLE else "plain" if method in PLAIN else "ours" if method == OURS else ""
        tag = f" <small class='tag'>{kind}</small>" if kind else ""
        cells = "".join(_cell(flat, method, name, best[name]) for name in columns)
        cells += _against(standing, method) if ORACLE in standing.runs else ""
        rows.append(f"<tr><th scope='row'>{escape(method)}{tag}</th>{cells}</tr>")
    return _scroll(f"<tr><th scope='col'>method</th>{heads}</tr>", rows)


def _best(flat: Mapping[str, float], methods: Sequence[str], metric: str) -> float | None:
    found = [flat[f"{name}.{metric}"] for name in methods if f"{name}.{metric}" in flat]
    if not found or metric in ("rows", "seconds"):
        return None
    if metric == "calibration":
        return min(found, key=lambda value: abs(value - 1))
    return min(found) if metric in ("NLL", "ECE", "calibration_by_age") else max(found)


def _cell(flat: Mapping[str, float], method: str, metric: str, best: float | None) -> str:
    value = flat.get(f"{method}.{metric}")
    if value is None:
        return "<td class='none'>–</td>"
    spread = flat.get(f"{method}.{metric}.std")
    small = f"<small>± {_number(spread, metric)}</small>" if spread is not None and metric != "rows" else ""
    first = best is not None and value == best and method != ORACLE
    return f"<td{' class=best' if first else ''}>{_number(value, metric)}{small}</td>"


def _number(value: float, metric: str) -> str:
    if metric in ("rows", "seconds"):
        text = f"{value:,.0f}"
    elif metric.startswith("RI") or metric == "calibration_by_age":
        text = f"{100 * value + 0.0:.1f} %"
    else:
        text = f"{value:.4f}" if metric != "calibration" else f"{value:.3f}"
    return text.replace("-0.0 %", "0.0 %").replace("-", "−")


def _against(standing: Standing, method: str) -> str:
    gap = standing.difference(method, ORACLE, "NLL")
    if gap is None or method == ORACLE:
        return "<td class='none'>–</td>"
    text = f"{-gap.value:+.4f}<small>{-gap.high:+.4f} – {-gap.low:+.4f}</small>"
    return f"<td class='gap'>{text.replace('-', '−')}</td>"


def _segments(standing: Standing) -> str:
    """Mean prediction over mean label of each segment, of the methods that stand out."""
    from thence.evaluate.conversion.plots import emphasised

    shown = [name for name in standing.methods if name in emphasised(standing)]
    tables = {name: {row[0]: row for row in standing.runs[name][0].by("segment")} for name in shown}
    names = list(next(iter(tables.values()), {}))
    if not names:
        return ""
    heads = "".join(f"<th scope='col'>{escape(name)}</th>" for name in shown)
    rows = []
    for name in names:
        _, count, converted, _ = tables[shown[0]][name]
        cells = "".join(f"<td>{tables[method][name][3]:.3f}</td>".replace("nan", "–") for method in shown)
        rows.append(
            f"<tr><th scope='row'>{escape(name)}</th><td>{count:,}</td><td>{converted:,}</td>{cells}</tr>"
        )
    first = "".join(f"<th scope='col'>{name}</th>" for name in ("segment", "exposures", "converted"))
    return _section(
        "By segment",
        _scroll(f"<tr>{first}{heads}</tr>", rows),
        "Mean prediction over mean label, of the first seed.",
    )


def _terms() -> str:
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in TERMS.items())
    return _section("How each figure is defined", f"<dl class='terms'>{items}</dl>", "")


def _scroll(head: str, rows: Sequence[str]) -> str:
    return f"<div class='scroll'><table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table></div>"


def _section(title: str, content: str, note: str) -> str:
    below = f"<p class='note'>{escape(note)}</p>" if note else ""
    return f"<section><h2>{escape(title)}</h2>{content}{below}</section>" if content else ""


def _plain(value: Any) -> str:
    return (
        f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)
    )
