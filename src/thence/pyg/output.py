"""From thence's :class:`Sample` to what PyG's loaders take: tensors, arcs from their source to their target."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch_geometric.sampler import HeteroSamplerOutput, SamplerOutput

from thence.base.errors import ConfigError
from thence.graph.sample.kernel.draw import look_up
from thence.graph.sample.sample import Sample
from thence.graph.sample.side import Direction
from thence.pyg.space import EdgeType, NodeType, Space


def output_of(
    sample: Sample, space: Space, *, direction: Direction = "into", hops: bool = True
) -> SamplerOutput | HeteroSamplerOutput:
    """A sample as PyG's output.

    Args:
        sample: with as many relations as the space has edge types, and a node for each seed.
        space: of the graph.
        direction: which way the sampler looked; ``into``: the node that looks is the target.
        hops: whether the counts of each hop are told, by which ``trim_to_layer`` cuts. They never are where
            arcs do not stand hop by hop, as in a ``Shadow``'s sample.

    Returns:
        ``row`` are sources and ``col`` targets, whichever way was looked; ``edge`` the arcs' places in
        ``edge_index`` (None where some arc of the sample is none of the graph); ``batch`` the seed of each
        node, where each seed has a tree. It carries the arcs' ``scale`` (by edge type) as well.

    Raises:
        ConfigError: the sampler read another number of relations.

    Example:
        >>> from torch_geometric.data import Data
        >>> from thence.graph.sample import FanOut
        >>> from thence.pyg.sides import sides
        >>> data = Data(edge_index=torch.tensor([[1, 2], [0, 0]]), num_nodes=3)
        >>> output_of(FanOut(sides(data), [None]).sample([0]), Space.of(data)).row
        tensor([1, 2])
    """
    if sample.num_hops and sample.num_relations != len(space.edge_types):
        raise ConfigError(
            f"the sampler reads {sample.num_relations} relations, the data have {len(space.edge_types)}",
            fix="Make it from thence.pyg.sides(data), or from the graph that the data were made of.",
        )
    hops = hops and _by_hop(sample)
    return _hetero(sample, space, direction, hops) if space.hetero else _plain(sample, direction, hops)


def tensor_of(array: np.ndarray) -> Tensor:
    """The tensor that shares an array's memory, or a copy where it must not be written to."""
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def positions(sample: Sample) -> np.ndarray:
    """``Sample.position``, with memory asked for ahead."""
    if sample.num_arcs and sample.entry.min() < 0:
        return sample.position
    found = np.empty(sample.num_arcs, np.int64)
    for group, side in enumerate(sample.sides):
        part = slice(sample.arc_ptr[group], sample.arc_ptr[group + 1])
        if side.order is None:
            found[part] = sample.entry[part]
        else:
            look_up(side.order, sample.entry[part], found[part])
    return found


def _plain(sample: Sample, direction: Direction, hops: bool) -> SamplerOutput:
    ends = (sample.column, sample.row) if direction == "into" else (sample.row, sample.column)
    out = SamplerOutput(
        node=tensor_of(sample.nodes),
        row=tensor_of(ends[0]),
        col=tensor_of(ends[1]),
        edge=_edges(positions(sample)),
        batch=None if sample.tree is None else tensor_of(sample.tree),
        num_sampled_nodes=np.diff(sample.node_ptr).tolist() if hops else None,
        num_sampled_edges=np.diff(sample.arc_ptr).tolist() if hops else None,
    )
    vars(out)["scale"] = tensor_of(sample.scale)
    return out


def _hetero(sample: Sample, space: Space, direction: Direction, hops: bool) -> HeteroSamplerOutput:
    kind, local = space.types(sample.nodes), np.empty(sample.num_nodes, np.int64)
    node: dict[NodeType, Tensor] = {}
    batch: dict[NodeType, Tensor] = {}
    found: dict[NodeType, list[int]] = {}
    for at, name in enumerate(space.node_types):
        here = np.flatnonzero(kind == at)
        local[here] = np.arange(len(here))
        node[name] = tensor_of(sample.nodes[here] - space.bounds[at])
        found[name] = np.diff(np.searchsorted(here, sample.node_ptr)).tolist()
        if sample.tree is not None:
            batch[name] = tensor_of(sample.tree[here])
    row, column, position = local[sample.row], local[sample.column], positions(sample)
    sources: dict[EdgeType, Tensor] = {}
    targets: dict[EdgeType, Tensor] = {}
    edge: dict[EdgeType, Tensor | None] = {}
    scale: dict[EdgeType, Tensor] = {}
    drawn: dict[EdgeType, list[int]] = {}
    for relation, edge_type in enumerate(space.edge_types):
        groups = [sample.group(hop, relation) for hop in range(sample.num_hops)]
        looks, seen, places, scales = (
            np.concatenate([array[group] for group in groups] or [array[:0]])
            for array in (row, column, position, sample.scale)
        )
        ends = (seen, looks) if direction == "into" else (looks, seen)
        sources[edge_type], targets[edge_type] = tensor_of(ends[0]), tensor_of(ends[1])
        edge[edge_type], scale[edge_type] = _edges(places), tensor_of(scales)
        drawn[edge_type] = [group.stop - group.start for group in groups]
    out = HeteroSamplerOutput(
        node=node,  # type: ignore[arg-type]
        row=sources,  # type: ignore[arg-type]
        col=targets,  # type: ignore[arg-type]
        edge=edge,  # type: ignore[arg-type]
        batch=None if sample.tree is None else batch,  # type: ignore[arg-type]
        num_sampled_nodes=found if hops else None,  # type: ignore[arg-type]
        num_sampled_edges=drawn if hops else None,  # type: ignore[arg-type]
    )
    vars(out)["scale"] = scale
    return out


def _by_hop(sample: Sample) -> bool:
    """Every arc is looked at by a node that was found in an earlier hop than the arc's."""
    ends = sample.arc_ptr[:: max(sample.num_relations, 1)]
    rows = (sample.row[ends[hop] : ends[hop + 1]].max(initial=-1) for hop in range(sample.num_hops))
    return all(last < known for last, known in zip(rows, sample.node_ptr[1:], strict=False))


def _edges(position: np.ndarray) -> Tensor | None:
    return None if len(position) and position.min() < 0 else tensor_of(position)
