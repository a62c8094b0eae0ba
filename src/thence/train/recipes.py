"""How each learned method is made and trained: ours and, as usable, those of others.

A recipe is all that differs between learned methods: the encoder, what its steps minimise, the settings of
training, and what to choose among on validation. One loop (:func:`~thence.train.fit.fit_scorer`) trains all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from thence.base.errors import ConfigError, nearest
from thence.base.progress import Progress, silent
from thence.encode.dual import DualConfig, DualEncoder
from thence.encode.dual_decoded import DualDecoded
from thence.encode.dual_transformer import DualTransformer, DualTransformerConfig
from thence.encode.known import check_fittable
from thence.encode.peer.blade import BladeConfig, BladeEncoder
from thence.encode.peer.daemon import DaemonConfig, DaemonEncoder
from thence.encode.peer.digae import DiGAE
from thence.encode.peer.dir_gnn import DirGNN
from thence.encode.peer.duplex import Duplex
from thence.encode.peer.magnet import MagNet
from thence.encode.peer.sdgae import SDGAE
from thence.graph import DiGraph
from thence.train.arc_objective import ArcObjective
from thence.train.config import TrainConfig
from thence.train.fit import Validate, fit_scorer
from thence.train.neighborhood_recipes import (
    BLADE_TUNED_GRID,
    DAEMON_TUNED_GRID,
    PUBLISHED,
    TUNED,
    blade_objective,
    daemon_objective,
    pair_softmax_objective,
)
from thence.train.objective import Objective, SoftmaxObjective
from thence.train.peer_recipes import (
    ARC_TRAIN,
    DIGAE_GRID,
    DIR_GNN_GRID,
    DUAL_DECODED_GRID,
    DUPLEX_GRID,
    MAGNET_GRID,
    QUICK_TRAIN,
    SDGAE_GRID,
    arc_objective,
    duplex_objective,
)


@dataclass(frozen=True)
class Recipe:
    """One learned method.

    Args:
        encoder: from a graph, a seed and the method's settings to a module to train.
        objective: from a graph and the settings of training to what a step minimises.
        train: settings of training.
        grid: settings to choose among on validation; each is given to ``encoder`` by name.
    """

    encoder: Callable[..., nn.Module]
    objective: Callable[[DiGraph, TrainConfig], Objective]
    train: TrainConfig
    grid: tuple[dict[str, Any], ...] = ({},)


def softmax_objective(graph: DiGraph, config: TrainConfig) -> Objective:
    """Softmax over candidates and the reverse loss, on the main relation."""
    return SoftmaxObjective(graph.main, config.reverse_weight)


def _dual(graph: DiGraph, *, seed: int, **settings: Any) -> nn.Module:
    return DualEncoder(graph, DualConfig(**settings), seed=seed)


def _dual_transformer(graph: DiGraph, *, seed: int, **settings: Any) -> nn.Module:
    return DualTransformer(graph, DualTransformerConfig(**settings), seed=seed)


def _daemon(graph: DiGraph, *, seed: int, **settings: Any) -> nn.Module:
    return DaemonEncoder(graph, DaemonConfig(**settings), seed=seed)


def _blade(graph: DiGraph, *, seed: int, **settings: Any) -> nn.Module:
    return BladeEncoder(graph, BladeConfig(**settings), seed=seed)


RECIPES: dict[str, Recipe] = {
    "dual": Recipe(_dual, softmax_objective, TrainConfig(), ({"layers": 0}, {"layers": 1})),
    "dual_transformer": Recipe(
        _dual_transformer, softmax_objective, TrainConfig(), ({"layers": 1}, {"layers": 0})
    ),
    "dual_decoded": Recipe(DualDecoded, arc_objective, ARC_TRAIN, DUAL_DECODED_GRID),
    "digae": Recipe(DiGAE, arc_objective, ARC_TRAIN, DIGAE_GRID),
    "sdgae": Recipe(SDGAE, arc_objective, ARC_TRAIN, SDGAE_GRID),
    "magnet": Recipe(MagNet, arc_objective, ARC_TRAIN, MAGNET_GRID),
    "dir_gnn": Recipe(DirGNN, arc_objective, QUICK_TRAIN, DIR_GNN_GRID),
    "duplex": Recipe(Duplex, duplex_objective, QUICK_TRAIN, DUPLEX_GRID),
    "daemon": Recipe(_daemon, daemon_objective, PUBLISHED),
    "daemon_tuned": Recipe(_daemon, pair_softmax_objective, TUNED, DAEMON_TUNED_GRID),
    "blade": Recipe(_blade, blade_objective, PUBLISHED),
    "blade_tuned": Recipe(_blade, pair_softmax_objective, TUNED, BLADE_TUNED_GRID),
}


def fit_recipe(
    name: str,
    graph: DiGraph,
    *,
    validate: Validate | None = None,
    train: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    stop_at: int | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Any:
    """Train one learned method and return its scorer.

    Args:
        name: which; a key of :data:`RECIPES`.
        graph: what it may see.
        validate: from a scorer to a figure of which more is better, for early stopping.
        train: settings of training that differ from the recipe's.
        settings: of the encoder; the first of the recipe's grid when not given.
        stop_at: stop after this step of the schedule (the best step of an earlier, validated run).
        seed: of all that is random.
        progress: told after each step.

    Raises:
        ConfigError: there is no such method.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> graph = DiGraph(IdMap("abc"), {"bought_after": Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)})
        >>> fit_recipe("dual", graph, train={"steps": 2}, settings={"dim": 4, "layers": 0})
        Embeddings(3 nodes, dim 4)
    """
    if name not in RECIPES:
        raise ConfigError(f"unknown method {name!r}", fix=nearest(name, RECIPES))
    check_fittable(graph)
    recipe = RECIPES[name]
    config = replace(recipe.train, **(train or {}), seed=seed)
    model = recipe.encoder(graph, seed=seed, **(recipe.grid[0] if settings is None else settings))
    goal = recipe.objective(graph, config)
    if isinstance(goal, ArcObjective):  # it judges pairs as the encoder does
        goal = goal.of(model)
    return fit_scorer(
        graph,
        config,
        encoder=model,
        objective=goal,
        validate=validate,
        stop_at=stop_at,
        progress=progress,
    )
