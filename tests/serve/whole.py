"""A small shop with every part that a bundle may have, and a way to seal what was changed in it."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from tests.serve.shop import bundle
from tests.serve.test_second import table

from thence.base.artifact import MANIFEST, _manifest_digest
from thence.compress import DistillConfig, fit_student
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.learn import LearnConfig
from thence.conversion.model import ConversionModel
from thence.conversion.net import NetConfig
from thence.conversion.sources.hashing import describe
from thence.decide.estimator import DecisionBoundary
from thence.decide.fitting import fit_policy
from thence.decide.policy import Policy
from thence.decide.sample import Sample
from thence.events.clock import DAY, HOUR
from thence.index import build_index
from thence.index.options import IndexOptions
from thence.serve import Bundle


@cache
def conversion() -> ConversionModel:
    """Mugs convert, cups do not."""
    count = 600
    item = ["mug" if k % 2 else "cup" for k in range(count)]
    time = np.arange(count) * HOUR
    ends = np.where(np.arange(count) % 2, time + HOUR, NEVER)
    features = describe({"item": item}, {"price": [float(k % 5) for k in range(count)]}, 50)
    shown = Exposures.make(time, ends, window=DAY, features=features)
    made = ConversionModel(
        "wait", net=NetConfig("logistic"), learn=LearnConfig(100, 0.1, passes=2), kinds={"item": "text"}
    )
    return made.fit(shown, at=500 * HOUR)


@cache
def policy() -> Policy:
    rng = np.random.default_rng(0)
    score, unsure = rng.random((2, 2000))
    sample = Sample.make(score, unsure, rng.random(2000) < score * (1 - unsure))
    return fit_policy(sample, DecisionBoundary("recall", precision=0.6), miss=0.3).policy


@cache
def whole() -> Bundle:
    """The shop of :mod:`tests.serve.shop`, with all parts."""
    plain = bundle()
    model, graph = plain.embeddings, plain.graph
    index = build_index(model, "hnsw", k=2, floor=None, allow_exact=False, options=IndexOptions(queries=4))
    student = fit_student(graph, model, DistillConfig(words=4, shared=2, steps=0))
    return Bundle(
        model,
        graph,
        plain.baseline,
        plain.report_html,
        plain.report,
        reranked=table(),
        conversion=conversion(),
        policy=policy(),
        index=index,
        student=student,
    )


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its path in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def lay_out(folder: Path, files: dict[str, bytes]) -> None:
    """Write files, each in the place of the one before it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def sealed(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files with all digests and sizes in their manifests made right again, the inner ones first."""
    made = dict(files)
    for name in sorted((name for name in files if name.endswith(MANIFEST)), key=lambda name: -name.count("/")):
        manifest, inside = parsed(made[name]), name.removesuffix(MANIFEST)
        if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
            continue
        for file, entry in manifest["files"].items():
            content = made.get(inside + file)
            if content is not None and isinstance(entry, dict):
                entry.update(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
        manifest["digest"] = _manifest_digest(manifest)
        made[name] = json.dumps(manifest).encode()
    return made


def parsed(content: bytes) -> Any:
    """JSON, or None where it is none."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
