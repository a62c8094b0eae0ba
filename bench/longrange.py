"""Answers that lie far away: graph transformers beside message passing of equal size.

    THENCE_DATA=… python bench/longrange.py [--quick] [--only PART…] [--seeds N] [--methods NAME…]

Every method has the same number of parameters (its width is what fits), sees the same batches the same number
of times, and chooses its learning rate from the same ones on validation graphs. ``cpu_minutes`` are those of
one run; ``.std`` is the spread over seeds. ``METHOD_no_global`` is the same net with its global channels shut,
``share`` what they gave when open, ‖g z‖ / (‖x‖ + ‖g z‖).

``directed_world``: ``thence.graph.worlds.islands``; accuracy by the distance of the answer (``at_2_5`` … ),
``cold`` where it lies in no ball around the asked node. ``chance`` knows nothing, ``no_direction`` is the best
that a method can do that does not see which way arcs lead, ``bayes`` knows all.
``ring``, ``tree``: accuracy of ring transfer and of tree neighbours-match on graphs not trained on.
``regression``: ``echo.TASK.METHOD.mae``, mean absolute error in hops.
``public``, ``scale``, ``positions``, ``pyg``: public graphs, the cost of global channels and of positions, and
layers beside PyG's own, as told in ``parts/public_graphs.py``, ``longrange_scale.py``, ``positions.py`` and
``beside_pyg.py``.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import importlib  # noqa: E402
import sys  # noqa: E402
from argparse import ArgumentParser, Namespace  # noqa: E402
from collections.abc import Callable, Mapping  # noqa: E402

from common import run  # noqa: E402
from thence.base.errors import ThenceError  # noqa: E402


def part(module: str, name: str) -> Callable[[Namespace], Mapping[str, float]]:
    """A part that is loaded when it runs."""
    return lambda arguments: getattr(importlib.import_module(f"parts.{module}"), name)(arguments)


def all_of(module: str) -> Callable[[Namespace], Mapping[str, float]]:
    """All parts of a module as one."""

    def run_all(arguments: Namespace) -> Mapping[str, float]:
        parts = importlib.import_module(f"parts.{module}").PARTS.values()
        return {name: value for each in parts for name, value in each(arguments).items()}

    return run_all


PARTS = {
    "directed_world": part("far_worlds", "directed_world"),
    "ring": part("far_worlds", "ring"),
    "tree": part("far_worlds", "tree"),
    "regression": part("far_worlds", "regression"),
    "public": all_of("public_graphs"),
    "scale": all_of("longrange_scale"),
    "similar": all_of("similar"),
    "positions": all_of("positions"),
    "pyg": all_of("beside_pyg"),
}


def more(parser: ArgumentParser) -> None:
    """Which methods to run, and how they are tuned."""
    parser.add_argument("--methods", nargs="+", default=None, help="run these methods alone")
    parser.add_argument("--depths", nargs="+", type=int, default=None, help="trees of these depths alone")
    parser.add_argument("--rates", nargs="+", type=float, default=None, help="learning rates to choose from")


if __name__ == "__main__":
    try:
        run("longrange", PARTS, doc=__doc__ or "", more=more)
    except ThenceError as error:
        sys.exit(f"{type(error).__name__}: {error}")
