"""The kinds of codes by name: how each is fitted, and how it is made again of what was kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from thence.base.errors import ConfigError, nearest
from thence.compress.quantize.codes import Codes
from thence.compress.quantize.halves import BrainHalves, Halves
from thence.compress.quantize.integers import ByteDims, ByteRows, NibbleRows

Tensors = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Kind:
    """One kind of codes.

    Args:
        fit: from vectors ``[num_rows, dim]`` float32, a seed and a name of the side to codes.
        open: from kept tensors and the vectors' length to the same codes.
        dtypes: dtype and number of axes of each tensor that is kept.
    """

    fit: Callable[[np.ndarray, int, str], Codes]
    open: Callable[[Tensors, int], Codes]
    dtypes: Mapping[str, tuple[type, int]]


KINDS: dict[str, Kind] = {
    "float16": Kind(
        lambda x, seed, side: Halves.fit(x), lambda kept, dim: Halves(kept["codes"]), {"codes": (np.float16, 2)}
    ),
    "bfloat16": Kind(
        lambda x, seed, side: BrainHalves.fit(x),
        lambda kept, dim: BrainHalves(kept["codes"]),
        {"codes": (np.uint16, 2)},
    ),
    "int8": Kind(
        lambda x, seed, side: ByteRows.fit(x),
        lambda kept, dim: ByteRows(kept["codes"], kept["scale"], dim),
        {"codes": (np.int8, 2), "scale": (np.float32, 1)},
    ),
    "int8_dim": Kind(
        lambda x, seed, side: ByteDims.fit(x),
        lambda kept, dim: ByteDims(kept["codes"], kept["scale"]),
        {"codes": (np.int8, 2), "scale": (np.float32, 1)},
    ),
    "int4": Kind(
        lambda x, seed, side: NibbleRows.fit(x),
        lambda kept, dim: NibbleRows(kept["codes"], kept["scale"], dim),
        {"codes": (np.uint8, 2), "scale": (np.float32, 1)},
    ),
}


def kind_named(name: str) -> Kind:
    """A kind by name.

    Raises:
        ConfigError: there is none of this name.
    """
    if name not in KINDS:
        raise ConfigError(f"there is no quantization {name!r}", fix=nearest(str(name), KINDS))
    return KINDS[name]
