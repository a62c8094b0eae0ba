"""Named private random generators: same seed and same name, same numbers, whoever else draws.

A generator is derived from a seed and a path of names, so that adding a draw in one place never moves the
draws of another, and a resumed run continues exactly where it stopped. The global generators of NumPy and
torch are never touched.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def derive_seed(seed: int, *names: str | int) -> int:
    """A 63-bit seed from ``seed`` and a path of names (BLAKE2b of both).

    Example:
        >>> derive_seed(0, "negatives") == derive_seed(0, "negatives")
        True
        >>> derive_seed(0, "negatives") == derive_seed(0, "dropout")
        False
    """
    escaped = [str(part).replace("\x1e", "\x1e0").replace("\x1f", "\x1e1") for part in (seed, *names)]
    text = "\x1f".join(escaped)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A NumPy generator of its own for the use that ``names`` describe.

    Example:
        >>> a, b = generator(7, "prices"), generator(7, "prices")
        >>> a is not b and a.integers(1000) == b.integers(1000)
        np.True_
    """
    return np.random.default_rng(derive_seed(seed, *names))


def torch_generator(seed: int, *names: str | int, device: str = "cpu") -> torch.Generator:
    """A torch generator of its own for the use that ``names`` describe, on ``device``."""
    import torch

    return torch.Generator(device=device).manual_seed(derive_seed(seed, *names))
