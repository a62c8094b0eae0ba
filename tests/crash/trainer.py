"""A process that trains, is killed at a chosen moment, and resumes, many times over.

Run by test_train_crash.py. It imports torch once and forks one child for each attempt (it never computes
anything itself: autograd must not have run before a fork). One JSON line for each run says where it stood after
each kill and what came out in the end. The disk's real ``fsync`` is left out for speed; its calls are moments.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch._dynamo  # the first optimizer step would import it, in every child anew
from tests.base.forge import Fuse, child
from tests.encode.graphs import weighted_graph

from thence.base import artifact, folders
from thence.base.artifact import digest, open_artifact
from thence.base.errors import ArtifactError
from thence.encode import Embeddings
from thence.encode.dual import DualConfig, DualEncoder
from thence.train import TrainConfig, fit

CONFIG = TrainConfig(
    steps=8, batch_size=3, candidates=4, learning_rate=0.1, validate_every=2, checkpoint_every=3
)
LIMIT = 400


def value(embeddings: Embeddings) -> float:
    """Highest in the middle of the run, so that the best parameters are not the last."""
    scores = embeddings.scores([0])[0]
    return -abs(float(scores[1] - scores[4]) - 2.5)


def train(root: Path, after_step: Callable[[int], None] = lambda step: None) -> None:
    """One attempt: resume what is there, train to the end, save."""
    torch.set_num_threads(1)
    graph = weighted_graph()
    trained = fit(
        graph,
        CONFIG,
        encoder=DualEncoder(graph, DualConfig(dim=4)),
        validate=value,
        checkpoint=root / "checkpoint",
        progress=lambda task, done, total: after_step(done),
    )
    trained.save(root / "model")


def die_at(step: int) -> Callable[[int], None]:
    def after_step(done: int) -> None:
        if done == step:
            os.kill(os.getpid(), signal.SIGKILL)

    return after_step


def burn(root: Path, at: int, late: bool) -> None:
    """Train, and be killed at the ``at``-th call of those that write a checkpoint."""
    fuse = Fuse(at, late)
    fuse.wrap(folders, "fsync")
    fuse.wrap(artifact, "fsync")
    fuse.wrap(folders, "exchange")
    fuse.wrap(Path, "rename")
    fuse.wrap(Path, "mkdir")
    fuse.wrap(Path, "write_text")
    fuse.wrap(shutil, "rmtree")
    fuse.wrap(artifact, "digest")
    train(root, lambda step: setattr(fuse, "left", LIMIT) if step == CONFIG.steps else None)


def stands_at(root: Path) -> int | None:
    """The step of the checkpoint; None where there is none; raises when it is torn."""
    try:
        return open_artifact(root / "checkpoint", "checkpoint").counts["step"]
    except ArtifactError as error:
        if "no artifact there" in str(error):
            return None
        raise


def report(root: Path, killed: list[int | None]) -> None:
    """Resume until the end and tell the digest of what came out."""
    code = child(lambda: train(root))
    model = digest(root / "model" / "embeddings.safetensors") if code == 0 else None
    best = Embeddings.load(root / "model").info["best_step"] if code == 0 else None
    left = sorted(path.name for path in root.iterdir())
    line = {"killed": killed, "code": code, "sha256": model, "best_step": best, "left": left}
    print(json.dumps(line), flush=True)


def whole(base: Path) -> None:
    """The uninterrupted run."""
    report(base / "whole", [])


def steps(base: Path) -> None:
    """Killed after one step of each interval, then after random ones, again and again in the same run."""
    rng = np.random.default_rng(0)
    for number, fatal in enumerate([[1, 2, 4, 5, 7], *np.sort(rng.integers(1, CONFIG.steps, (3, 2))).tolist()]):
        root, killed = base / f"steps{number}", []
        for step in fatal:
            if child(lambda root=root, step=step: train(root, die_at(step))) != 0:
                killed.append(stands_at(root))
        report(root, killed)


def anywhere(base: Path) -> None:
    """Killed from outside, wherever it happens to be."""
    rng = np.random.default_rng(0)
    for number in range(3):
        root, killed = base / f"anywhere{number}", []
        for wait in rng.uniform(0.005, 0.15, 3).tolist():
            pid = os.fork()
            if not pid:
                train(root)
                os._exit(0)
            time.sleep(wait)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            killed.append(stands_at(root))
        report(root, killed)


def moments(base: Path, *, late: bool, swap: bool) -> None:
    """Killed before (or after) every call that writes a checkpoint, the first and those that replace one."""
    if not swap:
        folders.exchange = lambda first, second: False
    for at in range(1, LIMIT):
        root = base / f"moment{late}{swap}{at}"
        code = child(lambda root=root, at=at: burn(root, at, late))
        if code == 0:
            return
        report(root, [stands_at(root)])
    raise RuntimeError("more moments than the limit")


def torn(base: Path) -> None:
    """A checkpoint that lost half of a file: the next attempt must refuse it (exit code 2)."""
    for name in ("model.safetensors", "optimizer.safetensors", "manifest.json"):
        root = base / f"torn {name}"
        child(lambda root=root: train(root, die_at(5)))
        path = root / "checkpoint" / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        report(root, [])


WORKS: dict[str, list[Callable[[Path], None]]] = {
    "kills": [whole, steps, anywhere, torn],
    "moments": [whole, lambda base: moments(base, late=False, swap=True)],
    "moments-late": [whole, lambda base: moments(base, late=True, swap=True)],
    "moments-rename": [whole, lambda base: moments(base, late=False, swap=False)],
}

if __name__ == "__main__":
    os.fsync = lambda handle: None
    for work in WORKS[sys.argv[1]]:
        work(Path(sys.argv[2]))
