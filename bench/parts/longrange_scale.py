"""What a global channel costs beside message passing: one forward and backward pass, from 10⁴ to 2·10⁶ nodes.

Each size runs in processes of its own: one in which a channel and a two-layer SAGE take turns, whose CPU
seconds are compared (``over_sage``: the median of five ratios; ``fastest``: the fastest of one over the fastest
of the other), and one with the channel alone, for its peak memory. Rows are 64 wide; the graph is the
power-law one of :mod:`parts.graphs`, ten arcs a node. ``growth`` is the slope of log seconds over log nodes
between the largest two; 1 is linear.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

DIM, ARCS_A_NODE, REPEATS = 64, 10, 5
SIZES = (10_000, 100_000, 1_000_000, 2_000_000)
CHANNELS = ("cosine", "slots", "sigmoid", "community", "codebook")
FAR = CHANNELS[:2]
"""Channels that are measured at all sizes."""
KEEP = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40), "MALLOC_TOP_PAD_": str(1 << 30)}
"""Memory once had is kept by a process that compares times: handed back and taken anew for every tensor, as
glibc does with large ones, it costs more on a virtual machine than the work."""


def scale(arguments: argparse.Namespace) -> dict[str, float]:
    """Figures ``scale.CHANNEL.NODES.{seconds, over_sage, peak_gib}`` and what the largest size gives."""
    figures: dict[str, float] = {}
    sizes = SIZES[:3] if arguments.quick else SIZES
    for channel in CHANNELS:
        seconds, own = {}, sizes if channel in FAR else sizes[:2]
        for nodes in own:
            found = {**_child("turns", channel, nodes), **_child("alone", channel, nodes)}
            figures |= {f"scale.{channel}.{nodes}.{key}": value for key, value in found.items()}
            seconds[nodes] = found["seconds"]
        low, high = own[-2], own[-1]
        figures[f"scale.{channel}.growth"] = math.log(seconds[high] / seconds[low]) / math.log(high / low)
    last = f"scale.{CHANNELS[0]}.{sizes[-1]}"
    figures["scale.linear_attention_over_sage"] = figures[f"{last}.over_sage"]
    figures["scale.peak_gib"] = figures[f"{last}.peak_gib"]
    return figures


PARTS = {"scale": scale}


def _child(what: str, channel: str, nodes: int) -> Mapping[str, float]:
    command = [sys.executable, str(Path(__file__).resolve()), what, channel, str(nodes)]
    path = os.pathsep.join([str(Path(__file__).resolve().parent.parent), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "PYTHONPATH": path, **(KEEP if what == "turns" else {})}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=env)
    return json.loads(done.stdout.splitlines()[-1])


def _measure(what: str, channel: str, nodes: int) -> dict[str, float]:
    """One process's figures: seconds of both in turns, or the peak memory of the channel alone."""
    import numpy as np
    import torch

    from parts.graphs import make
    from thence.encode.attention.channel import make_channel
    from thence.encode.layer.stack import Stack, StackConfig
    from thence.encode.layer.view import View
    from thence.graph import Arcs

    settings = {"codes": 256} if channel == "codebook" else {}
    x = torch.randn(nodes, DIM, generator=torch.Generator().manual_seed(0)).requires_grad_()
    global_layer = make_channel(channel, DIM, settings=settings)
    needs_arcs = what == "turns" or channel == "community"
    if needs_arcs:
        indptr, source = make("power_law", nodes, ARCS_A_NODE * nodes)
        target = np.repeat(np.arange(nodes, dtype=np.int32), np.diff(indptr))
        view = View(Arcs.from_pairs(source, target, num_nodes=nodes))
    else:
        view = View(Arcs.from_pairs([], [], num_nodes=nodes))

    def passed(layer: torch.nn.Module) -> float:
        begun = time.process_time()
        layer(x, view).square().mean().backward()
        x.grad = None
        return time.process_time() - begun

    passed(global_layer)
    if what == "alone":
        return {"peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}
    sage = Stack(
        DIM, StackConfig("sage", dim=DIM, layers=2, first=False, residual=False, norm="none", dropout=0.0)
    )
    passed(sage)
    pairs = [(passed(global_layer), passed(sage)) for _ in range(REPEATS)]
    ratios = [ours / theirs for ours, theirs in pairs]
    return {
        "seconds": statistics.median(ours for ours, _ in pairs),
        "over_sage": statistics.median(ratios),
        "over_sage.fastest": min(ours for ours, _ in pairs) / min(theirs for _, theirs in pairs),
        "over_sage.std": statistics.stdev(ratios),
    }


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
