"""PyG's ``NeighborLoader`` and ``LinkNeighborLoader`` with thence's sampler: change the import, and no more."""

from __future__ import annotations

from functools import wraps
from inspect import signature
from typing import Any

from torch_geometric.loader import LinkNeighborLoader as PlainLinkNeighborLoader
from torch_geometric.loader import NeighborLoader as PlainNeighborLoader
from torch_geometric.sampler.base import SubgraphType

from thence.base.errors import ConfigError
from thence.graph.sample.side import Direction
from thence.pyg.latest import Latest
from thence.pyg.sampler import Output, Sampler, fan_outs, neighbor_sampler
from thence.pyg.sides import sides


class NeighborLoader(PlainNeighborLoader):
    """``torch_geometric.loader.NeighborLoader``, with its arguments and meaning, from PyPI alone.

    It takes two arguments more: ``seed`` of the randomness, and ``direction`` (``into``, or ``out`` to look
    along the arcs). With ``neighbor_sampler=`` any :class:`Sampler` takes the place of fan-out sampling;
    ``num_neighbors`` is then not looked at. Directional batches carry ``scale`` for each arc, 1 / (the chance
    that it is drawn), unless the data have an attribute of that name; a ``transform`` does not see it yet.

    Raises:
        ConfigError: ``replace=True``, a temporal strategy without times, or whatever :func:`neighbor_sampler`
            refuses.

    Example:
        >>> import torch
        >>> from torch_geometric.data import Data
        >>> data = Data(x=torch.eye(4), edge_index=torch.tensor([[1, 2, 3], [0, 0, 2]]))
        >>> batch = next(iter(NeighborLoader(data, num_neighbors=[2, 2], input_nodes=[0], batch_size=1)))
        >>> batch.n_id.tolist(), batch.edge_index.tolist(), batch.num_sampled_nodes
        ([0, 1, 2, 3], [[1, 2, 3], [0, 0, 2]], [1, 2, 1])
    """

    @wraps(PlainNeighborLoader.__init__)
    def __init__(self, *args: Any, seed: int = 0, direction: Direction = "into", **options: Any) -> None:
        super().__init__(**_completed(PlainNeighborLoader, args, options, seed, direction))

    def filter_fn(self, out: Output) -> Any:
        """The batch of a sample: features of its nodes and arcs, and the arcs' scale."""
        return _with_scale(super().filter_fn(out), out)


class LinkNeighborLoader(PlainLinkNeighborLoader):
    """``torch_geometric.loader.LinkNeighborLoader``, with its arguments and meaning, from PyPI alone.

    See :class:`NeighborLoader` for what it takes and gives beside. Negatives are drawn from a generator of
    their own; like PyG's they may hit a true arc.

    Raises:
        ConfigError: see :class:`NeighborLoader`.

    Example:
        >>> import torch
        >>> from torch_geometric.data import Data
        >>> data = Data(edge_index=torch.tensor([[1, 2, 3], [0, 0, 2]]), num_nodes=4)
        >>> batch = next(iter(LinkNeighborLoader(data, [2], neg_sampling="binary", batch_size=3)))
        >>> batch.edge_label.tolist()
        [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    """

    @wraps(PlainLinkNeighborLoader.__init__)
    def __init__(self, *args: Any, seed: int = 0, direction: Direction = "into", **options: Any) -> None:
        super().__init__(**_completed(PlainLinkNeighborLoader, args, options, seed, direction))

    def filter_fn(self, out: Output) -> Any:
        """The batch of a sample: features of its nodes and arcs, and the arcs' scale."""
        return _with_scale(super().filter_fn(out), out)


def _completed(
    plain: type, args: tuple[Any, ...], options: dict[str, Any], seed: int, direction: Direction
) -> dict[str, Any]:
    """The arguments of one of PyG's loaders, by name, with the sampler that they ask for."""
    bound = signature(plain.__init__).bind(None, *args, **options)
    bound.apply_defaults()
    named = {key: value for key, value in bound.arguments.items() if key not in ("self", "kwargs")}
    if named["neighbor_sampler"] is None:
        named["neighbor_sampler"] = _sampler_for(named, seed, direction)
    return {**named, **bound.arguments["kwargs"]}


def _sampler_for(named: dict[str, Any], seed: int, direction: Direction) -> Sampler:
    if named["replace"]:
        fix = "Leave replace out: a neighbour is drawn at most once."
        raise ConfigError("replace=True is not offered", where="num_neighbors", fix=fix)
    data, time_attr = named["data"], named["time_attr"]
    subgraph_type = named["subgraph_type"] if named.get("directed", True) else SubgraphType.induced
    strategy = named["temporal_strategy"]
    if strategy not in ("uniform", "last"):
        raise ConfigError(f"no temporal_strategy {strategy!r}", fix="It is 'uniform' or 'last'.")
    if strategy == "uniform" or time_attr is None:
        return neighbor_sampler(
            data,
            named["num_neighbors"],
            subgraph_type=subgraph_type,
            disjoint=named["disjoint"],
            time_attr=time_attr,
            weight_attr=named["weight_attr"],
            direction=direction,
            seed=seed,
        )
    if named["weight_attr"] is not None:
        raise ConfigError("the latest arcs are not drawn by weight", fix="Leave weight_attr out.")
    latest = Latest(
        sides(data, direction=direction, time_attr=time_attr), fan_outs(data, named["num_neighbors"])
    )
    return Sampler(
        latest, data, subgraph_type=subgraph_type, direction=direction, time_attr=time_attr, seed=seed
    )


def _with_scale(batch: Any, out: Output) -> Any:
    scale = vars(out).get("scale")
    if isinstance(scale, dict):
        for edge_type, values in scale.items():
            if "scale" not in batch[edge_type]:
                batch[edge_type].scale = values
    elif scale is not None and "scale" not in batch:
        batch.scale = scale
    return batch
