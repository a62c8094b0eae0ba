"""A process that tunes, is killed at a chosen moment, and goes on. Run by test_tune_crash.py.

It imports torch once and forks one child for each attempt (it never computes anything itself: autograd must not
have run before a fork). One JSON line for each run tells the kills and what came out in the end.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import optuna
import torch
import torch._dynamo  # the first optimizer step would import it, in every child anew
from tests.base.forge import child
from tests.encode.graphs import weighted_graph

from thence.train import trials as module
from thence.train.trials import Budget, Trial
from thence.train.tune import tune

TRAIN = {"steps": 3, "validate_every": 1, "batch_size": 3}
METHODS = ("lift", "dual")
TRIALS = 4


def value(scorer: object) -> float:
    return float(scorer.scores([0])[0, 1] - scorer.scores([1])[0, 0])  # type: ignore[attr-defined]


def attempt(root: Path, after: Callable[[int], None] = lambda done: None) -> None:
    """Go on from the journal, to the end; note what was found."""
    torch.set_num_threads(1)
    study = tune(
        weighted_graph(),
        METHODS,
        value,
        budget=Budget(TRIALS),
        train=TRAIN,
        journal=root / "journal.jsonl",
        progress=lambda task, done, total: after(done),
    )
    (root / "digest").write_text(digest(study.trials))


def digest(trials: list[Trial]) -> str:
    """Of all that does not hang on the clock."""
    text = [
        (t.method, t.number, sorted(t.settings.items()), t.state, t.value, t.steps, t.history) for t in trials
    ]
    return hashlib.sha256(repr(text).encode()).hexdigest()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def after_trial(root: Path, at: int) -> None:
    attempt(root, lambda done: die() if done == at else None)


def in_write(root: Path, at: int, kept: int) -> None:
    """Killed when the ``at``-th line is being written: only its first bytes are there."""
    left = at

    def torn(handle: int) -> None:
        nonlocal left
        left -= 1
        if not left:
            path = root / "journal.jsonl"
            content = path.read_bytes()
            begun = content.rfind(b"\n", 0, len(content) - 1) + 1
            os.truncate(path, begun + kept)
            die()

    module.os.fsync = torn
    attempt(root)


def report(root: Path, codes: list[int]) -> None:
    code = child(lambda: attempt(root))
    lines = len((root / "journal.jsonl").read_bytes().splitlines())
    found = (root / "digest").read_text() if (root / "digest").exists() else None
    print(json.dumps({"killed": codes, "code": code, "digest": found, "lines": lines}), flush=True)


if __name__ == "__main__":
    os.fsync = lambda handle: None
    base, made = Path(sys.argv[1]), optuna.__version__
    works: list[list[Callable[[Path], None]]] = [
        [],
        [lambda root, at=at: after_trial(root, at) for at in (1, 3, 6, 7)],
        [
            lambda root: in_write(root, 1, 5),
            lambda root: in_write(root, 4, 0),
            lambda root: in_write(root, 3, 40),
        ],
    ]
    for number, work in enumerate(works):
        place = base / str(number)
        place.mkdir()
        report(place, [child(lambda kill=kill, place=place: kill(place)) for kill in work])
