"""The pictures of the page of decisions, in the colours of the page around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from thence.decide.calibrate.reliability import Reliability
from thence.decide.report.abstain import Abstention
from thence.decide.report.heat import Heat
from thence.decide.report.outline import Path
from thence.decide.report.sign import EqualScore
from thence.evaluate.plots import FAINT, INK, MUTED, OURS, PLAIN, as_svg, beside_labels, blank_axes

STRONGEST = 0.6
"""Of the colour of the cell with the highest rate, so that what stands in it can be read."""
DASHES = (0, (4, 2))


def heat_map(heat: Heat, boundaries: Mapping[str, Sequence[Path]], chosen: str, single: str) -> str:
    """SVG: the rate and the count of each cell, and where the two rules begin to act."""
    levels, bins = heat.count.shape
    height = 1.0 + 0.42 * levels
    canvas, axes = blank_axes(6.9, height, left=0.09, right=0.985, bottom=0.5 / height, top=1 - 0.3 / height)
    for row, column in zip(*np.nonzero(heat.count), strict=True):
        _cell(axes, heat, int(row), int(column))
    lines = {single: (PLAIN, DASHES), chosen: (INK, "solid")}
    for name, (colour, style) in lines.items():
        for x, y in boundaries.get(name, ()):
            axes.plot(x, y, color=colour, linewidth=2.6, linestyle=style, alpha=0.55, zorder=2.5, clip_on=False)
    axes.set_xlim(0, bins)
    axes.set_ylim(0, levels)
    axes.grid(visible=False)
    axes.set_xticks(range(bins + 1), [_edge(one) for one in heat.score_edges])
    axes.set_yticks(range(levels + 1), [_edge(one) for one in heat.unsure_edges])
    axes.tick_params(labelsize=6.6, pad=6)
    axes.set_xlabel("score", color=MUTED)
    axes.set_ylabel("uncertainty", color=MUTED)
    for place, (name, (colour, style)) in enumerate(lines.items()):
        at = bins * (0.5 + 0.25 * place)
        above = levels + 0.32
        axes.plot(
            [at, at + bins * 0.035], [above, above], color=colour, linestyle=style, linewidth=1.9, clip_on=False
        )
        axes.text(at + bins * 0.045, above, name, va="center", size=7.5, color=MUTED)
    return as_svg(canvas, "heat")


def _cell(axes: Any, heat: Heat, row: int, column: int) -> None:
    from matplotlib.patches import Rectangle

    rate = float(heat.rate[row, column])
    most = max(float(np.nanmax(heat.rate)), 1e-9)
    alpha = 0.02 + STRONGEST * rate / most
    axes.add_patch(Rectangle((column, row), 1, 1, facecolor=OURS, alpha=alpha, edgecolor="none", linewidth=0))
    middle = {"ha": "center", "va": "center"}
    axes.text(column + 0.5, row + 0.61, percent(rate), size=6.6, color=INK, **middle)
    axes.text(column + 0.5, row + 0.25, short(int(heat.count[row, column])), size=4.9, color=MUTED, **middle)


def reliability_plot(table: Reliability) -> str:
    """SVG: what share of cases came true against the rate that was told, a line for each level."""
    canvas, axes = blank_axes(6.9, 4.0, left=0.1, right=0.8, bottom=0.13)
    most = float(max(table.rate.max(), table.seen.max(), 1e-6)) * 1.05
    axes.plot([0, most], [0, most], color=MUTED, linewidth=0.8, linestyle=(0, (1, 2)))
    levels, ends = int(table.level.max()) + 1, []
    for level in range(levels):
        rows = table.level == level
        colour, name = _level_colour(level, levels), _level_name(level, levels)
        axes.plot(table.rate[rows], table.seen[rows], color=colour, linewidth=1.8, marker="o", markersize=3.5)
        axes.vlines(table.rate[rows], table.low[rows], table.high[rows], color=colour, linewidth=0.9)
        ends.append((float(table.rate[rows][-1]), float(table.seen[rows][-1]), name, INK))
    axes.set_xlim(0, most)
    axes.set_ylim(0, most)
    beside_labels(axes, ends)
    axes.set_xlabel("rate that was told", color=MUTED)
    axes.set_ylabel("share of positives", color=MUTED)
    return as_svg(canvas, "reliability")


def sign_plot(sign: EqualScore) -> str:
    """SVG: the share of positives by level of uncertainty, a line for each group of equal scores."""
    groups, levels = sign.count.shape
    canvas, axes = blank_axes(6.9, 3.8, left=0.1, right=0.78, bottom=0.13)
    low, high = sign.interval()
    ends = []
    for group in range(groups):
        filled = sign.count[group] > 0
        colour = OURS if sign.expected[group] < 0 else PLAIN
        x, y = np.arange(levels)[filled] + 0.03 * (group - groups / 2), sign.rate[group][filled]
        axes.plot(x, y, color=colour, linewidth=1.6, marker="o", markersize=3.5)
        axes.vlines(x, low[group][filled], high[group][filled], color=colour, linewidth=0.9)
        if len(x):
            ends.append((levels - 1.0, float(y[-1]), f"score {sign.score[group]:.3g}", MUTED))
    axes.axhline(sign.base, color=INK, linewidth=0.9, linestyle=(0, (1, 2)))
    axes.set_xlim(-0.25, levels - 0.9)
    axes.set_ylim(bottom=0)
    beside_labels(axes, ends)
    names = ["surest", *[""] * (levels - 2), "least sure"] if levels > 1 else ["all"]
    axes.set_xticks(range(levels), names)
    axes.set_xlabel("uncertainty among cases of equal score", color=MUTED)
    axes.set_ylabel("share of positives", color=MUTED)
    return as_svg(canvas, "sign")


def abstention_plot(curves: Mapping[str, Abstention], chosen: str) -> str:
    """SVG: wrong acts among the acts against the share of cases that are kept."""
    canvas, axes = blank_axes(6.9, 3.4, left=0.1, right=0.8, bottom=0.15)
    ends, drawn = [], False
    for name, curve in curves.items():
        known = np.isfinite(curve.wrong_acts)
        if known.sum() < 2:
            continue
        drawn = True
        colour = OURS if name == chosen else PLAIN
        axes.plot(curve.coverage[known], curve.wrong_acts[known], color=colour, linewidth=2)
        axes.plot(curve.coverage[known], 1 - curve.recall[known], color=colour, linewidth=1, linestyle=DASHES)
        ends.append((1.0, float(curve.wrong_acts[known][-1]), f"{name}: wrong", INK))
        ends.append((1.0, float(1 - curve.recall[known][-1]), f"{name}: missed", MUTED))
    if not drawn:
        return ""
    axes.set_xlim(0, 1.005)
    axes.set_ylim(0, 1.02)
    beside_labels(axes, ends)
    axes.set_xlabel("share of cases decided; the others, the least sure, are held", color=MUTED)
    axes.set_ylabel("share", color=MUTED)
    return as_svg(canvas, "abstention")


def percent(share: float) -> str:
    """A share for a small cell.

    Example:
        >>> percent(0.1234), percent(0.0012), percent(0.0)
        ('12 %', '0.1 %', '0 %')
    """
    value = 100 * share
    return "0 %" if value == 0 else f"{value:.0f} %" if value >= 9.95 else f"{value:.1f} %"


def short(count: int) -> str:
    """A count for a small cell.

    Example:
        >>> short(950), short(12_345), short(3_400_000)
        ('950', '12 k', '3.4 M')
    """
    if count < 10_000:
        return f"{count:,}"
    return f"{count / 1e3:.0f} k" if count < 1_000_000 else f"{count / 1e6:.1f} M"


def _edge(value: float) -> str:
    return f"{value:.2g}".replace("-", "−")


def _level_colour(level: int, levels: int) -> str:
    return OURS if level == 0 else PLAIN if level == levels - 1 else FAINT


def _level_name(level: int, levels: int) -> str:
    return (
        "all" if levels == 1 else "surest" if level == 0 else "least sure" if level == levels - 1 else "middle"
    )
