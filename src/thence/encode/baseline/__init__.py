"""The plain baselines: every report has them, and each is chosen on validation as carefully as ours is.

A baseline is a function from a graph (and a few settings) to a scorer. :data:`GRIDS` holds the settings that
:func:`choose` tries.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from thence.base.errors import ConfigError, FitError, nearest
from thence.base.progress import Progress, silent
from thence.encode.baseline.backed_off import backed_off
from thence.encode.baseline.cf_reverse import cf_reverse
from thence.encode.baseline.counts import counts, lift
from thence.encode.baseline.item_cf import item_cf
from thence.encode.baseline.page_rank import page_rank
from thence.encode.baseline.page_rank_both import page_rank_both
from thence.encode.baseline.popularity import popularity
from thence.encode.baseline.recent import recent_counts
from thence.encode.baseline.reverse import reverse
from thence.encode.baseline.svd import svd
from thence.encode.baseline.walk import walk
from thence.encode.known import checked
from thence.encode.scorer import Scorer
from thence.graph import DiGraph

BASELINES: Mapping[str, Callable[..., Scorer]] = checked(
    {
        "popularity": popularity,
        "counts": counts,
        "recent_counts": recent_counts,
        "backed_off": backed_off,
        "lift": lift,
        "reverse": reverse,
        "item_cf": item_cf,
        "cf_reverse": cf_reverse,
        "svd": svd,
        "page_rank": page_rank,
        "page_rank_both": page_rank_both,
        "walk": walk,
    }
)

GRIDS: Mapping[str, tuple[dict[str, Any], ...]] = {
    "recent_counts": tuple({"half_life": days} for days in (14.0, 28.0, 56.0, 112.0, 224.0)),
    "backed_off": tuple(
        {"strength": strength, "labels": ["category", *more]}
        for strength in (100.0, 400.0, 1500.0, 6000.0)
        for more in ([], ["manufacturer"], ["brand"])
    ),
    "lift": tuple({"power": power} for power in (0.1, 0.3, 0.5, 0.7)),
    "item_cf": tuple({"power": power} for power in (0.0, 0.3, 0.6, 1.0)),
    "cf_reverse": tuple(
        {"weight": weight, "power": power} for weight in (0.25, 0.5, 1.0) for power in (0.0, 0.3)
    ),
    "svd": tuple(
        {"dim": dim, "out_power": out, "in_power": into}
        for dim in (64, 128, 256)
        for out, into in ((0.0, 0.0), (0.3, 0.3), (0.5, 0.5))
    ),
    "page_rank": tuple({"alpha": alpha, "power": power} for alpha in (0.5, 0.8) for power in (0.0, 0.3)),
    "page_rank_both": tuple({"alpha": alpha, "power": power} for alpha in (0.15, 0.4) for power in (0.0, 0.5)),
    "walk": tuple(
        {"steps": steps, "out_power": out, "in_power": into}
        for steps in (2, 3)
        for out, into in ((1.0, 0.0), (0.6, 0.3), (0.3, 0.3), (0.5, 0.15), (0.3, 0.0))
    ),
}


def baselines(
    graph: DiGraph, names: Iterable[str] = (), settings: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Scorer]:
    """Fit plain baselines to a graph.

    Args:
        graph: the graph.
        names: which; all when empty.
        settings: by name, what :func:`choose` found; defaults where there is none.

    Raises:
        ConfigError: a name is unknown.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> graph = DiGraph(IdMap("abc"), {"bought_after": Arcs.from_pairs([0], [1], num_nodes=3)})
        >>> list(baselines(graph, ["counts", "reverse"]))
        ['counts', 'reverse']
    """
    return {name: BASELINES[name](graph, **(settings or {}).get(name, {})) for name in _known(names)}


def choose(
    graph: DiGraph, value: Callable[[Scorer], float], names: Iterable[str] = (), progress: Progress = silent
) -> dict[str, dict[str, Any]]:
    """The best settings of each baseline, by a figure on validation cases.

    Args:
        graph: the graph of what was known before the validation period.
        value: from a scorer to a figure of which more is better.
        names: which baselines; all when empty.
        progress: told after each setting tried.

    Returns:
        by name, the settings that gave the largest value; nothing for baselines without settings.

    Raises:
        ConfigError: a name is unknown.
        FitError: a value is not a number.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0], [1], num_nodes=3, weight=[4.0])
        >>> graph = DiGraph(IdMap("abc"), {"bought_after": arcs})
        >>> choose(graph, lambda scorer: -float(scorer.scores([0]).max()), ["counts", "lift"])
        {'lift': {'power': 0.7}}
    """
    tried = [(name, setting) for name in _known(names) for setting in GRIDS.get(name, ())]
    best: dict[str, tuple[float, dict[str, Any]]] = {}
    for done, (name, setting) in enumerate(tried):
        progress("tune baselines", done, len(tried))
        reached = value(BASELINES[name](graph, **setting))
        if math.isnan(reached):
            raise FitError(f"the value of {name} with {setting} is NaN", fix="Are there validation cases?")
        if name not in best or reached > best[name][0]:
            best[name] = (reached, dict(setting))
    progress("tune baselines", len(tried), len(tried))
    return {name: setting for name, (_, setting) in best.items()}


def _known(names: Iterable[str]) -> list[str]:
    chosen = list(names) or list(BASELINES)
    for name in chosen:
        if name not in BASELINES:
            raise ConfigError(f"unknown baseline {name!r}", fix=nearest(name, BASELINES))
    return chosen
