"""Smaller and faster forms of what was learned: what they cost and what they gain.

    THENCE_DATA=… python bench/compress.py [--quick] [--data NAME…] [--only PART…] [--seeds N]

``student``: DATA.student.METRIC. ``cold_HR@10`` is of products whose arcs are all hidden (75/5/20 of the
nodes), asked for what follows them; ``cold_HR@10_over_best_baseline`` is over the best of popularity in the
category, the nearest warm products by text, DAEMON's way (the cold product linked to like ones, layers run),
and the teacher's vectors lent by like products; ``over_best_lent`` over the best of these and of plain PageRank
and STRAP lent in the same way. ``ceiling_of_features`` knows the test arcs of all cold products that look the
same. ``warm_HR@10_share`` is the student's HR@10 on hidden arcs of products with arcs, over its teacher's; the
student sees words and position features, the teacher is the one-layer dual encoder. ``speedup`` is CPU time
of one cold product DAEMON's way (20 like products, layers of 10 and 10 around them) over the student's, both
from the product's words; ``speedup_warm_layers`` that of its three layers around a product with arcs (20, 10,
10), ``speedup_light`` that of the one-layer linear dual encoder over vectors that lie ready.
``glnn``: DATA.glnn.METHOD.accuracy in the production setting of GLNN.
``codes``: DATA.KIND.METRIC, kinds of quantization as told in ``parts/compress_codes.py``; ``features``: rows
and layers in fewer bits, as told in ``parts/compress_features.py``.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import importlib  # noqa: E402
import sys  # noqa: E402
from argparse import Namespace  # noqa: E402
from collections.abc import Callable, Mapping  # noqa: E402

from common import run  # noqa: E402
from thence.base.errors import ThenceError  # noqa: E402


def part(module: str, name: str) -> Callable[[Namespace], Mapping[str, float]]:
    """A part that is loaded when it runs."""
    return lambda arguments: getattr(importlib.import_module(f"parts.{module}"), name)(arguments)


PARTS = {
    "cold": part("compress_student", "cold"),
    "warm": part("compress_student", "warm"),
    "speed": part("compress_student", "speed"),
    "glnn": part("compress_glnn", "glnn"),
    "codes": part("compress_codes", "codes"),
    "features": part("compress_features", "features"),
}

if __name__ == "__main__":
    try:
        run("compress", PARTS, doc=__doc__ or "", seeds=5)
    except ThenceError as error:
        sys.exit(f"{type(error).__name__}: {error}")
