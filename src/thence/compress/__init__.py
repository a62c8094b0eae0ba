"""Small, fast, and never without an answer: distillation, quantization and export of what was learned.

The public names are loaded when they are first asked for::

    Embeddings, catalogue → Student → vectors of a product that no graph knows
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from thence.base.lazy import lazily

if TYPE_CHECKING:
    from thence.compress.distill.config import DistillConfig as DistillConfig
    from thence.compress.distill.position import position_features as position_features
    from thence.compress.distill.student import Placed as Placed
    from thence.compress.distill.student import Student as Student
    from thence.compress.distill.teacher import factored as factored
    from thence.compress.distill.teacher import heuristic_teacher as heuristic_teacher
    from thence.compress.distill.train import fit_student as fit_student
    from thence.compress.distill.transform import ItemTransform as ItemTransform

_HOME = {
    "DistillConfig": "thence.compress.distill.config",
    "ItemTransform": "thence.compress.distill.transform",
    "Placed": "thence.compress.distill.student",
    "Student": "thence.compress.distill.student",
    "fit_student": "thence.compress.distill.train",
    "factored": "thence.compress.distill.teacher",
    "heuristic_teacher": "thence.compress.distill.teacher",
    "position_features": "thence.compress.distill.position",
}
__all__ = sorted(_HOME)  # type: ignore[reportUnsupportedDunderAll]
__getattr__ = lazily(__name__, _HOME)


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return __all__
