"""The pictures of a report on conversions: what happens over time, over ages, and how late labels come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from thence.evaluate.conversion.judge import ENOUGH, Judged
from thence.evaluate.conversion.standing import ORACLE, OURS, PRETRAINED, Standing
from thence.evaluate.plots import FAINT, INK, MUTED, PLAIN, as_svg, beside_labels, blank_axes
from thence.evaluate.plots import OURS as OURS_COLOUR
from thence.events.clock import DAY

TICKS = ((1 / 60, "1 min"), (1, "1 h"), (24, "1 d"), (168, "7 d"), (720, "30 d"), (4380, "6 months"))


def over_time(standing: Standing, what: str) -> str:
    """SVG: ``NLL`` of each time block above the oracle's, or ``calibration``: mean prediction over mean label.

    An empty string where there are fewer than two blocks.
    """
    days, lines = _days(standing), {name: _by_block(runs, what) for name, runs in standing.runs.items()}
    if len(days) < 2:
        return ""
    oracle = lines.get(ORACLE)
    above = what == "NLL" and oracle is not None
    if above and oracle is not None:
        lines = {name: values - oracle for name, values in lines.items() if name != ORACLE}
    canvas, axes = blank_axes(6.9, 3.4, left=0.1, right=0.8)
    axes.axhline(0.0 if above else 1.0 if what == "calibration" else np.nan, color=INK, linewidth=0.9)
    _draw(axes, standing, {name: (days, values) for name, values in lines.items()})
    axes.set_xlim(days[0], days[-1] + (days[-1] - days[0]) * 0.01)
    axes.xaxis.set_major_locator(_dates())
    axes.xaxis.set_major_formatter(lambda at, place: f"{datetime.fromtimestamp(at * 86_400, UTC):%d %b %Y}")
    axes.set_ylabel(
        ("NLL above the oracle's" if above else "NLL") if what == "NLL" else "mean prediction / mean label",
        color=MUTED,
    )
    return as_svg(canvas, f"time-{what}")


def by_age(standing: Standing, what: str) -> str:
    """SVG: mean prediction over matured rate by age of the ``group`` or of the ``model``."""
    found = {name: _ages(runs, what) for name, runs in standing.runs.items()}
    names = [name for name, _ in next(iter(found.values()), [])]
    if len(names) < 2:
        return ""
    canvas, axes = blank_axes(6.9, 3.4, left=0.1, right=0.8)
    axes.axhspan(0.98, 1.02, color=FAINT, alpha=0.35, linewidth=0)
    axes.axhline(1.0, color=INK, linewidth=0.9)
    places = np.arange(len(names), dtype=float)
    _draw(axes, standing, {name: (places, np.array([r for _, r in rows])) for name, rows in found.items()})
    axes.set_xlim(-0.15, len(names) - 0.9)
    axes.set_xticks(range(len(names)), names)
    axes.set_xlabel("age of the group" if what == "group" else "time since the refresh", color=MUTED)
    axes.set_ylabel("mean prediction / mean label", color=MUTED)
    return as_svg(canvas, f"age-{what}")


def delays(hours: Sequence[float], share: Sequence[float]) -> str:
    """SVG: the share of all conversions that have come by so many hours after the exposure."""
    if len(hours) < 2:
        return ""
    canvas, axes = blank_axes(6.9, 3.0, left=0.1, right=0.95)
    axes.plot(hours, share, color=OURS_COLOUR, linewidth=2.2)
    axes.set_xscale("log")
    axes.set_ylim(0, 1.02)
    ticks = [(at, name) for at, name in TICKS if hours[0] <= at <= hours[-1] * 1.01]
    axes.set_xticks([at for at, _ in ticks], [name for _, name in ticks])
    axes.minorticks_off()
    axes.set_xlabel("time from exposure to conversion", color=MUTED)
    axes.set_ylabel("conversions that have come", color=MUTED)
    return as_svg(canvas, "delays")


def emphasised(standing: Standing) -> dict[str, str]:
    """The methods that stand out, with their colours: ours, the best published one, and the two bounds.

    Example:
        >>> emphasised(Standing({"naive": [None]}))
        {}
    """
    found = {name: INK for name in (ORACLE,) if name in standing.runs}
    found |= {name: MUTED for name in (PRETRAINED,) if name in standing.runs}
    best = standing.best("NLL", standing.published) if standing.published else None
    found |= {best: PLAIN} if best else {}
    return found | ({OURS: OURS_COLOUR} if OURS in standing.runs else {})


def _draw(axes, standing: Standing, lines: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Lines of all methods; those that stand out carry their names."""
    strong = emphasised(standing)
    inner = [values for name, (_, values) in lines.items() if name in strong] or [v for _, v in lines.values()]
    ends = []
    for name, (x, y) in sorted(
        lines.items(), key=lambda line: list(strong).index(line[0]) if line[0] in strong else -1
    ):
        colour = strong.get(name, FAINT)
        axes.plot(x, y, color=colour, linewidth=2.0 if name in strong else 0.9, solid_capstyle="round")
        if name in strong and np.isfinite(y).any():
            last = np.flatnonzero(np.isfinite(y))[-1]
            ends.append((float(x[-1]), float(y[last]), name, INK if name == OURS else MUTED))
    whole = np.concatenate(inner)
    whole = whole[np.isfinite(whole)]
    if len(whole):  # methods that are far off do not press the others together
        low, high = float(whole.min()), float(whole.max())
        pad = max(0.08 * (high - low), 1e-3)
        axes.set_ylim(low - pad, high + pad)
    beside_labels(axes, ends)


def _days(standing: Standing) -> np.ndarray:
    """Days since 1970 of the first seed's blocks; the longest where seeds differ."""
    first = max(next(iter(standing.runs.values())), key=lambda judged: len(judged.start))
    return first.start / DAY


def _by_block(runs: Sequence[Judged], what: str) -> np.ndarray:
    size = max(len(judged.count) for judged in runs)
    top, below = np.zeros(size), np.zeros(size)
    for judged in runs:
        n = len(judged.count)
        top[:n] += judged.surprise if what == "NLL" else judged.predicted
        below[:n] += judged.count if what == "NLL" else judged.converted
    return np.divide(top, below, out=np.full(size, np.nan), where=below > 0)


def _ages(runs: Sequence[Judged], what: str) -> list[tuple[str, float]]:
    """Name and ratio of each age bucket with enough conversions, over all seeds."""
    sums: dict[str, list[float]] = {}
    for judged in runs:
        for name, _, converted, ratio in judged.by(what):
            if converted:
                entry = sums.setdefault(name, [0.0, 0.0])
                entry[0], entry[1] = entry[0] + ratio * converted, entry[1] + converted
    order = runs[0].tables.get(what, {}).get("names", [])
    return [
        (name, sums[name][0] / sums[name][1])
        for name in order
        if name in sums and sums[name][1] >= ENOUGH * len(runs)
    ]


def _dates():
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(5, integer=True)
