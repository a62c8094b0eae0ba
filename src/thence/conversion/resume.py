"""A stream that stops and goes on: all that its next step depends on, in one artifact.

Orders of rows and starts of networks depend on the seed and the clock only, so that the main network, Adam's
moments, the clock, what was predicted so far and the estimator's own state are all there is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from thence.base.artifact import MANIFEST, open_artifact, write_artifact
from thence.base.errors import ArtifactError
from thence.base.folders import mend
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import Exposures
from thence.conversion.keep import Arrays, learner_arrays, set_learner

if TYPE_CHECKING:
    from thence.conversion.stream import Stream

KIND = "stream-checkpoint"


def signature(exposures: Exposures, estimator: Estimator, settings: object) -> str:
    """A digest of all that decides what a stream predicts: data, estimator and settings.

    Args:
        exposures: all of them.
        estimator: before it has learned anything.
        settings: a dataclass.
    """
    own = {
        name: value for name, value in vars(estimator).items() if isinstance(value, bool | int | float | str)
    }
    words = [type(estimator).__name__, own, asdict(settings)]  # type: ignore[call-overload]
    text = json.dumps([*words, fingerprint(exposures)], sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def fingerprint(exposures: Exposures) -> str:
    """A digest of exposures: everything that is known of them.

    Example:
        >>> shown = Exposures.make([0, 10], [4, 30], window=50, until=40)
        >>> [fingerprint(shown) == fingerprint(shown.before(clock)) for clock in (40, 30)]
        [True, False]
    """
    features, events = exposures.features, exposures.engagement
    head = f"{exposures.window} {exposures.until} {features.buckets} {features.names} {events.kinds}"
    found = hashlib.blake2b(head.encode(), digest_size=16)
    parts = (exposures.time, exposures.conversion_time, features.codes, features.numbers)
    for array in (*parts, events.owner, events.kind, events.time):
        found.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return found.hexdigest()


def save(folder: str | Path, stream: Stream, made: Mapping[str, np.ndarray], signed: str) -> None:
    """Write a checkpoint; the one before it is replaced atomically.

    Args:
        folder: of the checkpoint.
        stream: as it stands after a refresh.
        made: predictions so far: ``index``, ``probability`` and ``block``.
        signed: :func:`signature` of the stream.
    """
    with write_artifact(folder, KIND) as draft:
        draft.tensors("learner", learner_arrays(stream.learner, "main"))
        draft.tensors("estimator", stream.estimator.state())
        for name, values in made.items():
            draft.array(name, values)
        draft.counts.update(clock=stream.clock, rows=stream.trained, predictions=len(made["index"]))
        draft.config["signature"] = signed


def load(folder: str | Path, stream: Stream, signed: str) -> Arrays | None:
    """Put a stream where a checkpoint stood, and return what it had predicted; None where there is none.

    Raises:
        ArtifactError: it is torn, or belongs to another stream.
    """
    folder = Path(folder)
    mend(folder, MANIFEST)
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    art = open_artifact(folder, KIND)
    if art.config.get("signature") != signed:
        raise ArtifactError(
            "the checkpoint is of other exposures, another estimator or other settings",
            where=folder,
            fix="Remove it to start afresh.",
        )
    set_learner(stream.learner, art.tensors("learner"), "main")
    stream.estimator.begin(stream.exposures.before(stream.config.start), stream.lab)
    stream.clock, stream.trained = art.counts["clock"], art.counts["rows"]
    known = stream.exposures.before(stream.clock)
    stream.estimator.restore(art.tensors("estimator"), known, stream.lab)
    return {name: np.array(art.array(name, mmap=False)) for name in ("index", "probability", "block")}


def told_by(stream: Stream) -> dict[str, float]:
    """Figures of the stream itself, and those that its estimator tells."""
    refreshes = (stream.clock - stream.config.start) // stream.config.step
    return {"rows": float(stream.trained), "refreshes": float(refreshes), **stream.estimator.told()}
