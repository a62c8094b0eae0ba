"""thence's samplers as a PyG ``BaseSampler``: ``NodeLoader`` and ``LinkLoader`` then need nothing but PyPI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import get_worker_info
from torch_geometric.data import Data, HeteroData
from torch_geometric.sampler import (
    BaseSampler,
    EdgeSamplerInput,
    HeteroSamplerOutput,
    NegativeSampling,
    NodeSamplerInput,
    SamplerOutput,
)
from torch_geometric.sampler.base import NumNeighbors, SubgraphType
from torch_geometric.sampler.neighbor_sampler import edge_sample, node_sample

from thence.base.errors import ConfigError, DataError
from thence.base.rng import derive_seed
from thence.graph.sample import Direction, FanOut, NeighborSampler
from thence.pyg.carry import packed, unpacked
from thence.pyg.negatives import Negatives
from thence.pyg.output import output_of
from thence.pyg.reshape import induced, one_each
from thence.pyg.sides import sides, times_of
from thence.pyg.space import Space, relation_name

Output = SamplerOutput | HeteroSamplerOutput
Neighbors = Sequence[int] | Mapping[Any, Sequence[int]] | NumNeighbors
Seeds = Tensor | dict[Any, Tensor]


class Sampler(BaseSampler):
    """Any of thence's neighbour samplers, for PyG's loaders.

    The k-th call, a batch of a loader without workers, is the sampler's step k (from 0), so it can be drawn
    again outside. In a worker the step follows from the worker's seed, which torch derives from the loader's
    generator in each epoch. Sent to another process, arrays that lie in a file are mapped there again and not
    copied.

    Args:
        sampler: what draws; made from :func:`sides` of the data, or from the graph that the data were made of.
        data: what the loader gets.
        subgraph_type: ``directional``: the arcs that were drawn; ``bidirectional``: both directions of them;
            ``induced``: all arcs of the graph among the nodes that were found, or those of each tree.
        direction: which way the sampler looks: ``into`` (the default everywhere in this room) at the sources
            of the arcs that lead to a node.
        time_attr: the sampler's time, where it has one: seeds without a time take their node's.
        seed: of negatives.

    Raises:
        ConfigError: there is no such subgraph type or direction.
        DataError: sampler and data have different nodes, or the time is not there.

    Example:
        >>> from thence.graph.sample.labor import Labor
        >>> data = Data(edge_index=torch.tensor([[1, 2, 3], [0, 0, 2]]), num_nodes=4)
        >>> sampler = Sampler(Labor(sides(data), [2, 2]), data)
        >>> sampler.sample_from_nodes(NodeSamplerInput(None, torch.tensor([0]))).node
        tensor([0, 1, 2, 3])
    """

    def __init__(
        self,
        sampler: NeighborSampler,
        data: Data | HeteroData,
        *,
        subgraph_type: SubgraphType | str = "directional",
        direction: Direction = "into",
        time_attr: str | None = None,
        seed: int = 0,
    ) -> None:
        self._space, self._sampler = Space.of(data), sampler
        self._direction: Direction = direction
        if sampler.num_nodes != self._space.num_nodes:
            raise DataError(f"the sampler has {sampler.num_nodes} nodes, the data {self._space.num_nodes}")
        if direction not in ("out", "into"):
            raise ConfigError(f"no direction {direction!r}", fix="It is 'out' or 'into'.")
        try:
            self._type = SubgraphType(subgraph_type)
        except ValueError as error:
            fix = "It is 'directional', 'bidirectional' or 'induced'."
            raise ConfigError(f"no subgraph_type {subgraph_type!r}", fix=fix) from error
        self._timed, self._seed, self._calls = time_attr is not None, seed, 0
        self._node_time = times_of(data, time_attr)[0]
        nobody = np.empty(0, np.int64)
        self.disjoint = sampler.sample(nobody, times=nobody if self._timed else None).tree is not None

    def sample_from_nodes(self, index: NodeSamplerInput) -> Output:  # type: ignore[override]
        """The neighbourhood of some nodes.

        Args:
            index: seeds, their times and type, and their places among the loader's input nodes.

        Raises:
            DataError: a seed is no node.
            ConfigError: a time is given that the sampler cannot heed, or is missing.
        """
        return self._finished(node_sample(index, partial(self._sample, self._step())))

    def sample_from_edges(
        self, index: EdgeSamplerInput, neg_sampling: NegativeSampling | None = None
    ) -> Output:
        """The neighbourhood of the ends of some arcs, and of negatives beside them.

        Args:
            index: sources and targets, labels, times and type, and their places among the loader's input.
            neg_sampling: how many negatives of which kind.

        Raises:
            DataError: an end is no node.
            ConfigError: a time is given that the sampler cannot heed, or is missing.
        """
        step, wanted = self._step(), cast(NegativeSampling | None, NegativeSampling.cast(neg_sampling))
        if index.time is not None and not self._timed:
            raise ConfigError("arcs to sample from have times, the sampler none", fix="Give time_attr=.")
        if wanted is not None and self._node_time and index.time is None:
            raise ConfigError(
                "negatives among nodes with times need the arcs' times", fix="Give edge_label_time=."
            )
        times = {name: torch.from_numpy(time) for name, time in self._node_time.items()}
        counts = {name: int(np.diff(self._space.span(name))[0]) for name in self._space.node_types}
        out = edge_sample(
            index,
            partial(self._sample, step),
            counts if self._space.hetero else counts[None],  # type: ignore[arg-type]
            self.disjoint,
            (times if self._space.hetero else times[None]) if times else None,  # type: ignore[arg-type]
            None if wanted is None else Negatives(wanted, seed=self._seed, step=step),
        )
        return self._finished(out)

    def __getstate__(self) -> dict[str, Any]:
        """What goes to another process."""
        return {**vars(self), "_sampler": packed(self._sampler)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Come to life there."""
        vars(self).update(state, _sampler=unpacked(state["_sampler"]))

    def _finished(self, out: Output) -> Output:
        if self._type != SubgraphType.directional:
            del vars(out)["scale"]
        return out.to_bidirectional() if self._type == SubgraphType.bidirectional else out  # type: ignore[return-value]

    def _step(self) -> int:
        """Which draw this is; another one in each call, in each worker and in each epoch."""
        worker, call = get_worker_info(), self._calls
        self._calls += 1
        return call if worker is None else derive_seed(worker.seed, "pyg", call)

    def _sample(self, step: int, seeds: Seeds, seed_time: Seeds | None = None) -> Output:
        """What PyG's ``node_sample`` and ``edge_sample`` ask for."""
        typed: dict[str | None, Tensor] = seeds if isinstance(seeds, dict) else {None: seeds}
        given: dict[str | None, Any] = seed_time if isinstance(seed_time, dict) else {None: seed_time}
        nodes = {name: each.numpy() for name, each in typed.items()}
        roots = np.concatenate([self._space.place(name, each) for name, each in nodes.items()])
        moments = [self._times(name, each, given.get(name)) for name, each in nodes.items()]
        times = np.concatenate([time for time in moments if time is not None]) if self._timed else None
        sample = self._sampler.sample(roots, step=step, times=times)
        if (sample.tree is not None) != self.disjoint:
            raise ConfigError(
                "the sampler gives trees only sometimes", fix="Use one that always or never does."
            )
        whole = self._type == SubgraphType.induced
        sample = induced(sample, times) if whole else sample
        sample = sample if self.disjoint else one_each(sample)
        return output_of(sample, self._space, direction=self._direction, hops=not whole)

    def _times(self, node_type: str | None, nodes: np.ndarray, given: Tensor | None) -> np.ndarray | None:
        if not self._timed:
            if given is not None:
                raise ConfigError("seeds have times, the sampler none", fix="Give time_attr=.")
            return None
        if given is not None:
            return given.numpy().astype(np.int64)
        if node_type not in self._node_time:
            raise ConfigError("seeds have no times", fix="Give input_time= or edge_label_time=.")
        return self._node_time[node_type][nodes]


def neighbor_sampler(
    data: Data | HeteroData,
    num_neighbors: Neighbors,
    *,
    subgraph_type: SubgraphType | str = "directional",
    disjoint: bool = False,
    time_attr: str | None = None,
    weight_attr: str | None = None,
    direction: Direction = "into",
    seed: int = 0,
) -> Sampler:
    """Fan-out sampling for PyG's loaders, as ``torch_geometric.sampler.NeighborSampler`` does it.

    Args:
        data: what the loader gets.
        num_neighbors: how many neighbours a node keeps in each hop, -1 for all of them; for ``HeteroData`` the
            same for all edge types, or by edge type.
        subgraph_type: see :class:`Sampler`.
        disjoint: give each seed a neighbourhood of its own (always so with ``time_attr``).
        time_attr: the attribute of nodes or arcs that tells when they came to be.
        weight_attr: the attribute of arcs to draw by; uniform when not given.
        direction: see :class:`Sampler`.
        seed: of the randomness.

    Raises:
        ConfigError: a number of neighbours is none, or an edge type has none.
        DataError: an attribute is missing or wrong, or an arc leads out of range.

    Example:
        >>> from torch_geometric.loader import NodeLoader
        >>> data = Data(edge_index=torch.tensor([[1, 2, 3], [0, 0, 2]]), num_nodes=4)
        >>> loader = NodeLoader(data, neighbor_sampler(data, [-1, -1]), input_nodes=[0, 3], batch_size=1)
        >>> [batch.n_id.tolist() for batch in loader]
        [[0, 1, 2, 3], [3]]
    """
    read = sides(data, direction=direction, weight_attr=weight_attr, time_attr=time_attr)
    sampler = FanOut(
        read,
        fan_outs(data, num_neighbors),
        weight=None if weight_attr is None else "weight",
        time=None if time_attr is None else "time",
        trees=disjoint,
        seed=seed,
    )
    return Sampler(
        sampler, data, subgraph_type=subgraph_type, direction=direction, time_attr=time_attr, seed=seed
    )


def fan_outs(data: Data | HeteroData, num_neighbors: Neighbors) -> dict[str, list[int | None]]:
    """PyG's numbers of neighbours as thence's fan-outs, by name of the relation.

    Raises:
        ConfigError: they do not fit the edge types, or one is below -1.

    Example:
        >>> fan_outs(Data(), [5, -1])
        {'arcs': [5, None]}
    """
    try:
        wanted = num_neighbors if isinstance(num_neighbors, NumNeighbors) else NumNeighbors(num_neighbors)  # type: ignore[arg-type]
        numbers: Any = wanted.get_values(None if isinstance(data, Data) else data.edge_types)
    except (ValueError, AttributeError, TypeError, AssertionError) as error:
        raise ConfigError(
            f"num_neighbors: {error}", where=num_neighbors, fix="Give a list, or one by edge type."
        ) from error
    numbers = {None: numbers} if isinstance(data, Data) else numbers
    if not all(isinstance(each, Sequence) for each in numbers.values()):
        raise ConfigError(f"num_neighbors is {num_neighbors}", fix="Give a list, or one by edge type.")
    return {
        relation_name(name): [None if most == -1 else most for most in each] for name, each in numbers.items()
    }
