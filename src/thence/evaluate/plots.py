"""The pictures of a report, as SVG that takes its colours and its type from the page around it.

Matplotlib draws in placeholder colours; afterwards each becomes a CSS variable, so that one picture serves the
light and the dark page. The best learned method and the best plain baseline stand out, the others step back.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from thence.evaluate.report import Figure, Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, MUTED, GRID, OURS, PLAIN, FAINT, PAPER = (f"#0a0b0{i}" for i in range(1, 8))
VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--rule",
    OURS: "--ours",
    PLAIN: "--plain",
    FAINT: "--faint",
    PAPER: "--paper",
}


def headline_plot(report: Report) -> str:
    """SVG: the headline metric of every method with its interval, best on top."""
    figures = [figure for name in report.methods for figure in _found(report, name, report.headline)]
    height = 0.7 + 0.3 * len(figures)
    canvas, axes = blank_axes(6.9, height, left=0.23, bottom=0.5 / height, top=1 - 0.08 / height)
    for row, figure in enumerate(reversed(figures)):
        colour = _colour(report, figure.method)
        if math.isfinite(figure.low):
            axes.plot([figure.low, figure.high], [row, row], color=colour, linewidth=2, solid_capstyle="round")
        axes.plot([figure.value], [row], "o", color=colour, markersize=5, markeredgewidth=0)
    axes.set_yticks(range(len(figures)), [figure.method for figure in reversed(figures)])
    axes.set_ylim(-0.6, len(figures) - 0.4)
    axes.set_xlim(left=0)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", labelcolor=INK)
    axes.set_xlabel(report.headline, color=MUTED)
    return as_svg(canvas, "headline")


def degree_plot(report: Report) -> str:
    """SVG: the headline metric by degree bucket of the query; an empty string where there are no buckets."""
    names = [bucket["name"] for bucket in report.info.get("buckets", ())]
    if len(names) < 2:
        return ""
    canvas, axes = blank_axes(6.9, 3.6, left=0.09, right=0.77)
    ends = []
    for method in reversed(report.methods):
        parts = [
            figure for name in names for figure in _found(report, method, report.headline, f"degree {name}")
        ]
        if len(parts) != len(names):
            continue
        colour, values = _colour(report, method), [part.value for part in parts]
        strong = colour != FAINT
        if strong and all(math.isfinite(part.low) for part in parts):
            band = [part.low for part in parts], [part.high for part in parts]
            axes.fill_between(range(len(names)), *band, color=colour, alpha=0.13, linewidth=0)
        axes.plot(
            values, color=colour, linewidth=2.2 if strong else 1.1, marker="o", markersize=4 if strong else 2.5
        )
        ends.append((values[-1], method, INK if strong else MUTED))
    axes.set_ylim(bottom=0)
    axes.set_xlim(-0.15, len(names) - 0.95)
    beside_labels(axes, [(len(names) - 1, value, text, colour) for value, text, colour in ends])
    axes.set_xticks(range(len(names)), names)
    axes.set_xlabel("how much was known of the query (degree), rarely known on the left", color=MUTED)
    axes.set_ylabel(report.headline, color=MUTED)
    return as_svg(canvas, "degree")


def beyond_plot(report: Report) -> str:
    """SVG: coverage of the catalogue against popularity bias, one dot a method."""
    dots = []
    for method in report.methods:
        bias, shown = (_found(report, method, metric) for metric in ("popularity_bias", "coverage"))
        if bias and shown and math.isfinite(bias[0].value):
            dots.append((bias[0].value, shown[0].value, method))
    if not dots:
        return ""
    canvas, axes = blank_axes(6.9, 3.6, left=0.09, right=0.97)
    for x, y, method in dots:
        axes.plot([x], [y], "o", color=_colour(report, method), markersize=8, markeredgecolor=PAPER)
    low, high = min(x for x, _, _ in dots), max(x for x, _, _ in dots)
    axes.set_xlim(min(0.48, low - 0.02), max(1.0, high) + 0.16)
    top = 1.12 * max(y for _, y, _ in dots) + 0.03
    axes.set_ylim(-0.05 * top, top)
    strong = {method for _, _, method in dots if _colour(report, method) != FAINT}
    beside_labels(axes, [(x, y, method, INK if method in strong else MUTED) for x, y, method in dots])
    axes.set_xticks([tick for tick in (0, 0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0) if tick >= axes.get_xlim()[0]])
    axes.set_xlabel(
        "popularity bias: mean popularity percentile of what is listed (0.5 = no bias)", color=MUTED
    )
    axes.set_ylabel("coverage of the catalogue", color=MUTED)
    return as_svg(canvas, "beyond")


def _found(report: Report, method: str, metric: str, part: str = "all") -> list[Figure]:
    found = report.best(metric, part, [method])
    return [] if found is None else [found]


def _colour(report: Report, method: str) -> str:
    learned = report.best(report.headline, among=report.learned)
    plain = report.best(report.headline, among=list(report.baselines))
    if learned is not None and learned.method == method:
        return OURS
    return PLAIN if plain is not None and plain.method == method else FAINT


def blank_axes(
    width: float,
    height: float,
    *,
    left: float = 0.09,
    right: float = 0.97,
    bottom: float = 0.17,
    top: float = 0.97,
) -> tuple[Any, Axes]:
    """A canvas of so many inches and its axes: a line below, a light grid, nothing else."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(width, height))
    canvas.patch.set_visible(False)
    canvas.subplots_adjust(left=left, right=right, bottom=bottom, top=top)
    axes = canvas.add_subplot()
    axes.patch.set_visible(False)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(GRID)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=9, labelcolor=MUTED, pad=5)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set_fontsize(9)
    return canvas, axes


def beside_labels(axes: Axes, items: Sequence[tuple[float, float, str, str]]) -> None:
    """Names to the right of points, moved up and down so that names close to each other do not overlap."""
    low, high = axes.get_ylim()
    line = (high - low) * 0.055
    reach = (axes.get_xlim()[1] - axes.get_xlim()[0]) * 0.17
    placed: list[tuple[float, float]] = []
    for x, y, text, colour in sorted(items, key=lambda item: item[1]):
        at = y
        while any(abs(x - other) < reach and abs(at - beside) < line for other, beside in placed):
            at += line / 8
        placed.append((x, at))
        axes.annotate(
            text,
            (x, at),
            xytext=(9, 0),
            textcoords="offset points",
            va="center",
            size=9,
            color=colour,
            annotation_clip=False,
        )


def as_svg(canvas: Any, name: str) -> str:
    """The drawing as an ``<svg>`` element with the page's colours and ids of its own."""
    from matplotlib import rc_context

    stream = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        canvas.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\b(id|clip-path|xlink:href)="(url\()?(#?)', rf'\1="\2\3{name}-', text)
    text = re.sub(r"font: [^;\"]*?([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    for colour, variable in VARIABLES.items():
        text = text.replace(colour, f"var({variable})")
    text = re.sub(r'<svg ([^>]*?)height="[^"]*"', r"<svg \1", text, count=1)
    return re.sub(r'<svg ([^>]*?)width="[^"]*"', r'<svg role="img" \1', text, count=1)
