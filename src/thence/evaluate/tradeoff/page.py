"""The page of a tradeoff: what every form loses, against what it saves, as tables and as Pareto fronts."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from thence.evaluate import html
from thence.evaluate.plots import FAINT, INK, MUTED, OURS, PAPER, as_svg, blank_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from thence.evaluate.tradeoff.forms import Form, Tradeoff

UNITS = {
    "bytes": "bytes kept, against the model's (logarithmic)",
    "micros": "CPU time of an answer, µs (logarithmic)",
}
ROLES = {
    "model": "as it was trained",
    "codes": "smaller vectors",
    "index": "similarity index",
    "student": "no graph",
}


def page(tradeoff: Tradeoff) -> str:
    """The whole page."""
    parts = [
        "<p class='brand'>thence</p><h1>Smaller and faster forms of the model</h1>",
        f"<p class='verdict'>{escape(_verdict(tradeoff))}</p>",
        html.facts({name: str(value) for name, value in tradeoff.info.items() if name != "k"}),
        f"<section><h2>Each form</h2>{_table(tradeoff)}</section>",
        _section(tradeoff, "bytes", "Accuracy against size"),
        _section(tradeoff, "micros", "Accuracy against time"),
        f"<section><h2>How each figure is defined</h2>{_terms(tradeoff)}</section>",
    ]
    return html.document("forms of the model", parts)


def heads(tradeoff: Tradeoff) -> list[str]:
    """Names of the columns."""
    k = tradeoff.info.get("k", 10)
    return ["form", f"HR@{k}", "of the model's", "recall", "bytes", "smaller", "CPU µs"]


def cells(tradeoff: Tradeoff, form: Form) -> list[str]:
    """A row of the table without its name."""
    smaller = tradeoff.model.bytes / form.bytes
    return [
        f"{form.hit_rate:.4f}",
        _or_dash(tradeoff.share(form), ".1%"),
        _or_dash(form.recall, ".3f"),
        size(form.bytes),
        f"{smaller:.1f}×",
        _or_dash(form.micros, ",.0f"),
    ]


def size(count: int) -> str:
    """Bytes in words.

    Example:
        >>> size(900), size(4 << 20)
        ('900 B', '4.0 MiB')
    """
    for unit, power in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if count >= 1 << power:
            return f"{count / (1 << power):.1f} {unit}"
    return f"{count} B"


def _verdict(tradeoff: Tradeoff) -> str:
    small = tradeoff.smallest(0.01)
    if small is tradeoff.model:
        return "No smaller form keeps 99 % of the model's hits."
    times = tradeoff.model.bytes / small.bytes
    return (
        f"{small.name} is {times:.1f} times smaller than the model and keeps "
        f"{tradeoff.share(small):.1%} of its hits.".replace("%", " %")
    )


def _table(tradeoff: Tradeoff) -> str:
    names = heads(tradeoff)
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in names)
    front = {form.name for cost in UNITS for form in tradeoff.front(cost)}
    rows = []
    for form in tradeoff.forms:
        tag = f" <small class='tag'>{escape(ROLES.get(form.role, form.role))}</small>"
        hit, *rest = (escape(cell) for cell in cells(tradeoff, form))
        marked = " class=best" if form.name in front else ""
        row = "".join(f"<td>{cell}</td>" for cell in rest)
        rows.append(f"<tr><th scope='row'>{escape(form.name)}{tag}</th><td{marked}>{hit}</td>{row}</tr>")
    return (
        f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        "<p class='note'>Marked: on one of the two fronts below.</p>"
    )


def _section(tradeoff: Tradeoff, cost: str, heading: str) -> str:
    drawn = front_plot(tradeoff, cost)
    caption = "The line joins the forms that no other beats; up and left is better. Nameless dots: other codes."
    return f"<section><h2>{heading}</h2>{html.picture(drawn, caption)}</section>" if drawn else ""


def front_plot(tradeoff: Tradeoff, cost: str) -> str:
    """SVG: share of the model's hits against a cost, with the Pareto front; empty for fewer than two points."""
    told = [form for form in tradeoff.forms if math.isfinite(getattr(form, cost))]
    if len(told) < 2 or not tradeoff.model.hit_rate:
        return ""
    by = tradeoff.model.bytes if cost == "bytes" else 1
    places = {form.name: (getattr(form, cost) / by, tradeoff.share(form)) for form in told}
    front = [form.name for form in tradeoff.front(cost)]
    canvas, axes = blank_axes(6.9, 4.0, left=0.09, right=0.97)
    axes.set_xscale("log", base=2 if cost == "bytes" else 10)
    _limits(axes, list(places.values()))
    axes.axhline(1.0, color=MUTED, linewidth=0.8, linestyle=(0, (2, 3)))
    on = [places[name] for name in front]
    axes.step([x for x, _ in on], [y for _, y in on], where="post", color=OURS, linewidth=1.2, alpha=0.6)
    for name, (x, y) in places.items():
        above, colour = (4, OURS) if name in front else (3, FAINT)
        axes.plot([x], [y], "o", color=colour, markersize=7, markeredgecolor=PAPER, zorder=above)
    named = {*front, *(form.name for form in told if form.role != "codes")}  # the table names the others
    marks = [
        (*at, name if name in named else "", INK if name in front else MUTED) for name, at in places.items()
    ]
    _labels(axes, marks)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.xaxis.set_major_formatter(
        lambda value, _: f"1/{1 / value:g}" if cost == "bytes" and value < 1 else f"{value:g}"
    )
    axes.minorticks_off()
    axes.set_xlabel(UNITS[cost], color=MUTED)
    axes.set_ylabel("hits, against the model's", color=MUTED)
    return as_svg(canvas, f"front-{cost}")


def _limits(axes: Axes, places: list[tuple[float, float]]) -> None:
    """Room around the points, more on the right, where names stand."""
    xs, ys = zip(*places, strict=True)
    wide, tall = max(xs) / min(xs), max(ys) - min(ys) + 0.02
    axes.set_xlim(min(xs) / wide**0.06 / 1.05, max(xs) * wide**0.34 * 1.05)
    axes.set_ylim(min(ys) - 0.08 * tall, max(ys) + 0.35 * tall)


def _labels(axes: Axes, items: list[tuple[float, float, str, str]]) -> None:
    """Names above and to the right of their points, moved up until none lies on another or on a point."""
    points = axes.transData.transform([(x, y) for x, y, _, _ in items])
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in points]
    for (x, y), (_, _, text, colour) in sorted(zip(points, items, strict=True), key=lambda pair: pair[0][1]):
        if not text:
            continue
        left, low = x + 6, y + 5
        while any(
            left < b[2] and b[0] < left + 6.2 * len(text) and low < b[3] and b[1] < low + 13 for b in taken
        ):
            low += 2
        taken.append((left, low, left + 6.2 * len(text), low + 13))
        at = axes.transData.inverted().transform((left, low))
        axes.annotate(text, tuple(at), va="bottom", size=9, color=colour, annotation_clip=False)


def _terms(tradeoff: Tradeoff) -> str:
    k = tradeoff.info.get("k", 10)
    terms = {
        f"HR@{k}": f"share of cases whose right product is among the first {k} of the form's own list",
        "of the model's": "the same, over that of the model as it was trained",
        "recall": "share of the model's exact list that the form finds; – where it means to answer otherwise",
        "bytes": "what must be in memory to answer; re-scored forms read a few whole vectors from disk besides",
        "CPU µs": "processor time of one answer, all threads, asked in batches; the median of several passes",
    }
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in terms.items())
    return f"<dl class='terms'>{items}</dl>"


def _or_dash(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else "–"
