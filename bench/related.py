"""Directed related products: every method, plain, published and ours, under every protocol.

    THENCE_DATA=… python bench/related.py [--quick] [--data NAME…] [--only PROTOCOL…] [--methods NAME…]
    python bench/related.py --arcs FILE.tsv.gz      source, target and perhaps weight: any graph never seen

Figures are DATA.PROTOCOL.METHOD.METRIC; ``best_baseline`` is the best plain one and ``best_published`` the best
of the re-derived published ones, metric by metric. ``seconds`` are CPU seconds of the last fit,
``seconds_choosing`` of finding its settings, ``peak_gib`` the whole process of one method with graph and
interpreter. Settings of all methods are chosen on validation arcs within the same budget (--budget).
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse  # noqa: E402
import sys  # noqa: E402

from common import run  # noqa: E402
from parts import related_protocols  # noqa: E402
from thence.base.errors import ThenceError  # noqa: E402


def more(parser: argparse.ArgumentParser) -> None:
    """Arguments that this bench alone takes."""
    parser.add_argument(
        "--methods", nargs="+", default=None, help="these alone: names, or plain, peer, learned"
    )
    parser.add_argument("--arcs", nargs="+", default=None, help="files of arcs: source, target, weight by tabs")
    parser.add_argument(
        "--budget", type=float, default=None, help="CPU seconds to choose a method's settings in"
    )
    parser.add_argument(
        "--peer-seeds", type=int, default=None, help="seeds of published methods that are trained"
    )


if __name__ == "__main__":
    try:
        run("related", related_protocols.PROTOCOLS, doc=__doc__ or "", more=more, seeds=5)
    except ThenceError as error:
        sys.exit(f"{type(error).__name__}: {error}")
