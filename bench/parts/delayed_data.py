"""The streams of bench/delayed.py: exposures, when to begin, what is judged, what settings are chosen on.

Settings are chosen on blocks before those that are judged: of a simulated world on the first blocks of another
world (a seed that is never judged), of a real log on the first 40 % of its blocks. The labels of these blocks
are final later than the judged blocks begin; this holds for all methods alike, and no block is in both.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from thence.conversion.learn import LearnConfig
from thence.conversion.sources.studies import study
from thence.conversion.sources.study import Study
from thence.conversion.sources.table import read_exposures
from thence.conversion.stream import StreamConfig
from thence.events.clock import DAY

WORLDS = ("criteo_world", "drift_world", "signal_world", "placebo_world")
REAL = ("demo_coupons", "demo_crosssell", "hospital_billing", "traffic_fines")
DATA = (*WORLDS, *REAL)
TUNING_SEED = 1_000_003
TUNED_BLOCKS = 10
TUNED_SHARE = 0.4
GROUPS = {"demo_crosssell": "category", "hospital_billing": "diagnosis", "traffic_fines": "article"}
SEGMENTS = {
    **dict.fromkeys((*WORLDS, "demo_crosssell"), "department"),
    "hospital_billing": "casetype",
    "traffic_fines": "vehicleclass",
}
FEW = 20_000
"""Exposures, below which rows are gone through four times as often."""


@dataclass(frozen=True)
class Ground:
    """What one process runs on.

    Args:
        study: exposures and the span of the stream.
        judged_from: first block that is judged.
        group: ``[n]`` group of each exposure, for its age; None where there is none.
        segment: ``[n]``; likewise.
    """

    study: Study
    judged_from: int
    group: np.ndarray | None
    segment: np.ndarray | None


def ground(
    name: str,
    seed: int,
    size: int,
    *,
    tuning: bool,
    log: str | None = None,
    window_days: float | None = None,
) -> Ground:
    """A data set, or the part of it that settings are chosen on.

    Args:
        name: one of ``DATA``, or any name where a file is given.
        seed: of a simulated world; real logs have none.
        size: exposures of a simulated world, about.
        tuning: the part before what is judged.
        log: a Parquet file of exposures.
        window_days: its attribution window; the file's own when None.
    """
    if name in WORLDS and not log:
        made = study(name, TUNING_SEED if tuning else seed, size=size)
        if tuning:
            made = replace(made, end=made.start + TUNED_BLOCKS * made.step)
        return _ground(made, 0, name)
    made = _of_file(Path(log), name, window_days) if log else study(name, folder=os.environ.get("THENCE_DATA"))
    tuned = max(1, round(TUNED_SHARE * made.blocks))
    if tuning:
        return _ground(replace(made, end=made.start + tuned * made.step), 0, name)
    return _ground(made, tuned, name)


def _of_file(path: Path, name: str, window_days: float | None) -> Study:
    window = None if window_days is None else round(window_days * DAY)
    shown, report = read_exposures(path, window=window)
    print(f"delayed: {path.name}: {report}", file=sys.stderr)
    laid = StreamConfig.laid_out(shown)
    return Study(name, shown, laid.start, laid.step, laid.end or 0)


def _ground(made: Study, judged_from: int, name: str) -> Ground:
    features = made.exposures.features
    names = features.names[: features.codes.shape[1]]

    def column(wanted: str | None) -> np.ndarray | None:
        if wanted in names:
            return features.codes[:, names.index(wanted)]
        return features.codes[:, 0] if names else None

    return Ground(made, judged_from, column(GROUPS.get(name)), column(SEGMENTS.get(name)))


def learning(study: Study) -> LearnConfig:
    """How every method learns on a stream: about sixteen steps between two refreshes."""
    first, last = (study.exposures.since(at) for at in (study.start, study.end))
    rows, times = (last - first) / study.blocks, 4 if len(study.exposures) < FEW else 1
    batch = 2 ** round(np.log2(min(max(rows * times / 16, 32), 512)))
    return LearnConfig(batch_size=int(batch), passes=2 * times, visits=float(times))


def facts(ground: Ground) -> dict[str, Any]:
    """What a report tells of the data."""
    shown, study = ground.study.exposures, ground.study
    return {
        "exposures": len(shown),
        "converted": int(shown.converted.sum()),
        "window, days": round(shown.window / DAY, 2),
        "blocks": study.blocks - ground.judged_from,
        "a block, days": round(study.step / DAY, 2),
    }
