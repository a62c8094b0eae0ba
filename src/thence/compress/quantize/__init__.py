"""Embeddings in fewer bytes, with what that costs measured at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thence.base.lazy import lazily

if TYPE_CHECKING:
    from thence.compress.quantize.aware import AwareConfig as AwareConfig
    from thence.compress.quantize.aware import quantize_aware as quantize_aware
    from thence.compress.quantize.cost import measure as measure
    from thence.compress.quantize.cost import recall as recall
    from thence.compress.quantize.kinds import KINDS as KINDS
    from thence.compress.quantize.make import quantize as quantize
    from thence.compress.quantize.quantized import QuantizedEmbeddings as QuantizedEmbeddings
    from thence.compress.quantize.rescored import Rescored as Rescored
    from thence.compress.quantize.student import LightStudent as LightStudent
    from thence.compress.quantize.student import fastest_student as fastest_student

_HOME = {
    "AwareConfig": "thence.compress.quantize.aware",
    "LightStudent": "thence.compress.quantize.student",
    "KINDS": "thence.compress.quantize.kinds",
    "QuantizedEmbeddings": "thence.compress.quantize.quantized",
    "Rescored": "thence.compress.quantize.rescored",
    "fastest_student": "thence.compress.quantize.student",
    "measure": "thence.compress.quantize.cost",
    "quantize": "thence.compress.quantize.make",
    "quantize_aware": "thence.compress.quantize.aware",
    "recall": "thence.compress.quantize.cost",
}
__all__ = sorted(_HOME)  # type: ignore[reportUnsupportedDunderAll]
__getattr__ = lazily(__name__, _HOME)
