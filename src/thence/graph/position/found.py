"""What one method hands back: blocks of columns, and how they came about."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Found(NamedTuple):
    """Blocks by name, each ``[num_nodes, width]`` float32, and what is to be known about them.

    A block whose name ends in ``.out`` looks along the arcs and has a twin that ends in ``.in`` and looks
    against them, column for column: turning all arcs round swaps the two. Every other block stays the same.
    """

    blocks: dict[str, np.ndarray]
    info: dict[str, Any]
