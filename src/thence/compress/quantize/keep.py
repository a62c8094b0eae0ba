"""Quantized embeddings as an artifact: codes of each side, what is added, the space, and the figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from thence.base.artifact import Artifact, open_artifact, write_artifact
from thence.base.errors import ArtifactError, ThenceError
from thence.base.ids import IdMap
from thence.compress.quantize.codes import Codes
from thence.compress.quantize.kinds import kind_named
from thence.compress.quantize.quantized import SIDES, QuantizedEmbeddings
from thence.compress.quantize.space import Space

ARTIFACT = "quantized"
SPACE = {"gain": np.float32, "signs": np.int8, "source_mean": np.float32, "target_mean": np.float32}


def save(small: QuantizedEmbeddings, folder: str | Path) -> None:
    """Write an artifact of kind ``quantized``."""
    with write_artifact(folder, ARTIFACT) as draft:
        draft.table("ids", pa.table({"id": small.ids.array}))
        for side in SIDES:
            draft.tensors(side, getattr(small, side).tensors())
        added = {name: array for name in ("bias", "own") if (array := getattr(small, name)) is not None}
        if added:
            draft.tensors("added", added)
        if small.space is not None:
            draft.tensors("space", small.space.tensors())
        draft.counts.update(nodes=len(small.ids), dim=small.dim, bytes=small.bytes)
        draft.metrics.update(small.metrics)
        draft.config.update(kind=small.kind, info=dict(small.info))


def load(folder: str | Path) -> QuantizedEmbeddings:
    """Open what :func:`save` wrote.

    Raises:
        ArtifactError: it is absent, torn, tampered with, or inconsistent.
    """
    art = open_artifact(folder, ARTIFACT)
    try:
        name = str(art.config["kind"])
        source, target = (_codes(art, side, name) for side in SIDES)
        added = art.tensors("added") if "added.safetensors" in art.files else {}
        space = _space(art) if kind_named(name).spaced else None
        ids = IdMap(art.table("ids")["id"])
        return QuantizedEmbeddings(
            ids,
            name,
            source,
            target,
            **added,
            space=space,
            metrics=art.metrics,
            info=art.config["info"],
        )
    except ArtifactError:
        raise
    except (ThenceError, TypeError, KeyError, ValueError, IndexError) as error:
        raise ArtifactError(f"inconsistent quantized embeddings: {error}", where=folder) from error


def _codes(art: Artifact, side: str, name: str) -> Codes:
    """Codes of one side, their dtypes and shapes checked."""
    kind, kept = kind_named(name), art.tensors(side)
    rows, dim = art.counts["nodes"], art.counts["dim"]
    _check(art, kept, {key: dtype for key, (dtype, _) in kind.dtypes.items()})
    for key, (_, axes) in kind.dtypes.items():
        if kept[key].ndim != axes:
            raise ArtifactError(f"{side} {key} has shape {kept[key].shape}", where=art.folder)
        if key in ("scale", "cosine") and not np.isfinite(kept[key]).all():
            raise ArtifactError(f"{side} {key} holds values that are not finite", where=art.folder)
    codes = kind.open(kept, dim)
    if codes.num_rows != rows or codes.decode(slice(0, 1)).shape != (min(rows, 1), dim):
        raise ArtifactError(f"{side} codes do not fit {rows} nodes of {dim} numbers", where=art.folder)
    return codes


def _space(art: Artifact) -> Space:
    kept = art.tensors("space")
    _check(art, kept, SPACE)
    return Space(**kept)


def _check(art: Artifact, kept: dict[str, np.ndarray], wanted: dict[str, type]) -> None:
    found = {key: array.dtype for key, array in kept.items()}
    if found != {key: np.dtype(dtype) for key, dtype in wanted.items()}:
        raise ArtifactError(f"it holds {found}", where=art.folder, fix="Write it again.")
