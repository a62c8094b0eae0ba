"""What a report says in words: who wins and by how much, where plain baselines win, and what each figure is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from thence.evaluate.report import ALL, Figure, Report

if TYPE_CHECKING:
    from rich.table import Table

NAMES: dict[str, str] = {
    "low_degree": "rarely known queries",
    "mid_degree": "queries known moderately",
    "high_degree": "well known queries",
    "one_way": "one-way arcs",
    "cold": "cold targets",
    "cold_source": "cold queries",
    "existence_auc": "existence AUC",
    "direction_auc": "direction AUC",
    "direction_auc_paired": "direction AUC, paired",
    "direction_auc_matched": "direction AUC, popularity matched",
    "direction_gain": "gain over in-degree",
    "popularity_bias": "popularity bias",
    "coverage": "coverage",
    "gini": "Gini",
}
RANKING_TEXTS = (
    ("HitRate@k (HR@k)", "Share of cases whose right target is among the first k of its query's list."),
    ("MRR@k", "Mean of 1 / rank of the right target, 0 beyond the first k."),
    ("Recall@k", "Of a query's right targets, the share among its first k; mean over queries."),
    (
        "NDCG@k",
        "Discounted gain Σ 1 / log₂(1 + rank) of a query's right targets within its first k, over that of a "
        "perfect list; mean over queries.",
    ),
    (
        "Candidates",
        "All products but the query itself and, for held-out arcs, the targets it was already known to have. "
        "Targets that score the same are in random order; figures are the mean over that order.",
    ),
    (
        "Slices",
        "Queries sorted by degree, in thirds; arcs whose reverse does not exist; targets of which nothing was "
        "known before.",
    ),
)
DIRECTION_TEXTS = (
    ("Existence AUC", "Chance that a held-out arc scores above a random pair that is no arc."),
    (
        "Direction AUC",
        "Chance that a held-out one-way arc scores above the reverse of one, all arcs pooled, as papers do. "
        "Paired: above its own reverse. Matched: paired, among arcs between products of about equal "
        "popularity, so that popularity alone gets 0.5. Symmetric scores get 0.5 in all three.",
    ),
    ("Gain over in-degree", "Direction AUC minus what the target's in-degree alone gets on the same arcs."),
)
BEYOND_TEXTS = (
    ("Coverage", "Share of the catalogue that stands in at least one query's list."),
    (
        "Popularity bias",
        "Mean popularity percentile of what is listed: 0.5 at random, 1 for the most popular product alone. "
        "The Gini coefficient says how unequally products are listed.",
    ),
)
INTERVALS = (
    "{share} percentile intervals from {resamples} bootstrap draws of whole groups (households, or source "
    "products). Differences are paired: the same draws for both methods. The best plain baseline is chosen "
    "figure by figure after the fact, which favours the baselines."
)
NOT_RANKED = ("coverage", "popularity_bias", "gini", "direction_gain")


def verdict(report: Report) -> str:
    """One plain sentence: who wins on the headline metric, and by how much.

    Example:
        >>> figures = (Figure("lift", "HR@10", 0.020), Figure("ours", "HR@10", 0.025))
        >>> verdict(Report(figures, baselines=("lift",)))
        'ours finds 2.50 % of what was right among its first 10; lift, the best plain baseline, finds 2.00 %:
        25 % more.'
    """
    metric = report.headline
    k = metric.partition("@")[2]
    plain = report.best(metric, among=list(report.baselines))
    learned = report.best(metric, among=report.learned)
    if plain is None or learned is None:
        best = report.best(metric)
        if best is None:
            return "There is nothing to compare."
        return f"{best.method} does best: it finds {percent(best.value)} of what was right among its first {k}."
    margin = _margin(report, learned, plain)
    if learned.value >= plain.value:
        return (
            f"{learned.method} finds {percent(learned.value)} of what was right among its first {k}; "
            f"{plain.method}, the best plain baseline, finds {percent(plain.value)}: {margin}"
        )
    return (
        f"No learned method beats the plain baselines: {plain.method} finds {percent(plain.value)} of what was "
        f"right among its first {k}; {learned.method}, the best learned method, finds "
        f"{percent(learned.value)}: {margin}"
    )


def losses(report: Report) -> str:
    """One plain sentence: on which figures a plain baseline is better than every learned method.

    Looks at the headline's list length, at the headline metric in each slice, and at existence and direction.

    Example:
        >>> figures = (Figure("lift", "MRR@10", 0.02), Figure("ours", "MRR@10", 0.01))
        >>> losses(Report(figures, baselines=("lift",)))
        'Plain baselines are ahead: lift before ours on MRR@10 (0.0200 to 0.0100).'
    """
    if not report.baselines or not report.learned:
        return ""
    found: dict[str, list[str]] = {}
    for metric, part in dict.fromkeys((figure.metric, figure.slice) for figure in report.figures):
        if not _matters(report, metric, part):
            continue
        plain = report.best(metric, part, list(report.baselines))
        learned = report.best(metric, part, report.learned)
        if plain and learned and plain.value > learned.value:
            name = NAMES.get(metric, metric) + ("" if part == ALL else f" for {NAMES.get(part, part)}")
            pair = found.setdefault(f"{plain.method} before {learned.method} on ", [])
            pair.append(f"{name} ({plain.value:.4f} to {learned.value:.4f})")
    if not found:
        return "No plain baseline is ahead on any of the figures that matter here."
    return "Plain baselines are ahead: " + "; ".join(who + ", ".join(on) for who, on in found.items()) + "."


def _matters(report: Report, metric: str, part: str) -> bool:
    if part != ALL:
        return metric == report.headline and not part.startswith("degree ")
    ending = "@" + report.headline.partition("@")[2]
    return metric not in NOT_RANKED and ("@" not in metric or metric.endswith(ending))


def definitions(report: Report) -> list[tuple[str, str]]:
    """Each figure of the report and how it is defined, in words."""
    settings = report.info.get("settings", {})
    texts = [*RANKING_TEXTS, *(DIRECTION_TEXTS if "direction_auc" in report.metrics() else ()), *BEYOND_TEXTS]
    share = percent(settings.get("confidence", 0.95), digits=0)
    resamples = f"{settings.get('resamples', 1000):,}"
    return [*texts, ("Intervals", INTERVALS.format(share=share, resamples=resamples))]


def percent(value: float, digits: int | None = None) -> str:
    """A share as a percentage, of three digits unless told otherwise.

    Example:
        >>> percent(0.02831), percent(0.4736), percent(1.0), percent(0.95, digits=0)
        ('2.83 %', '47.4 %', '100 %', '95 %')
    """
    if digits is None:
        digits = 0 if value >= 0.9995 else 1 if value >= 0.09995 else 2
    return f"{100 * value:.{digits}f} %".replace("-", "−")


def table(report: Report) -> Table:
    """The headline figures as a rich table."""
    from rich.table import Table

    k = report.headline.partition("@")[2]
    wanted = ["HR@5", f"HR@{k}", "HR@20", f"MRR@{k}", f"NDCG@{k}", "direction_auc", "coverage"]
    metrics = [name for name in dict.fromkeys(wanted) if name in report.metrics()]
    title = str(report.info.get("title", "Evaluation"))
    drawn = Table(title=title, caption="* plain baseline", title_justify="left", caption_justify="left")
    drawn.add_column("method", no_wrap=True)
    for metric in metrics:
        drawn.add_column(NAMES.get(metric, metric), justify="right")
    drawn.add_column("against the best baseline", justify="right", no_wrap=True)
    for method in report.methods:
        row = [f"{method} *" if method in report.baselines else method]
        for metric in metrics:
            found, best = report.best(metric, among=[method]), report.best(metric)
            text = "–" if found is None else f"{found.value:.4f}"
            bold = found is not None and best is not None and found.value == best.value
            row.append(f"[bold]{text}[/bold]" if bold and metric not in NOT_RANKED else text)
        drawn.add_row(*row, against(report, method))
    return drawn


def against(report: Report, method: str) -> str:
    """How far a method is from the best plain baseline on the headline metric, with its interval."""
    gap = report.gap(method, report.headline)
    best = report.best(report.headline, among=list(report.baselines))
    if gap is None or math.isnan(gap.value) or (best is not None and best.method == method):
        return "–"
    if math.isnan(gap.low):
        return _signed(gap.value)
    return f"{_signed(gap.value)} ({_signed(gap.low)} to {_signed(gap.high)})"


def _signed(change: float) -> str:
    return f"{100 * change:+.0f} %".replace("-", "−").replace("+0 %", "0 %").replace("−0 %", "0 %")


def _margin(report: Report, learned: Figure, plain: Figure) -> str:
    if not plain.value:
        return "the baseline finds none."
    change = learned.value / plain.value - 1
    text = f"{percent(abs(change), digits=0)} {'more' if change >= 0 else 'less'}"
    gap = report.gap(learned.method, learned.metric)
    if gap is None or math.isnan(gap.low):
        return f"{text}."
    share = percent(report.info.get("settings", {}).get("confidence", 0.95), digits=0)
    ends = f"{share} interval {percent(gap.low, digits=0)} to {percent(gap.high, digits=0)}"
    return f"{text} ({ends})." if gap.is_clear else f"{text}, which is within the noise ({ends})."
