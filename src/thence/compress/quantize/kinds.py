"""The kinds of codes by name: how each is fitted, and how it is made again of what was kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from thence.base.errors import ConfigError, nearest
from thence.compress.quantize.codes import Codes
from thence.compress.quantize.halves import BrainHalves, Halves
from thence.compress.quantize.integers import ByteDims, ByteRows
from thence.compress.quantize.packed import PackedRows
from thence.compress.quantize.product import ProductRows

Tensors = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Kind:
    """One kind of codes.

    Args:
        fit: from vectors ``[num_rows, dim]`` float32 and a seed to codes.
        open: from kept tensors and the vectors' length to the same codes.
        dtypes: dtype and number of axes of each tensor that is kept.
        spaced: whether vectors are first brought into a space of their own.
    """

    fit: Callable[[np.ndarray, int], Codes]
    open: Callable[[Tensors, int], Codes]
    dtypes: Mapping[str, tuple[type, int]]
    spaced: bool = True


def _packed(bits: int) -> Kind:
    dtypes: dict[str, tuple[type, int]] = {"codes": (np.uint8, 2), "scale": (np.float32, 1)}
    return Kind(
        lambda x, seed: PackedRows.fit(x, bits),
        lambda kept, dim: PackedRows(kept["codes"], kept["scale"], kept.get("cosine"), bits, dim),
        dtypes | {"cosine": (np.float32, 1)} if bits == 1 else dtypes,
    )


KINDS: dict[str, Kind] = {
    "float16": Kind(
        lambda x, seed: Halves.fit(x),
        lambda kept, dim: Halves(kept["codes"]),
        {"codes": (np.float16, 2)},
        spaced=False,
    ),
    "bfloat16": Kind(
        lambda x, seed: BrainHalves.fit(x),
        lambda kept, dim: BrainHalves(kept["codes"]),
        {"codes": (np.uint16, 2)},
        spaced=False,
    ),
    "int8": Kind(
        lambda x, seed: ByteRows.fit(x),
        lambda kept, dim: ByteRows(kept["codes"], kept["scale"], dim),
        {"codes": (np.int8, 2), "scale": (np.float32, 1)},
    ),
    "int8_dim": Kind(
        lambda x, seed: ByteDims.fit(x),
        lambda kept, dim: ByteDims(kept["codes"], kept["scale"]),
        {"codes": (np.int8, 2), "scale": (np.float32, 1)},
        spaced=False,
    ),
    "int4": _packed(4),
    "int2": _packed(2),
    "rabitq": _packed(1),
    "pq16": Kind(
        ProductRows.fit,
        lambda kept, dim: ProductRows(kept["codes"], kept["table"], kept["scale"], dim),
        {"codes": (np.uint8, 2), "table": (np.float16, 3), "scale": (np.float32, 1)},
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
