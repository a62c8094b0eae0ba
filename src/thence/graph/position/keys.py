"""What a node's random numbers hang on: its external id, or its int where there are no ids.

A row of random signs is a hash of the seed, the purpose and the node's key. It stays the same when nodes are
numbered anew, and when others come or go.
"""

from __future__ import annotations

import numpy as np

from thence.base.ids import IdMap
from thence.base.rng import derive_seed
from thence.graph.position.kernel.random import fill_signs, hash_ids


def node_keys(ids: IdMap | None, num_nodes: int) -> np.ndarray:
    """``[num_nodes]`` uint64: a key of each node, from its external id where there is one, else from its int.

    Example:
        >>> int(node_keys(IdMap(["b", "a"]), 2)[1]) == int(node_keys(IdMap(["a"]), 1)[0])
        True
        >>> node_keys(None, 2).tolist()
        [0, 1]
    """
    if ids is None:
        return np.arange(num_nodes, dtype=np.uint64)
    keys = np.empty(num_nodes, np.uint64)
    _, offsets, data = ids.array.buffers()
    where = np.frombuffer(offsets, np.int32)[ids.array.offset :][: num_nodes + 1]
    hash_ids(where, np.frombuffer(data or b"", np.uint8), keys)
    return keys


def signs(keys: np.ndarray, channels: int, seed: int, purpose: str, first: int = 0) -> np.ndarray:
    """``[num_nodes, channels]`` float32 of -1 and +1, independent of one another, by the nodes' keys.

    Args:
        keys: ``[num_nodes]`` uint64.
        channels: how many a node.
        seed: same seed, same signs.
        purpose: what they are for; another purpose has other signs.
        first: the first channel that is wanted.

    Example:
        >>> few, more = signs(node_keys(None, 3), 4, 0, "x"), signs(node_keys(None, 9), 4, 0, "x")
        >>> bool((more[:3] == few).all()), sorted(set(more.ravel().tolist()))
        (True, [-1.0, 1.0])
    """
    out = np.empty((len(keys), channels), np.float32)
    fill_signs(keys, np.uint64(derive_seed(seed, "position", purpose)), first, out)
    return out
