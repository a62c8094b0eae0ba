"""One process of bench/delayed.py: one data set and one seed, all methods one after the other.

    python -m parts.delayed_child JOB.json        from the folder bench

The job names data, seed, size, methods and their settings; without settings it chooses them and writes those.
What it finds is written beside the job, as JOB.done.json.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from parts.delayed_data import Ground, facts, ground, learning
from thence.base.rng import generator
from thence.conversion.delayed import GRIDS, Oracle, make
from thence.conversion.delayed.protocol import Protocol
from thence.conversion.delayed.settle import Pretrained
from thence.conversion.estimator import Estimator
from thence.conversion.net import NetConfig
from thence.conversion.stream import Predictions, StreamConfig, run_stream
from thence.evaluate.conversion import Judged, judge
from thence.evaluate.conversion.report import delay_curve
from thence.events.clock import DAY, HOUR

RATES = (1e-3, 2e-3)
NET = NetConfig("mlp", dim=8, hidden=(64, 32))
BOUNDS = ("pretrained", "oracle")
ORACLES = [{}, {"revisit": 1.0}]  # the bound is tuned as all others are


def estimator(name: str, on: Ground, settings: dict[str, Any]) -> Estimator:
    """An estimator by name; waiting times are scaled as the window is to thirty days."""
    shown = on.study.exposures
    if name == "oracle":
        return Oracle(shown, settings.get("revisit", 0.0))
    if name == "pretrained":
        return Pretrained()
    scale = shown.window / (30 * DAY)
    own = {key: value for key, value in settings.items() if key != "learning_rate"}
    if "wait" in own:
        own["wait"] = round(own["wait"] * scale)
    return make(name, Protocol(round(HOUR * scale), shown.window), own)


def one(name: str, on: Ground, settings: dict[str, Any], seed: int) -> Judged:
    """Run and judge one method."""
    study, begun = on.study, time.process_time()
    learn = replace(learning(study), learning_rate=settings.get("learning_rate", RATES[0]))
    config = StreamConfig(study.start, study.step, study.end, NET, learn, seed)
    made = run_stream(study.exposures, estimator(name, on, settings), config)
    kept = made.block >= on.judged_from
    told = {**made.told, "seconds": time.process_time() - begun}
    made = Predictions(made.index[kept], made.probability[kept], made.block[kept], told)
    return judge(study.exposures, made, config=config, group=on.group, segment=on.segment)


def trials(name: str, budget: int) -> list[dict[str, Any]]:
    """Settings to try: all pairs of the method's own and a learning rate, a random choice beyond the budget.

    Example:
        >>> len(trials("es_dfm", 4)), trials("wait", 4)
        (4, [{'learning_rate': 0.001}, {'learning_rate': 0.002}])
    """
    pairs = [
        {**own, "learning_rate": rate} for rate in RATES for own in {**GRIDS, "oracle": ORACLES}.get(name, [{}])
    ]
    order = generator(0, "delayed", "trials").permutation(len(pairs))[:budget]
    return [pairs[place] for place in sorted(order.tolist())]


def _on(job: dict[str, Any], *, tuning: bool) -> Ground:
    where = {"log": job["log"], "window_days": job["window_days"]}
    return ground(job["data"], job["seed"], job["size"], tuning=tuning, **where)


def tuned(job: dict[str, Any]) -> dict[str, Any]:
    """The settings of every method with the lowest NLL on the blocks before those that are judged."""
    on = _on(job, tuning=True)
    chosen: dict[str, Any] = {}
    for name in job["methods"]:
        found = []
        for settings in trials(name, job["trials"]):
            value = one(name, on, settings, seed=TUNING).figures()["NLL"]
            found.append((value, settings))
            print(f"  {job['data']} {name} {settings} NLL {value:.4f}", file=sys.stderr, flush=True)
        chosen[name] = min(found, key=lambda entry: entry[0])[1]
    return {"settings": chosen}


TUNING = 17  # seed of weights while settings are chosen


def judged(job: dict[str, Any]) -> dict[str, Any]:
    """All methods with the settings given."""
    on = _on(job, tuning=False)
    found = {}
    for name in job["methods"]:
        found[name] = one(name, on, job["settings"].get(name, {}), job["seed"]).to_dict()
        sums = found[name]
        value = sum(sums["surprise"]) / sum(sums["count"])
        print(
            f"  {job['data']} seed {job['seed']} {name}: NLL {value:.4f}, {sums['told']['seconds']:.1f} s",
            file=sys.stderr,
            flush=True,
        )
    return {"judged": found, "facts": facts(on), "delays": delay_curve(on.study.exposures)}


if __name__ == "__main__":
    torch.set_num_threads(1)
    np.seterr(all="ignore")
    path = Path(sys.argv[1])
    work = json.loads(path.read_text())
    result = tuned(work) if work["settings"] is None else judged(work)
    path.with_suffix(".done.json").write_text(json.dumps(result))
