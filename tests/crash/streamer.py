"""A process that streams, is killed at a chosen refresh, and resumes. Run by test_stream_crash.py.

It imports torch once and forks one child for each attempt (it never computes anything itself: autograd must not
have run before a fork). One JSON line for each run says what came out in the end.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch._dynamo  # the first optimizer step would import it, in every child anew
from tests.base.forge import child

from thence.conversion import stream
from thence.conversion.delayed import ESTIMATORS, make
from thence.conversion.delayed.protocol import Protocol
from thence.conversion.engagement import Engagement
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.conversion.learn import LearnConfig
from thence.conversion.net import NetConfig
from thence.events.clock import DAY

CONFIG = stream.StreamConfig(
    start=12 * DAY,
    net=NetConfig(hidden=(8,), dim=2),
    learn=LearnConfig(batch_size=64, visits=1.0, passes=1),
    checkpoint_every=2,
)
REFRESHES = 6


def exposures() -> Exposures:
    """A thousand exposures in 25 days, half of which convert within the window of five."""
    rng = np.random.default_rng(0)
    time = np.sort(rng.integers(0, 20 * DAY, 1000))
    delay = rng.exponential(1.5 * DAY, 1000).astype(np.int64) + 1
    ends = np.where((rng.random(1000) < 0.6) & (time + delay < 23 * DAY), time + delay, NEVER)
    features = Features(rng.integers(0, 5, (1000, 2)), rng.normal(size=(1000, 1)), (5, 5))
    owner = rng.integers(0, 1000, 400)
    events = Engagement.make(["cart"], owner, np.zeros(400), time[owner] + rng.integers(1, DAY, 400))
    return Exposures.make(time, ends, window=5 * DAY, until=23 * DAY, features=features, engagement=events)


def run(name: str, folder: Path, after: Callable[[int], None] = lambda done: None) -> None:
    """One attempt: resume what is there, go on to the end, write what came out."""
    torch.set_num_threads(1)
    shown = exposures()
    made = stream.run_stream(
        shown,
        estimator(name),
        CONFIG,
        checkpoint=folder / "checkpoint",
        progress=lambda task, done, total: after(done),
    )
    np.savez(folder / "made.npz", index=made.index, probability=made.probability, block=made.block)
    (folder / "told.json").write_text(json.dumps(made.told))


def estimator(name: str) -> Estimator:
    """With models beside the main one that are fitted again as labels mature, where there is such a setting."""
    at = Protocol(DAY // 4, 5 * DAY)
    try:
        return make(name, at, {"every": 1})
    except Exception:
        return make(name, at)


def die_at(refresh: int) -> Callable[[int], None]:
    def after(done: int) -> None:
        if done == refresh:
            os.kill(os.getpid(), signal.SIGKILL)

    return after


def report(name: str, folder: Path, killed: list[int]) -> None:
    """Kill, resume, kill, …, resume until the end; tell the digest of what came out."""
    folder.mkdir(parents=True)
    ends = [child(lambda refresh=refresh: run(name, folder, die_at(refresh))) for refresh in killed]
    code = child(lambda: run(name, folder))
    found = np.load(folder / "made.npz") if code == 0 else {}
    told = json.loads((folder / "told.json").read_text()) if code == 0 else {}
    parts = b"".join(found[key].tobytes() for key in sorted(found))
    line = {"name": name, "killed": killed, "ends": ends, "code": code, "told": told}
    print(json.dumps(line | {"digest": hashlib.sha256(parts).hexdigest()}), flush=True)


if __name__ == "__main__":
    os.fsync = lambda handle: None
    base = Path(sys.argv[1])
    for name in sys.argv[2:] or ESTIMATORS:
        report(name, base / f"{name}-whole", [])
        report(name, base / f"{name}-killed", [1, 3, 2])
