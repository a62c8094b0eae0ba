"""Decisions that know how sure the model is: boundaries of score and uncertainty against one threshold.

    THENCE_DATA=… python bench/decide.py [--quick] [--data NAME…] [--only PART…] [--seeds N]
    python bench/decide.py --only real --scores FILE.parquet      columns score, uncertainty, label

Figures are DATA.METHOD.METRIC. DATA says the under-sampling and the bound (``clicks_world_tau1_p40``), on real
data the estimator too (``census_kdd_tau3.evidence``). ``recall``, ``precision`` and ``violation`` are of the
rule chosen for the bound, ``naive_gain`` is its recall over one threshold's, ``recall_gain`` that at equal
realised precision, ``.low`` and ``.high`` of a paired bootstrap, ``recall_gain_around`` the same over four
bounds. METHOD is ``ours``, ``guaranteed`` (its bound tested on cases of its own), ``single``, or a solver's
name; ``bayes`` knows the world's prior, ``evidence`` fits it. ``ceiling`` and ``ceiling_smooth`` are fitted to
the labels that judge them: no boundary of as many levels has more than the first. Real bounds: the precision of
one threshold at a recall of .3 on the cases it is fitted to. ``rate_surest`` and ``rate_least_sure`` are
positivities of the quarters by uncertainty at equal score among the top scores, ``z`` their difference in
standard errors; ``rows`` how many rows of the set were drawn.
``guaranteed.bound_kept`` is how often the tested bound holds when cases are dealt out anew: on clicks by true
rates, on real data by the labels of the cases that judge, whose noise counts against it. The nearest rival runs
where mapie is installed.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse  # noqa: E402
import sys  # noqa: E402

import torch  # noqa: E402

from common import run  # noqa: E402
from parts import decide_solvers  # noqa: E402
from parts.decide_bound import bound, rivals  # noqa: E402
from parts.decide_calibration import calibration  # noqa: E402
from parts.decide_data import ESTIMATORS  # noqa: E402
from parts.decide_overhead import overhead  # noqa: E402
from parts.decide_run import clicks, large, real  # noqa: E402
from thence.base.errors import ThenceError  # noqa: E402


def more(parser: argparse.ArgumentParser) -> None:
    """Arguments that this bench alone takes."""
    parser.add_argument("--scores", default=None, help="a Parquet file of score, uncertainty and label")
    parser.add_argument(
        "--rows", type=int, default=None, help="so many at most of each real set, drawn by seed"
    )
    parser.add_argument(
        "--estimators", nargs="+", default=None, choices=ESTIMATORS, help="these alone, on real data"
    )


def solvers(arguments: argparse.Namespace) -> dict[str, float]:
    """Time of the solvers, and the exact one beside trying everything."""
    found = decide_solvers.exactness(200 if arguments.quick else 1_000) | decide_solvers.by_name()
    return found if arguments.quick else found | decide_solvers.large()


PARTS = {
    "clicks": clicks,
    "bound": bound,
    "rivals": rivals,
    "calibration": calibration,
    "large": large,
    "real": real,
    "solvers": solvers,
    "overhead": overhead,
}

if __name__ == "__main__":
    torch.set_num_threads(1)
    try:
        run("decide", PARTS, doc=__doc__ or "", more=more, seeds=5)
    except ThenceError as error:
        sys.exit(f"{type(error).__name__}: {error}")
