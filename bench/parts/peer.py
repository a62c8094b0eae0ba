"""One peer's neighbour sampling, measured in a process of its own: ``python peer.py NAME INDPTR NEIGHBORS …``.

Stands alone, since it also runs where neither thence nor what it needs is installed. Prints one JSON line.
Every peer draws at most ten in-neighbours of each seed and ten of each node found, tells nodes apart and gives
them local ints; where it can, without replacement.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import numpy as np  # noqa: E402  (after the number of threads)

FAN_OUT, BATCH = (10, 10), 1024
Epoch = Callable[[], Iterator[int]]
Makers = dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], Epoch]]


def measure(epoch: Epoch, batches: int, repeats: int) -> dict[str, list[float]]:
    """Seeds and arcs per CPU second (user and system, all threads) of each repeat after a first one."""
    figures: dict[str, list[float]] = {"seeds": [], "arcs": []}
    for repeat in range(repeats + 1):
        begun = time.process_time()
        counts = list(epoch())
        spent = time.process_time() - begun
        if len(counts) != batches:
            raise RuntimeError(f"{len(counts)} batches came of {batches}")
        if repeat:
            figures["seeds"].append(BATCH * batches / spent)
            figures["arcs"].append(sum(counts) / spent)
    return figures


def pyg_loader(indptr: np.ndarray, neighbors: np.ndarray, seeds: np.ndarray) -> Epoch:
    """PyG's NeighborLoader on torch-sparse: arcs sorted by target, as its documentation advises."""
    import torch
    from torch_geometric.data import Data
    from torch_geometric.loader import NeighborLoader

    target = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    arcs = torch.from_numpy(np.stack([neighbors.astype(np.int64), target]))
    data = Data(edge_index=arcs, num_nodes=len(indptr) - 1)
    nodes = torch.from_numpy(seeds.reshape(-1))
    loader = NeighborLoader(
        data, num_neighbors=list(FAN_OUT), input_nodes=nodes, batch_size=BATCH, replace=False, is_sorted=True
    )
    return lambda: (batch.edge_index.size(1) for batch in loader)


def pyg_op(indptr: np.ndarray, neighbors: np.ndarray, seeds: np.ndarray) -> Epoch:
    """torch-sparse's compiled operator alone."""
    import torch
    import torch_sparse  # noqa: F401

    offsets, rows = torch.from_numpy(indptr), torch.from_numpy(neighbors.astype(np.int64))
    batches = [torch.from_numpy(batch) for batch in seeds]
    sample = torch.ops.torch_sparse.neighbor_sample
    return lambda: (len(sample(offsets, rows, batch, list(FAN_OUT), False, True)[1]) for batch in batches)


def dgl_graph(indptr: np.ndarray, neighbors: np.ndarray, seeds: np.ndarray) -> tuple[Any, Any, Any]:
    """A DGL graph, held by target alone, its sampler, the seeds.

    In int32 and without fusing, the fastest of its ways that is right: fused in int32, DGL 1.1.3 returns blocks
    whose local ints are out of range from the second batch on, and fused in int64 it is slower.
    """
    import dgl
    import torch

    csc = (
        torch.from_numpy(indptr.astype(np.int32)),
        torch.from_numpy(neighbors),
        torch.empty(0, dtype=torch.int32),
    )
    graph = dgl.graph(("csc", csc), num_nodes=len(indptr) - 1, idtype=torch.int32)
    sampler = dgl.dataloading.NeighborSampler(list(FAN_OUT), replace=False, fused=False)
    return graph.formats(["csc"]), sampler, torch.from_numpy(seeds.astype(np.int32))


def dgl_loader(indptr: np.ndarray, neighbors: np.ndarray, seeds: np.ndarray) -> Epoch:
    """DGL's DataLoader over its NeighborSampler, in this process."""
    import dgl

    graph, sampler, nodes = dgl_graph(indptr, neighbors, seeds)
    loader = dgl.dataloading.DataLoader(
        graph, nodes.reshape(-1), sampler, batch_size=BATCH, shuffle=False, drop_last=False, num_workers=0
    )
    return lambda: (sum(block.num_edges() for block in blocks) for _, _, blocks in loader)


def dgl_op(indptr: np.ndarray, neighbors: np.ndarray, seeds: np.ndarray) -> Epoch:
    """DGL's NeighborSampler called batch by batch."""
    graph, sampler, nodes = dgl_graph(indptr, neighbors, seeds)
    return lambda: (sum(b.num_edges() for b in sampler.sample(graph, batch)[2]) for batch in nodes)


def torch_table(indptr: np.ndarray, neighbors: np.ndarray, seeds: np.ndarray) -> Epoch:
    """Plain torch: short rows whole, long rows with replacement; local ints through a table over all nodes."""
    import torch

    offsets, rows = torch.from_numpy(indptr), torch.from_numpy(neighbors.astype(np.int64))
    table, batches = torch.zeros(len(indptr) - 1, dtype=torch.int64), [torch.from_numpy(b) for b in seeds]

    def distinct(names: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        here = torch.arange(len(names))
        table[names] = here
        first = table[names]
        kept = first == here
        return names[kept], (kept.cumsum(0) - 1)[first]

    return lambda: (_two_hops(torch_hop(offsets, rows), torch.cat, distinct, batch) for batch in batches)


def torch_unique(indptr: np.ndarray, neighbors: np.ndarray, seeds: np.ndarray) -> Epoch:
    """Plain torch: short rows whole, long rows with replacement; local ints by ``torch.unique``."""
    import torch

    offsets, rows = torch.from_numpy(indptr), torch.from_numpy(neighbors.astype(np.int64))
    batches = [torch.from_numpy(batch) for batch in seeds]

    def distinct(names: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        found, local = torch.unique(names, return_inverse=True)
        return found, local

    return lambda: (_two_hops(torch_hop(offsets, rows), torch.cat, distinct, batch) for batch in batches)


def torch_hop(offsets: Any, rows: Any) -> Callable[[Any, int], Any]:
    import torch

    def hop(nodes: torch.Tensor, most: int) -> torch.Tensor:
        begin = offsets[nodes]
        degree = offsets[nodes + 1] - begin
        count = degree.clamp(max=most)
        owner = torch.repeat_interleave(count)
        place = torch.arange(len(owner)) - (count.cumsum(0) - count)[owner]
        size = degree[owner]
        place = torch.where(size > most, (torch.rand(len(owner)) * size).long(), place)
        return rows[begin[owner] + place]

    return hop


def numpy_unique(indptr: np.ndarray, neighbors: np.ndarray, seeds: np.ndarray) -> Epoch:
    """Plain NumPy: short rows whole, long rows with replacement; local ints by ``np.unique``."""
    random = np.random.default_rng(0)

    def hop(nodes: np.ndarray, most: int) -> np.ndarray:
        begin = indptr[nodes]
        degree = indptr[nodes + 1] - begin
        count = np.minimum(degree, most)
        owner = np.repeat(np.arange(len(nodes)), count)
        place = np.arange(len(owner)) - (np.cumsum(count) - count)[owner]
        size = degree[owner]
        place = np.where(size > most, (random.random(len(owner)) * size).astype(np.int64), place)
        return neighbors[begin[owner] + place]

    def distinct(names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.unique(names, return_inverse=True)

    return lambda: (_two_hops(hop, np.concatenate, distinct, batch) for batch in seeds)


def scipy_rows(indptr: np.ndarray, neighbors: np.ndarray, seeds: np.ndarray) -> Epoch:
    """SciPy: the rows of a sparse matrix, the ten smallest of random keys in each; without replacement."""
    from scipy.sparse import csr_array

    random, size = np.random.default_rng(0), len(indptr) - 1
    matrix = csr_array(
        (np.ones(len(neighbors), np.int8), neighbors, indptr.astype(np.int32)), shape=(size, size)
    )

    def hop(nodes: np.ndarray, most: int) -> np.ndarray:
        rows = matrix[nodes]
        owner = np.repeat(np.arange(len(nodes)), np.diff(rows.indptr))
        order = np.lexsort((random.random(len(owner)), owner))
        return rows.indices[order][np.arange(len(owner)) - rows.indptr[owner] < most]

    def distinct(names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.unique(names, return_inverse=True)

    return lambda: (_two_hops(hop, np.concatenate, distinct, batch) for batch in seeds)


def _two_hops(hop: Callable, join: Callable, distinct: Callable, batch: Any) -> int:
    """Two hops of a plain peer; each node looks at its neighbours once; the arcs drawn."""
    first = hop(batch, FAN_OUT[0])
    near, _ = distinct(first)
    second = hop(near, FAN_OUT[1])
    _, local = distinct(join([batch, first, second]))
    return len(local) - len(batch)


MAKERS: Makers = {
    "pyg_loader": pyg_loader,
    "torch_sparse_op": pyg_op,
    "dgl_loader": dgl_loader,
    "dgl_sampler": dgl_op,
    "torch_table": torch_table,
    "torch_unique": torch_unique,
    "numpy_unique": numpy_unique,
    "scipy_rows": scipy_rows,
}


def main(name: str, indptr: str, neighbors: str, batches: str, repeats: str) -> None:
    """Measure one peer on one graph and print its figures."""
    if "numpy" not in name and "scipy" not in name:
        import torch

        torch.set_num_threads(1)
        torch.manual_seed(0)
    offsets, rows = np.load(indptr), np.load(neighbors)
    seeds = np.random.default_rng(0).integers(0, len(offsets) - 1, (int(batches), BATCH))
    print(json.dumps(measure(MAKERS[name](offsets, rows, seeds), int(batches), int(repeats))))


if __name__ == "__main__":
    main(*sys.argv[1:])
