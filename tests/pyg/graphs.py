"""Small graphs of PyG with something to learn, and their neighbourhoods once more in plain Python."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch_geometric.data import Data, HeteroData

BUYS, BOUGHT, LINKS = ("user", "buys", "item"), ("item", "bought", "user"), ("item", "links", "item")


def odd() -> Data:
    """8 nodes; arcs that stand twice, loops, a sink, a source, isolated nodes; each arc has its number."""
    pairs = [
        (1, 0),
        (2, 0),
        (1, 0),
        (0, 0),
        (3, 1),
        (0, 1),
        (4, 3),
        (3, 3),
        (5, 2),
        (4, 2),
        (1, 2),
        (6, 4),
        (2, 0),
    ]
    pairs = [pairs[at] for at in (7, 3, 11, 0, 9, 5, 1, 12, 10, 2, 8, 4, 6)]
    edge_index = torch.tensor(pairs).t().contiguous()
    return Data(
        x=torch.arange(16.0).reshape(8, 2),
        edge_index=edge_index,
        edge_attr=torch.arange(float(len(pairs))).reshape(-1, 1),
    )


def shop(seed: int = 0, users: int = 30, items: int = 20) -> HeteroData:
    """Users and items; who buys what, the same turned round, and links among items, with loops and repeats."""
    draw = np.random.default_rng(seed)
    data = HeteroData()
    data["user"].x = torch.from_numpy(draw.normal(size=(users, 5)).astype(np.float32))
    data["item"].x = torch.from_numpy(draw.normal(size=(items, 3)).astype(np.float32))
    buys = np.stack([draw.integers(0, users - 2, 80), draw.integers(0, items - 2, 80)])
    data[BUYS].edge_index = torch.from_numpy(buys)
    data[BOUGHT].edge_index = torch.from_numpy(buys[::-1].copy())
    data[LINKS].edge_index = torch.from_numpy(draw.integers(0, items, (2, 40)))
    for edge_type in data.edge_types:
        num = data[edge_type].edge_index.shape[1]
        data[edge_type].edge_attr = torch.arange(float(num)).reshape(-1, 1)
    return data


def communities(seed: int = 0, per: int = 60, kinds: int = 3) -> Data:
    """Nodes of ``kinds`` classes; arcs come mostly from the own class, features say little by themselves."""
    draw = np.random.default_rng(seed)
    y = np.repeat(np.arange(kinds), per)
    num = len(y)
    chance = np.where(y[:, None] == y[None, :], 0.12, 0.008)
    source, target = np.nonzero(draw.random((num, num)) < chance)
    x = draw.normal(size=(num, 8)) + 0.8 * np.eye(kinds, 8)[y]
    mask = torch.zeros(num, dtype=torch.bool)
    mask[torch.from_numpy(draw.permutation(num)[: num // 2])] = True
    return Data(
        x=torch.from_numpy(x.astype(np.float32)),
        y=torch.from_numpy(y),
        edge_index=torch.from_numpy(np.stack([source, target])),
        train_mask=mask,
    )


def reached(
    edge_index: Tensor, seeds: list[int], hops: int, *, into: bool = True
) -> tuple[list[set], list[set]]:
    """Nodes first met in each hop (the seeds, before the first), and places of the arcs each hop looks at."""
    pairs = edge_index.t().tolist()
    nodes, arcs, frontier, known = [set(seeds)], [], set(seeds), set(seeds)
    for _ in range(hops):
        looks, seen = (1, 0) if into else (0, 1)
        found = {at for at, pair in enumerate(pairs) if pair[looks] in frontier}
        frontier = {pairs[at][seen] for at in found} - known
        known |= frontier
        nodes.append(frontier)
        arcs.append(found)
    return nodes, arcs


def split(values: list[int], sizes: list[int]) -> list[list[int]]:
    """A list cut into parts of these sizes."""
    assert len(values) == sum(sizes)
    ends = np.cumsum(sizes).tolist()
    return [values[end - size : end] for end, size in zip(ends, sizes, strict=True)]
