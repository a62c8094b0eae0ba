"""Going on from a trained encoder on a graph that has grown.

An encoder is kept beside its embeddings: its parameters, the ids and the names of features that their rows
belong to, and its settings. On the new graph each row finds its way back by name, whatever the order:

* a known node, or a known feature, takes its old row;
* a new node's source row is the mean of those of known sources that lead to the same targets, reached by
  u → j ← k, and its target row that of known targets that the same sources lead to, by u ← i → k; shares are
  those of :func:`~thence.encode.propagate.neighborhoods`. A node that reaches none begins at zero, where its
  features and its neighbourhood alone place it;
* a new node's bias is its own start plus what training has changed in the median of known nodes;
* a new feature begins at zero, and what is no row of anything is carried over whole.

Adam's moments begin afresh: rows have moved, and a few steps bring them back.

An encoder says what its parameters' rows are in ``rows``, from a parameter's name to ``source``, ``target``,
``node`` (of both roles), ``bias`` or ``feature``; without it, each parameter with a row a node counts as
``node``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
import torch
from torch import nn

from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.base.ids import MISSING, IdMap
from thence.encode.features import feature_names
from thence.encode.propagate import neighborhoods
from thence.graph import DiGraph

KIND = "encoder"
FAN_OUT = 32


@dataclass(frozen=True, eq=False, repr=False)
class Kept:
    """A trained encoder as it stands on disk.

    Args:
        ids: of the nodes that its rows belong to.
        features: names of the features that its rows belong to.
        state: its parameters by name.
        kind: name of the encoder's class.
        settings: of the encoder, JSON-able.
        relations: names of the graph's relations, in order.
        info: what else it should say of itself.
    """

    ids: IdMap
    features: IdMap
    state: Mapping[str, np.ndarray]
    kind: str
    settings: Mapping[str, Any]
    relations: tuple[str, ...]
    info: Mapping[str, Any]

    def __repr__(self) -> str:
        """One line with the counts."""
        size = sum(value.size for value in self.state.values())
        return f"Kept({self.kind}, {len(self.ids):,} nodes, {len(self.features):,} features, {size:,} numbers)"

    def check(self, model: nn.Module, graph: DiGraph, settings: Mapping[str, Any]) -> None:
        """Refuse to go on as another encoder than this one.

        Raises:
            ConfigError: the class, a setting, a relation or the parameters differ.
        """
        if type(model).__name__ != self.kind:
            raise ConfigError(f"the model is a {self.kind}, asked for is a {type(model).__name__}", fix=AFRESH)
        check_same(self.settings, settings)
        if tuple(graph.relations) != self.relations:
            raise ConfigError(
                f"the model has relations {', '.join(self.relations)}, the graph {', '.join(graph.relations)}",
                fix=AFRESH,
            )
        missing = sorted(set(self.state) ^ set(model.state_dict()))
        if missing:
            raise ConfigError(f"parameter {missing[0]!r} is only in one of the two", fix=AFRESH)


AFRESH = "Set it as the model has it, or train afresh without --from."


def check_same(kept: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Refuse to go on with other settings than a model's.

    Args:
        kept: the model's, as JSON gives them back.
        asked: those asked for.

    Raises:
        ConfigError: one differs.

    Example:
        >>> check_same({"dim": 8}, {"dim": 16})
        Traceback (most recent call last):
        thence.base.errors.ConfigError: the model has dim=8, asked for is dim=16. Set it as ...
    """
    for key in sorted({*kept, *asked}):
        old, new = kept.get(key), _plain(asked.get(key))
        if old != new:
            raise ConfigError(f"the model has {key}={old}, asked for is {key}={new}", fix=AFRESH)


def keep_encoder(
    folder: str | Path,
    model: nn.Module,
    graph: DiGraph,
    settings: Mapping[str, Any],
    info: Mapping[str, Any] | None = None,
) -> None:
    """Write a trained encoder as an artifact of kind ``encoder``.

    Args:
        folder: where to.
        model: the encoder, trained on ``graph``.
        graph: whose nodes and features its rows belong to.
        settings: of the encoder, JSON-able; going on asks for the same ones.
        info: what else to keep, JSON-able.
    """
    state = {name: value.numpy(force=True) for name, value in model.state_dict().items()}
    names = [] if graph.nodes is None else feature_names(graph.nodes)
    with write_artifact(folder, KIND) as draft:
        draft.tensors("state", state)
        draft.table("ids", pa.table({"id": graph.ids.array}))
        draft.table("features", pa.table({"name": pa.array(names, pa.string())}))
        draft.counts.update(nodes=graph.num_nodes, features=len(names))
        draft.config.update(
            encoder=type(model).__name__,
            settings=dict(settings),
            relations=list(graph.relations),
            shapes={name: list(value.shape) for name, value in state.items()},
            info=dict(info or {}),
        )


def kept_encoder(folder: str | Path) -> Kept:
    """Open an encoder that was kept.

    Raises:
        ArtifactError: it is absent, torn, tampered with, or no encoder.
    """
    art = open_artifact(folder, KIND)
    try:
        config, tensors = art.config, art.tensors("state")
        return Kept(
            IdMap(art.table("ids")["id"]),
            IdMap(art.table("features")["name"]),
            {name: tensors[name].reshape(shape) for name, shape in config["shapes"].items()},
            config["encoder"],
            dict(config["settings"]),
            tuple(config["relations"]),
            dict(config["info"]),
        )
    except (DataError, KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"inconsistent encoder: {error}", where=folder) from error


def warm_start(model: nn.Module, graph: DiGraph, kept: Kept, settings: Mapping[str, Any]) -> int:
    """Give a fresh encoder what an earlier one has learned.

    Args:
        model: a new encoder of ``graph``; its parameters are replaced.
        graph: what there is now; its ids may be others, in another order.
        kept: the earlier encoder.
        settings: those that ``model`` was made with.

    Returns:
        How many of the graph's nodes the earlier encoder knew.

    Raises:
        ConfigError: the encoders differ in kind or settings, or no node is known.

    Example:
        >>> import tempfile
        >>> from thence.encode.dual import DualConfig, DualEncoder
        >>> from thence.graph import Arcs
        >>> old = DiGraph(IdMap("ab"), {"bought_after": Arcs.from_pairs([0], [1], num_nodes=2)})
        >>> first = DualEncoder(old, DualConfig(dim=4))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     keep_encoder(folder + "/encoder", first, old, {"dim": 4})
        ...     kept = kept_encoder(folder + "/encoder")
        >>> new = DiGraph(IdMap("cba"), {"bought_after": Arcs.from_pairs([2, 0], [1, 1], num_nodes=3)})
        >>> second = DualEncoder(new, DualConfig(dim=4), seed=9)
        >>> warm_start(second, new, kept, {"dim": 4})
        2
        >>> bool((second.free_source[2] == first.free_source[0]).all())  # "a" is "a" wherever it stands
        True
        >>> bool((second.free_source[0] == first.free_source[0]).all())  # "c" leads where "a" does
        True
    """
    kept.check(model, graph, settings)
    place = places(kept.ids, graph.ids)
    names = [] if graph.nodes is None else feature_names(graph.nodes)
    feature_place = _places(kept.features, IdMap(names))
    rows, start = _rows_of(model, graph.num_nodes), model.state_dict()
    reach = _reach(graph, place >= 0)
    state = {}
    for name, own in start.items():
        old, fresh = kept.state[name], own.numpy(force=True)
        role = rows.get(name, "")
        if role == "feature" and len(kept.features):
            new = _moved(old, fresh, feature_place)
        elif role == "bias":
            new = _moved(old, fresh, place)
            shift = np.median((new - fresh)[place >= 0], axis=0)
            new = np.where((place >= 0)[(...,) + (None,) * (new.ndim - 1)], new, fresh + shift)
        elif role in reach:
            new = _moved(old, fresh, place)
            fill = reach[role] @ new.reshape(len(new), -1)
            new[place < 0] = fill.reshape(new.shape)[place < 0]
        elif old.shape == fresh.shape:
            new = old
        else:
            raise ConfigError(f"{name!r} has shape {old.shape} in the model, {fresh.shape} here", fix=AFRESH)
        state[name] = torch.from_numpy(np.ascontiguousarray(new, fresh.dtype)).reshape(own.shape)
    model.load_state_dict(state)
    return int((place >= 0).sum())


def _rows_of(model: nn.Module, num_nodes: int) -> Mapping[str, str]:
    declared = getattr(model, "rows", None)
    if declared is not None:
        return declared
    return {name: "node" for name, value in model.state_dict().items() if value.shape[:1] == (num_nodes,)}


def places(old: IdMap, new: IdMap) -> np.ndarray:
    """Where each node of a graph stood in an earlier model; -1 for one that is new.

    Raises:
        ConfigError: all are new.

    Example:
        >>> places(IdMap("ab"), IdMap("cba")).tolist()
        [-1, 1, 0]
    """
    place = _places(old, new)
    if not (place >= 0).any():
        raise ConfigError("the model knows none of the graph's nodes", fix="Is it a model of this data?")
    return place


def _places(old: IdMap, new: IdMap) -> np.ndarray:
    """Where each new id stood; -1 for one that is new."""
    if not len(old) or not len(new):
        return np.full(len(new), MISSING)
    return np.asarray(old.encode(new.array, missing="mark"))


def _moved(old: np.ndarray, fresh: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Old rows in their new places, zero rows for what is new."""
    if old.shape[1:] != fresh.shape[1:] or len(fresh) != len(place):
        raise ConfigError(f"rows of shape {old.shape[1:]} in the model, {fresh.shape[1:]} here", fix=AFRESH)
    moved = np.zeros_like(fresh)
    moved[place >= 0] = old[place[place >= 0]]
    return moved


def _reach(graph: DiGraph, known: np.ndarray) -> dict[str, Any]:
    """By role, matrices ``[num_nodes, num_nodes]`` whose rows are shares of known nodes of the same role."""
    out, into = neighborhoods(graph.main, fan_out=FAN_OUT)
    source, target = (_shares(near[~known] @ far, known) for near, far in ((out, into), (into, out)))
    spread = sp.csr_matrix(
        (np.ones((~known).sum()), (np.flatnonzero(~known), np.arange((~known).sum()))),
        shape=(len(known), int((~known).sum())),
    )
    whole = {"source": spread @ source, "target": spread @ target}
    return whole | {"node": _shares(whole["source"] + whole["target"], known)}


def _shares(matrix: Any, known: np.ndarray) -> sp.csr_matrix:
    """Rows scaled to sum to one over known nodes alone."""
    matrix = sp.csr_matrix(matrix @ sp.diags(known.astype(np.float64)))
    total = np.asarray(matrix.sum(1)).ravel()
    return sp.csr_matrix(sp.diags(np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)) @ matrix)


def _plain(value: Any) -> Any:
    """A setting as JSON gives it back."""
    return list(value) if isinstance(value, tuple) else value
