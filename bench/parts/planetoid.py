"""Planetoid's Cora and CiteSeer with the one split that tuned networks were published on, as an ``.npz`` file.

    THENCE_DATA=… python bench/parts/planetoid.py FOLDER      FOLDER holds ind.cora.x … of kimiyoung/planetoid

The published figures (arXiv 2406.08993) stand on one draw of 20 labels a class, 500 to choose on and 1,000 to
test: torch's permutations with seed 123 over Planetoid's order of nodes. The files are read by PyTorch
Geometric and written in the layout of the heterophilous benchmark, which thence reads.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

SEED, LABELS, CHOSEN_ON, TESTED = 123, 20, 500, 1000


def published_split(y: np.ndarray) -> dict[str, np.ndarray]:
    """Masks ``[1, n]`` of the draw."""
    with torch.random.fork_rng([]):
        torch.default_generator.manual_seed(SEED)
        own = [np.flatnonzero(y == label) for label in np.unique(y)]
        drawn = [rows[torch.randperm(len(rows)).numpy()] for rows in own]
        rest = np.concatenate([rows[LABELS:] for rows in drawn])
        rest = rest[torch.randperm(len(rest)).numpy()]
    parts = {
        "train": np.concatenate([rows[:LABELS] for rows in drawn]),
        "val": rest[:CHOSEN_ON],
        "test": rest[CHOSEN_ON : CHOSEN_ON + TESTED],
    }
    return {f"{name}_masks": np.isin(np.arange(len(y)), rows)[None] for name, rows in parts.items()}


def convert(folder: Path, name: str, into: Path) -> None:
    """Write one graph."""
    from torch_geometric.io import read_planetoid_data

    data: Any = read_planetoid_data(str(folder), name)
    arrays: dict[str, Any] = {
        "node_features": data.x.numpy(),
        "node_labels": data.y.numpy(),
        "edges": data.edge_index.numpy().T,
    }
    arrays |= published_split(arrays["node_labels"])
    np.savez_compressed(into / f"planetoid_{name}.npz", **arrays)


if __name__ == "__main__":
    from related_data import folder as directed

    for each in ("cora", "citeseer"):
        convert(Path(sys.argv[1]), each, directed().parent / "graphs")
