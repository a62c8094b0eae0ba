"""What an encoder is given of each node: its features, and positions beside them."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from thence.graph import Arcs
from thence.graph.position import positions
from thence.task.config import TaskConfig

LOG = logging.getLogger("thence.task")
STAND_IN = ("profile",)
"""Positions of a graph whose nodes nothing else is known of."""
MOSTLY_ZERO = 0.1
"""Features of which at most this share is not 0 are sparse rows for encoders that take these."""


def node_inputs(arcs: Arcs, x: Any, config: TaskConfig) -> tuple[Tensor, int, str]:
    """Features and positions of each node.

    A graph without features is given positions all the same, so that an encoder can tell its nodes apart.

    Args:
        arcs: the arcs.
        x: ``[num_nodes, width]`` float32, dense or sparse; no columns where there are no features.
        config: which positions, and the seed of those that draw.

    Returns:
        ``[num_nodes, inputs]`` float32, how many of its last columns are positions, and what it holds in words,
        which is logged too.

    Example:
        >>> path = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)
        >>> node_inputs(path, np.zeros((3, 0), np.float32), TaskConfig())[1:]
        (13, 'no features, 13 of positions (profile)')
    """
    blocks: list[Any] = [x] if x.shape[1] else []
    told = f"{x.shape[1] or 'no'} features"
    width, kinds = 0, config.positions or (() if blocks else STAND_IN)
    if kinds:
        placed = list(positions(arcs, kinds, seed=config.seed).blocks.values())
        width = sum(block.shape[1] for block in placed)
        blocks += placed
        told += f", {width} of positions ({', '.join(kinds)})"
    LOG.info("inputs: %s", told)
    dense = [block.toarray() if sp.issparse(block) else block for block in blocks]
    return torch.from_numpy(np.ascontiguousarray(np.hstack(dense), np.float32)), width, told


def sparse_rows(x: Tensor) -> Tensor:
    """The same rows in compressed form where they are mostly zero."""
    if int(torch.count_nonzero(x)) > MOSTLY_ZERO * x.numel():
        return x
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        return x.to_sparse_csr()
