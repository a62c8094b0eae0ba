"""Students for other runtimes: ONNX, with parity checked when it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thence.base.lazy import lazily

if TYPE_CHECKING:
    from thence.compress.export.graph import student_model as student_model
    from thence.compress.export.student import OnnxStudent as OnnxStudent
    from thence.compress.export.student import export_onnx as export_onnx

_HOME = {
    "OnnxStudent": "thence.compress.export.student",
    "export_onnx": "thence.compress.export.student",
    "student_model": "thence.compress.export.graph",
}
__all__ = sorted(_HOME)  # type: ignore[reportUnsupportedDunderAll]
__getattr__ = lazily(__name__, _HOME)
