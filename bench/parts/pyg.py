"""PyG's NodeLoader on thence's sampler, end to end, in the setting in which the peers are measured."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import statistics
import time

import numpy as np

from common import say
from parts import graphs

BATCH, FAN_OUT, REPEATS = 1024, [10, 10], 7


def figures(quick: bool) -> dict[str, float]:
    """``sample.pyg_loader_on_thence.seeds_per_cpu_second`` and what comes with it; medians, with spreads.

    2 M nodes, 20 M arcs, ten in-neighbours of each of 1,024 seeds and ten of each of those, one thread, no
    workers; a batch holds its arcs, ``n_id``, ``e_id``, the seeds and the counts of each hop. Also with one
    feature a node, for 400,000 nodes and 3 M arcs, and the CPU seconds that making the sampler takes.

    Args:
        quick: fewer batches a repeat.
    """
    import torch
    from torch_geometric.data import Data
    from torch_geometric.loader import NodeLoader

    from thence.pyg import neighbor_sampler

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    found: dict[str, float] = {}
    for graph, (indptr, neighbors) in graphs.sides().items():
        num_nodes, batches = len(indptr) - 1, 20 if quick else 100
        target = np.repeat(np.arange(num_nodes), np.diff(indptr))
        data = Data(
            edge_index=torch.from_numpy(np.stack([neighbors.astype(np.int64), target])), num_nodes=num_nodes
        )
        begun = time.process_time()
        sampler = neighbor_sampler(data, FAN_OUT)
        made = time.process_time() - begun
        seeds = torch.from_numpy(np.random.default_rng(0).integers(0, num_nodes, batches * BATCH))
        ways = {"": data}
        if graph == "power_law":
            ways["with_feature."] = Data(
                x=torch.zeros(num_nodes, 1), edge_index=data.edge_index, num_nodes=num_nodes
            )
        for way, each in ways.items():
            loader = NodeLoader(each, sampler, input_nodes=seeds, batch_size=BATCH)
            rates = {"seeds": [], "arcs": []}
            for repeat in range(REPEATS + 1):
                begun = time.process_time()
                arcs = sum(batch.num_edges for batch in loader)
                spent = time.process_time() - begun
                if repeat:
                    rates["seeds"].append(len(seeds) / spent)
                    rates["arcs"].append(arcs / spent)
            name = f"sample.pyg_loader_on_thence.{way}" + ("" if graph == "power_law" else f"{graph}.")
            for what, values in rates.items():
                key = f"{name}{what}_per_cpu_second"
                found[key], found[f"{key}.std"] = statistics.median(values), statistics.stdev(values)
            say(f"pyg: {name}seeds_per_cpu_second {statistics.median(rates['seeds']):,.0f}")
        found[f"sample.pyg_loader_on_thence.{graph}.build_cpu_seconds"] = made
    torch.set_num_threads(threads)
    return found
