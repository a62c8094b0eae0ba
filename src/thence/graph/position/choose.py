"""Positions of the kinds that are asked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from thence.base.errors import ConfigError, DataError, check_settings, nearest
from thence.base.ids import IdMap
from thence.graph.arcs import Arcs
from thence.graph.digraph import DiGraph
from thence.graph.position.anchors import anchors
from thence.graph.position.approximate import approximate_laplacian, approximate_magnetic
from thence.graph.position.found import Found
from thence.graph.position.keys import node_keys
from thence.graph.position.laplacian import laplacian
from thence.graph.position.magnetic import magnetic
from thence.graph.position.positions import Positions, fingerprint
from thence.graph.position.profile import profile
from thence.graph.position.propagate import propagate
from thence.graph.position.svd import svd
from thence.graph.position.walks import returns

KINDS: Mapping[str, Callable[..., Found]] = {
    method.__name__: method
    for method in (
        propagate,
        returns,
        profile,
        laplacian,
        magnetic,
        approximate_laplacian,
        approximate_magnetic,
        anchors,
        svd,
    )
}
DEFAULT = ("propagate", "returns", "profile")
GIVEN = ("arcs", "seed", "keys")


def positions(
    graph: DiGraph | Arcs,
    kinds: Sequence[str] | Mapping[str, Mapping[str, Any]] = DEFAULT,
    *,
    seed: int = 0,
    ids: IdMap | None = None,
    relation: str | None = None,
) -> Positions:
    """Positions of all nodes, block by block.

    Args:
        graph: a graph, or the arcs of one.
        kinds: names of methods (:data:`KINDS`), or by name the settings of each method where they differ from
            its own.
        seed: of all that is drawn.
        ids: external ids of arcs' nodes, on which random rows then hang; those of a graph are its own.
        relation: which relation of a graph; the main one when not given.

    Raises:
        ConfigError: a kind or one of its settings is unknown or out of range.
        DataError: there is no such relation, or there are not as many ids as nodes.

    Example:
        >>> path = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)
        >>> positions(path, {"profile": {"hops": 1}})
        Positions(3 nodes, 9 columns: profile)
    """
    if isinstance(graph, DiGraph):
        ids, arcs = graph.ids, graph.main if relation is None else graph[relation]
    else:
        arcs = graph
    if ids is not None and len(ids) != arcs.num_nodes:
        raise DataError(f"{len(ids)} ids for {arcs.num_nodes} nodes")
    asked = dict(kinds) if isinstance(kinds, Mapping) else {name: {} for name in kinds}
    for name, settings in asked.items():
        check_settings(name, settings, settings_of(name))
    if not asked:
        raise ConfigError("no kind of positions is asked for", fix=nearest("", KINDS))
    keys, blocks, told = node_keys(ids, arcs.num_nodes), {}, {}
    for name, settings in asked.items():
        taken = {"seed": seed, "keys": keys}
        given = {key: value for key, value in taken.items() if key in _parameters(name)}
        found = KINDS[name](arcs, **given, **settings)
        blocks |= found.blocks
        told[name] = {"settings": dict(settings), **found.info}
    info = {"fingerprint": fingerprint(arcs), "seed": seed, "arcs": arcs.num_arcs, "kinds": told}
    return Positions(ids, blocks, info)


def settings_of(kind: str) -> dict[str, Any]:
    """The settings of a kind with their defaults.

    Raises:
        ConfigError: there is no such kind.

    Example:
        >>> settings_of("profile")
        {'hops': 3, 'exact': None}
    """
    if kind not in KINDS:
        raise ConfigError(f"no kind of positions {kind!r}", fix=nearest(kind, KINDS))
    return {name: each.default for name, each in _parameters(kind).items() if name not in GIVEN}


def _parameters(kind: str) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(KINDS[kind]).parameters
