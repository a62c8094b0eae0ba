"""The samplers of others, each in an interpreter where it runs: seeds and arcs per CPU second, one thread."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from common import say
from parts import graphs

SCRIPT = Path(__file__).with_name("peer.py")
WHERE = {
    "pyg_loader": "pyg",
    "torch_sparse_op": "pyg",
    "dgl_loader": "dgl",
    "dgl_sampler": "dgl",
    "torch_table": "",
    "torch_unique": "",
    "numpy_unique": "",
    "scipy_rows": "",
}
"""Which interpreter each peer runs in; the empty name is this one."""

BATCHES = {"scipy_rows": 10}
REPEATS = 7


def figures(quick: bool, interpreters: Mapping[str, str]) -> dict[str, float]:
    """``sample.peer.NAME.GRAPH.seeds_per_cpu_second`` and ``….arcs_per_cpu_second``, medians, with spreads.

    Batches of 1,024 seeds (the same for all), ten in-neighbours and ten of each of those, nodes told apart
    and given local ints. What a peer's documentation advises is done: arcs sorted by target, one format.

    Args:
        quick: fewer batches a repeat.
        interpreters: path of a Python that has ``pyg`` (PyG and torch-sparse), and of one that has ``dgl``.
    """
    found: dict[str, float] = {}
    for graph, (indptr, neighbors) in graphs.files().items():
        for name, home in WHERE.items():
            python = interpreters.get(home) if home else sys.executable
            if python is None:
                say(f"peers: {name} left out: there is no interpreter for {home}")
                continue
            batches = BATCHES.get(name, 20 if quick else 100)
            command = [python, "-W", "ignore", str(SCRIPT), name, str(indptr), str(neighbors), str(batches)]
            ran = subprocess.run([*command, str(REPEATS)], capture_output=True, text=True)
            if ran.returncode:
                say(f"peers: {name} left out, it does not run: {ran.stderr.strip().splitlines()[-1:]}")
                continue
            rates = json.loads(ran.stdout.strip().splitlines()[-1])
            for what, values in rates.items():
                key = f"sample.peer.{name}.{graph}.{what}_per_cpu_second"
                found[key], found[f"{key}.std"] = statistics.median(values), statistics.stdev(values)
            say(f"peers: {graph} {name}: {statistics.median(rates['seeds']):,.0f} seeds a CPU second")
    return found
