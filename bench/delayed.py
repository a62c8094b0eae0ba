"""Conversions whose labels come late: every estimator on every stream, by final labels.

    THENCE_DATA=… python bench/delayed.py [--quick] [--data NAME…] [--methods NAME…] [--seeds N] [--size N]
    python bench/delayed.py --log FILE.parquet      exposures of any log, in thence's schema

Figures are DATA.METHOD.{AUC,PRAUC,NLL,ECE,RI_AUC,RI_NLL,calibration_by_age}, ``seconds`` of CPU and gradient
``rows``; ``best_published`` is the best of the published estimators, metric by metric; ``DATA.beyond_oracle``
the largest excess over the oracle in standard errors beyond 2. RI is left out where the oracle and the model
that never moves are within noise. Settings of each method are chosen before the judged blocks, within --trials;
all have the same network, start, and gradient rows a refresh.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import argparse  # noqa: E402
import json  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from collections.abc import Mapping  # noqa: E402
from concurrent.futures import ThreadPoolExecutor  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from common import run, say  # noqa: E402
from parts.delayed_child import BOUNDS  # noqa: E402
from parts.delayed_data import DATA  # noqa: E402
from thence.base.errors import ConfigError, ThenceError, nearest  # noqa: E402
from thence.conversion.delayed import ESTIMATORS  # noqa: E402
from thence.evaluate.conversion import ConversionReport, Judged, Standing  # noqa: E402

SIZE, QUICK_SIZE = 250_000, 60_000
HERE = Path(__file__).resolve().parent


def more(parser: argparse.ArgumentParser) -> None:
    """Arguments that this bench alone takes."""
    parser.add_argument("--methods", nargs="+", default=None, help="these alone, beside the two bounds")
    parser.add_argument("--size", type=int, default=None, help="exposures of a simulated world, about")
    parser.add_argument("--log", default=None, help="a Parquet file of exposures to run on instead")
    parser.add_argument("--window-days", type=float, default=None, help="attribution window of that file")
    parser.add_argument("--trials", type=int, default=None, help="settings tried of each method")
    parser.add_argument("--jobs", type=int, default=1, help="processes side by side")
    parser.add_argument("--report", default=None, help="folder for one page a data set")


def streams(arguments: argparse.Namespace) -> dict[str, float]:
    """All data sets, one after the other."""
    names = [Path(arguments.log).stem] if arguments.log else list(arguments.data or DATA)
    for name in () if arguments.log else names:
        if name not in DATA:
            raise ConfigError(f"no data set is called {name!r}", fix=nearest(name, DATA))
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            figures.update(_one(name, arguments, Path(folder)))
    return figures


def _one(name: str, arguments: argparse.Namespace, folder: Path) -> dict[str, float]:
    methods = _methods(arguments)
    job = {
        "data": name,
        "size": arguments.size or (QUICK_SIZE if arguments.quick else SIZE),
        "log": None if arguments.log is None else str(Path(arguments.log).resolve()),
        "window_days": arguments.window_days,
        "methods": methods,
        "trials": arguments.trials or (2 if arguments.quick else 6),
        "settings": None,
        "seed": 0,
    }
    settings = _child(job, folder / f"{name}.tune.json")["settings"] if job["trials"] > 1 else {}
    say(f"delayed: {name}: {settings}")
    jobs = [job | {"settings": settings, "seed": seed} for seed in range(arguments.seeds)]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        done = list(pool.map(lambda one: _child(one, folder / f"{name}.{one['seed']}.json"), jobs))
    runs = {method: [Judged.from_dict(one["judged"][method]) for one in done] for method in methods}
    standing = Standing(runs)
    if arguments.report:
        info = {"title": name.replace("_", " "), **done[0]["facts"], "seeds": len(done)}
        ConversionReport(standing, info | {"delays": done[0]["delays"]}).save(Path(arguments.report) / name)
    for metric in standing.undefined():
        say(f"delayed: {name}: RI by {metric} is not defined: the oracle is within noise of the start")
    found = standing.flat()
    if not set(ESTIMATORS) <= set(methods):  # the best of some is not the best published
        found = {key: value for key, value in found.items() if not key.startswith("best_published.")}
    _show(name, standing, found)
    return {f"{name}.{key}": value for key, value in found.items()}


def _methods(arguments: argparse.Namespace) -> list[str]:
    wanted = list(arguments.methods or ESTIMATORS)
    for name in wanted:
        if name not in ESTIMATORS and name not in BOUNDS:
            raise ConfigError(f"no estimator is called {name!r}", fix=nearest(name, ESTIMATORS))
    return list(dict.fromkeys([*BOUNDS, *wanted]))


def _child(job: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """A process of its own, so that one data set's memory and threads are not another's."""
    path.write_text(json.dumps(job))
    subprocess.run([sys.executable, "-m", "parts.delayed_child", str(path)], cwd=HERE, check=True)
    return json.loads(path.with_suffix(".done.json").read_text())


def _show(name: str, standing: Standing, found: Mapping[str, float]) -> None:
    """The table of one data set, on stderr."""
    columns = ("AUC", "PRAUC", "NLL", "ECE", "RI_AUC", "RI_NLL", "calibration", "calibration_by_age", "seconds")
    say(f"{name:<16}" + "".join(f"{column[:11]:>12}" for column in columns))
    for method in sorted(standing.methods, key=lambda method: found.get(f"{method}.NLL", 9.0)):
        cells = (found.get(f"{method}.{column}") for column in columns)
        say(f"{method:<16}" + "".join(f"{'-' if cell is None else f'{cell:.4f}':>12}" for cell in cells))


if __name__ == "__main__":
    try:
        run("delayed", {"streams": streams}, doc=__doc__ or "", more=more, seeds=5)
    except ThenceError as error:
        sys.exit(f"{type(error).__name__}: {error}")
