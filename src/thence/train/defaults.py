"""Defaults that were tuned: the settings that were best on the stored graph that is most like the user's.

``defaults.json`` holds, for each method and each graph it was tuned on, the graph's traits and the settings
found there (``bench/parts/defaults.py`` writes it). A new graph takes the settings of its nearest: with traits
x, each in a unit that is much of it,

    d(a, b)² = mean over traits of ((x_a - x_b) / unit)² ,

sizes and degrees on their logarithms. Nothing of the graph's own validation is needed, so the first run on
it starts well; ``thence tune`` goes on from there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from thence.base.errors import ConfigError, FitError, nearest
from thence.graph import DiGraph
from thence.graph.sample.power_law import power_law

FILE = "defaults.json"
UNITS: Mapping[str, float] = {
    "nodes": math.log(10),
    "mean_degree": math.log(4),
    "reciprocity": 0.5,
    "out_exponent": 1.0,
    "in_exponent": 1.0,
    "features": 1.0,
    "relations": 2.0,
}
"""What counts as much of a difference, trait by trait; the first two on their logarithms."""
LOGARITHMS = ("nodes", "mean_degree")
STEEPEST = 4.0
"""Exponents beyond it are alike: no heavy tail."""


@dataclass(frozen=True)
class Tuned:
    """Settings that were best on one graph.

    Args:
        data: the graph's name.
        traits: what it is like, see :func:`traits`.
        settings: flat, as :func:`~thence.train.methods.fit_method` takes them.
        value: what they reached on its validation arcs.
        default_value: what the method's own defaults reached there.
        trials: how many settings were tried.
    """

    data: str
    traits: Mapping[str, float]
    settings: Mapping[str, Any]
    value: float
    default_value: float
    trials: int


@dataclass(frozen=True)
class Defaults:
    """What was chosen for a graph, and why.

    Args:
        settings: flat, as :func:`~thence.train.methods.fit_method` takes them.
        data: the stored graph that they come from.
        distance: how far that graph is: 0 the same traits, 1 much of a difference in each.
    """

    settings: Mapping[str, Any]
    data: str
    distance: float


def traits(graph: DiGraph) -> dict[str, float]:
    """What a graph is like, in a few figures.

    Returns:
        ``nodes``, ``arcs``, ``mean_degree`` (arcs a node) and ``reciprocity`` (share of arcs whose reverse
        stands) of the main relation; ``out_exponent`` and ``in_exponent`` of the power law of its degrees, at
        most 4; ``features`` (1 with a catalogue that says something) and ``relations``, those beside the main
        one.

    Raises:
        FitError: the main relation has no arcs.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> graph = DiGraph(IdMap("abc"), {"r": Arcs.from_pairs([0, 1, 1], [1, 0, 2], num_nodes=3)})
        >>> {name: round(value, 2) for name, value in traits(graph).items()}
        {'nodes': 3.0, 'arcs': 3.0, 'mean_degree': 1.0, 'reciprocity': 0.67, 'out_exponent': 2.35,
         'in_exponent': 4.0, 'features': 0.0, 'relations': 0.0}
    """
    arcs = graph.main
    if not arcs.num_arcs:
        raise FitError(
            "the main relation has no arcs", where=repr(graph), fix="Lower min_count or min_support."
        )
    described = graph.nodes is not None and bool(set(graph.nodes.column_names) - {"item_id", "count"})
    return {
        "nodes": float(graph.num_nodes),
        "arcs": float(arcs.num_arcs),
        "mean_degree": arcs.num_arcs / graph.num_nodes,
        "reciprocity": 1.0 - float(arcs.one_way_share),
        "out_exponent": _exponent(arcs.out_degree),
        "in_exponent": _exponent(arcs.in_degree),
        "features": float(described),
        "relations": float(len(graph.relations) - 1),
    }


def distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """How unlike two graphs are by their traits; 0 for equal ones.

    Example:
        >>> here = {"nodes": 100.0, "mean_degree": 5.0, "reciprocity": 0.0, "out_exponent": 2.0,
        ...         "in_exponent": 2.0, "features": 0.0, "relations": 0.0}
        >>> distance(here, here), round(distance(here, {**here, "nodes": 1000.0}), 3)  # √(1/7)
        (0.0, 0.378)
    """
    gaps = []
    for name, unit in UNITS.items():
        a, b = (math.log(max(x[name], 1e-3)) if name in LOGARITHMS else x[name] for x in (one, other))
        gaps.append(((a - b) / unit) ** 2)
    return math.sqrt(sum(gaps) / len(gaps))


def stored(method: str) -> list[Tuned]:
    """What was tuned for one method.

    Raises:
        ConfigError: nothing was.

    Example:
        >>> {"cora_ml", "world_small"} <= {one.data for one in stored("dual")}
        True
    """
    table = _table()
    if method not in table:
        raise ConfigError(f"no tuned defaults for {method!r}", fix=nearest(method, table))
    return [Tuned(**entry) for entry in table[method]]


def defaults_for(graph: DiGraph, method: str = "dual", *, without: Iterable[str] = ()) -> Defaults:
    """The tuned settings of the stored graph that is most like this one.

    Args:
        graph: the user's.
        method: whose settings.
        without: names of stored graphs to leave out, for an honest check of the choice itself.

    Raises:
        ConfigError: nothing is stored for the method, or all of it is left out.
        FitError: the graph has no arcs.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> graph = DiGraph(IdMap("abc"), {"r": Arcs.from_pairs([0, 1, 1], [1, 0, 2], num_nodes=3)})
        >>> sorted(defaults_for(graph, "dual").settings)[:2]
        ['dim', 'fan_out']
    """
    own, left_out = traits(graph), set(without)
    known = [one for one in stored(method) if one.data not in left_out]
    if not known:
        raise ConfigError(f"all tuned defaults of {method!r} are left out", fix="Leave one in.")
    return choose_near(own, known)


def choose_near(own: Mapping[str, float], known: Iterable[Tuned]) -> Defaults:
    """The settings of the nearest of some tuned graphs; the earlier one of two that are as near."""
    ranked = [(distance(own, one.traits), one) for one in known]
    far, best = min(ranked, key=lambda pair: pair[0])
    return Defaults(dict(best.settings), best.data, far)


def _exponent(degree: np.ndarray) -> float:
    law = power_law(degree[degree > 0])
    return float(min(law.alpha, STEEPEST))


@cache
def _table() -> dict[str, list[dict[str, Any]]]:
    return json.loads(files("thence.train").joinpath(FILE).read_text(encoding="utf-8"))["methods"]
