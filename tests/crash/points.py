"""A process that trains and publishes, is killed at a named point, and starts over. Run by test_points.py.

A point is a call that the work makes, before or after it, of a file or folder, the first or a later time. The
functions are wrapped here, in the child alone: nothing in the package can be made to stop.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.base.forge import child
from tests.crash.trainer import stands_at, train
from tests.encode.graphs import weighted_graph

from thence.base import artifact, folders
from thence.base.artifact import digest, open_artifact
from thence.base.errors import ArtifactError
from thence.encode import Embeddings
from thence.serve import Bundle, Store

POINTS = [
    "after mkdir checkpoint 1",
    "before tensors checkpoint/model 1",
    "after tensors checkpoint/model 1",
    "after tensors checkpoint/best 1",
    "after tensors checkpoint/optimizer 1",
    "before fsync checkpoint/best.safetensors 1",
    "before write_text checkpoint/manifest.json 1",
    "after write_text checkpoint/manifest.json 1",
    "after fsync checkpoint/manifest.json 1",
    "after fsync checkpoint 1",
    "before rename checkpoint 1",
    "after rename checkpoint 1",
    "after tensors checkpoint/model 2",
    "before write_text checkpoint/manifest.json 2",
    "before exchange checkpoint 1",
    "after exchange checkpoint 1",
    "before rmtree checkpoint 2",
    "after rmtree checkpoint 2",
    "after tensors model/embeddings 1",
    "before write_text model/manifest.json 1",
    "before rename model 1",
    "after rename model 1",
    "after rename bundle/model 1",
    "before write_text bundle/manifest.json 1",
    "before rename bundle 1",
]


def work(root: Path) -> None:
    """Train, keep the model, and publish it in a bundle."""
    train(root)
    Bundle(Embeddings.load(root / "model"), weighted_graph()).save(root / "bundle")


def burn(root: Path, point: str) -> None:
    """The same, killed at a point."""
    seen: Counter[str] = Counter()

    def reached(when: str, call: str, path: Path) -> None:
        label = f"{when} {call} {named(root, path)}"
        seen[label] += 1
        if f"{label} {seen[label]}" == point:
            os.kill(os.getpid(), signal.SIGKILL)

    def wrap(
        owner: object, call: str, told: str = "", path_of: Callable[..., Path] = lambda *a: Path(a[0])
    ) -> None:
        real = getattr(owner, call)

        def told_of(*args, **options):
            reached("before", told or call, path_of(*args))
            found = real(*args, **options)
            reached("after", told or call, path_of(*args))
            return found

        setattr(owner, call, told_of)

    wrap(folders, "fsync")
    wrap(artifact, "fsync")
    wrap(folders, "exchange", path_of=lambda first, second: second)
    wrap(folders, "_replace", "rename", path_of=lambda temporary, target: target)
    wrap(Path, "mkdir")
    wrap(Path, "write_text")
    wrap(shutil, "rmtree")
    wrap(artifact.Draft, "tensors", path_of=lambda draft, name, tensors: draft.folder / name)
    work(root)


def named(root: Path, path: Path) -> str:
    """A path in the run, drafts by the name of what they become: ``checkpoint/manifest.json``."""
    parts = path.relative_to(root).parts if path.is_relative_to(root) else path.parts
    plain = [
        part[1:].split(".")[0] if part.startswith(".") and part.endswith(".tmp") else part for part in parts
    ]
    return "/".join(plain)


def stands(root: Path) -> list[str]:
    """What is whole after the kill; raises where something torn could be loaded."""
    found = [f"checkpoint {stands_at(root)}"]
    for name, kind, load in (("model", "embeddings", Embeddings.load), ("bundle", "bundle", Bundle.load)):
        try:
            open_artifact(root / name, kind)
        except ArtifactError as error:
            if "no artifact there" not in str(error):
                raise
            continue
        loaded = load(root / name)
        if isinstance(loaded, Bundle):
            Store().publish(loaded)
        found.append(name)
    return found


def report(root: Path, point: str) -> None:
    """Kill, look, start over, look again; one JSON line."""
    root.mkdir(parents=True)
    code = child(lambda: burn(root, point)) if point else 0
    looked = child(lambda: print(json.dumps(stands(root)), file=sys.stderr))
    again = child(lambda: work(root))
    ends = {
        "weights": digest(root / "model" / "embeddings.safetensors"),
        "bundle": open_artifact(root / "bundle", "bundle").fingerprint,
    }
    left = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.name.startswith("."))
    print(json.dumps({"point": point, "codes": [code, looked, again], "ends": ends, "left": left}), flush=True)


if __name__ == "__main__":
    os.fsync = lambda handle: None
    for number, asked in enumerate(["", *sys.argv[2:]]):
        report(Path(sys.argv[1]) / str(number), asked)
