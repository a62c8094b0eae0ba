"""A random rotation of the space, under which inner products stay what they are.

Codes of a few bits or of one byte a value have one step size for a dimension. Where a few dimensions are much
longer than the rest, theirs is lost in rounding; a rotation spreads every row evenly over the dimensions.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from thence.base.errors import ArtifactError
from thence.base.mapped import read_array
from thence.base.rng import generator
from thence.index.engine.engine import readable

FILE = "rotation.npy"


def rotation(width: int, seed: int) -> np.ndarray:
    """``[width, width]`` float32 orthogonal matrix; rows are turned by ``rows @ rotation``.

    Example:
        >>> turn = rotation(8, seed=0)
        >>> bool(np.allclose(turn @ turn.T, np.eye(8), atol=1e-6))
        True
    """
    drawn = generator(seed, "index", "rotation").standard_normal((width, width))
    return np.linalg.qr(drawn)[0].astype(np.float32)


def turned(rows: np.ndarray, turn: np.ndarray | None) -> np.ndarray:
    """Rows as the structure holds them; as they are where there is no rotation."""
    return np.ascontiguousarray(rows if turn is None else rows @ turn, np.float32)


def read_rotation(folder: Path, width: int) -> np.ndarray | None:
    """What was written beside a structure; None where nothing was.

    Raises:
        ArtifactError: the file cannot be read, or is of another width.
    """
    path = folder / FILE
    if not path.exists():
        return None
    found = readable(path, lambda: read_array(path))
    if found.shape != (width, width) or found.dtype != np.float32 or not np.isfinite(found).all():
        raise ArtifactError(f"a rotation of shape {found.shape} for rows of {width} values", where=path)
    return found
