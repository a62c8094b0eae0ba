"""Any method by its name: plain baselines, published methods and ours, fitted by one call.

Settings are one flat table for every kind of method. Those of training bear the prefix ``train.``; the rest go
to the function or the encoder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from thence.base.errors import ConfigError, nearest
from thence.base.progress import Progress, silent
from thence.encode.baseline import BASELINES, GRIDS
from thence.encode.peer import PEER_GRIDS, PEERS
from thence.encode.spectral import SPECTRAL_GRID, spectral
from thence.graph import DiGraph
from thence.train.fit import Validate
from thence.train.recipes import RECIPES, fit_recipe

TRAIN = "train."
Settings = Mapping[str, Any]
COMPUTED: Mapping[str, Callable[..., Any]] = {"spectral": spectral, **PEERS, **BASELINES}
"""Methods that are functions of a graph: ours, published and plain ones."""
GRIDS_OF: Mapping[str, tuple[dict[str, Any], ...]] = {"spectral": SPECTRAL_GRID, **PEER_GRIDS, **GRIDS}


def methods() -> list[str]:
    """Names of all methods: those that are computed, those that are trained.

    Example:
        >>> {"counts", "dual", "spectral"} <= set(methods())
        True
    """
    return [*COMPUTED, *RECIPES]


def check_method(name: str) -> str:
    """The name itself.

    Raises:
        ConfigError: there is no such method.

    Example:
        >>> check_method("count")
        Traceback (most recent call last):
        thence.base.errors.ConfigError: unknown method 'count'. Did you mean 'counts'?
    """
    if name not in methods():
        raise ConfigError(f"unknown method {name!r}", fix=nearest(name, methods()))
    return name


def grid_of(name: str) -> tuple[dict[str, Any], ...]:
    """The settings that a method's own file proposes to choose among; one empty table where it has none.

    Example:
        >>> grid_of("lift")[0], grid_of("counts")
        ({'power': 0.1}, ({},))
    """
    if check_method(name) in RECIPES:
        return tuple(RECIPES[name].grid) or ({},)
    return tuple(GRIDS_OF.get(name, ({},)))


def divided(settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings of the method itself, and those of training without their prefix.

    Example:
        >>> divided({"dim": 64, "train.steps": 9})
        ({'dim': 64}, {'steps': 9})
    """
    own = {key: value for key, value in settings.items() if not key.startswith(TRAIN)}
    train = {key.removeprefix(TRAIN): value for key, value in settings.items() if key.startswith(TRAIN)}
    return own, train


def fit_method(
    name: str,
    graph: DiGraph,
    settings: Settings | None = None,
    *,
    validate: Validate | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Any:
    """Fit one method to a graph and return its scorer.

    Args:
        name: one of :func:`methods`.
        graph: what it may see.
        settings: flat, as :func:`divided` reads them; the method's defaults where none are given.
        validate: for methods that are trained, from a scorer to a figure of which more is better.
        seed: of all that is random in methods that are trained.
        progress: told after each step of training.

    Raises:
        ConfigError: there is no such method or setting.
        FitError: training breaks down.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3, weight=[4.0, 1.0])
        >>> graph = DiGraph(IdMap("abc"), {"bought_after": arcs})
        >>> fit_method("lift", graph, {"power": 0.5}).scores([0]).tolist()
        [[0.0, 2.0, 0.0]]
    """
    own, train = divided(settings or {})
    if check_method(name) in RECIPES:
        chosen = own or None  # none: what the recipe begins with
        return fit_recipe(
            name, graph, validate=validate, train=train, settings=chosen, seed=seed, progress=progress
        )
    if train:
        raise ConfigError(f"{name!r} is not trained, yet {TRAIN}{next(iter(train))} is set", fix="Drop it.")
    return COMPUTED[name](graph, **own)
