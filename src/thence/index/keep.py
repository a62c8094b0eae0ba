"""Keep an index on disk, without the vectors: they are the model's, and the index names them by fingerprint.

The structures are faiss or ScaNN files, which their libraries parse in C++. They are therefore read only after
every byte has been compared with the manifest's SHA-256; a torn or altered file never reaches a parser.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from thence.base.artifact import Artifact, open_artifact, write_artifact
from thence.base.config import check_config
from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.encode.embeddings import Embeddings
from thence.index.ann import NO_ROWS, AnnIndex, Side
from thence.index.engine.engine import Effort, Engine
from thence.index.exact import ExactIndex
from thence.index.fingerprint import fingerprint
from thence.index.neighbors import check_question
from thence.index.report import KINDS, IndexReport
from thence.index.space import MULTIPLE, ROLES, width

KIND = "index"


def save_index(index: AnnIndex | ExactIndex, folder: str | Path) -> None:
    """Write an index as an artifact of kind ``index``; the recall stands in its manifest as a metric.

    Raises:
        ArtifactError: something else stands there, or it cannot be written.
    """
    report = index.report
    with write_artifact(folder, KIND) as draft:
        draft.counts.update(nodes=len(index.ids), dim=index.embeddings.dim)
        draft.config.update(report=report.as_dict(), embeddings=fingerprint(index.embeddings))
        draft.metrics.update({f"recall@{report.k}.{name}": value for name, value in report.recall.items()})
        if isinstance(index, ExactIndex):
            return
        draft.config["efforts"] = {
            question: [effort.reach, effort.pool, effort.k, effort.deepest]
            for question, effort in index.efforts.items()
        }
        draft.config["sides"] = {role: side.with_bias for role, side in index.sides.items()}
        for role, side in index.sides.items():
            draft.array(f"{role}/node_of", side.node_of)
            side.engine.write(draft.path(f"{role}/node_of.npy").parent)
        if index.alive is not None:
            draft.array("alive", index.alive)


def load_index(folder: str | Path, embeddings: Embeddings) -> AnnIndex | ExactIndex:
    """Open a saved index of these embeddings.

    Args:
        folder: where it lies.
        embeddings: those that it was made of.

    Raises:
        ArtifactError: it is absent, torn, tampered with, or was made of other embeddings.
        ConfigError: the library of its kind is not installed.

    Example:
        >>> import tempfile
        >>> from thence.base.ids import IdMap
        >>> eye = np.eye(3, dtype=np.float32)
        >>> ring = Embeddings(IdMap(["a", "b", "c"]), source=eye, target=eye[[2, 0, 1]])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     ExactIndex(ring).save(f"{folder}/index")
        ...     load_index(f"{folder}/index", ring)
        ExactIndex(3 nodes, dim 3)
    """
    art = open_artifact(folder, KIND)
    if art.config.get("embeddings") != fingerprint(embeddings):
        raise ArtifactError(
            "the index was made of other embeddings",
            where=folder,
            fix="Open it with the model that it was built from, or build it again.",
        )
    try:
        report = _report(art.config["report"])
        if report.kind == "exact":
            return ExactIndex(embeddings, report)
        efforts: dict[Any, Effort] = {name: _effort(*it) for name, it in art.config["efforts"].items()}
        sides: dict[Any, Side] = {
            role: _side(art, embeddings, report.kind, role, bool(with_bias))
            for role, with_bias in art.config["sides"].items()
        }
        for question in efforts:
            check_question(question)
        alive = art.array("alive", mmap=False) if "alive.npy" in art.files else None
        if alive is not None and (alive.dtype != np.bool_ or alive.shape != (len(embeddings.ids),)):
            raise DataError(f"alive is {alive.dtype}{list(alive.shape)}")
        return AnnIndex(embeddings, sides, efforts, report, alive)
    except (DataError, TypeError, KeyError, ValueError, OverflowError, AttributeError) as error:
        raise ArtifactError(f"inconsistent index: {error!r}", where=folder) from error


def _report(values: Any) -> IndexReport:
    """A report whose values are of the types that it names, with recalls from 0 to 1."""
    try:
        report = check_config(values, IndexReport)
    except ConfigError as error:
        raise DataError(f"report: {error.what}") from error
    if not all(0 <= recall <= 1 for recall in report.recall.values()) or report.k < 1:
        raise DataError(f"recall@{report.k} of {dict(report.recall)}")
    return report


def _effort(reach: int, pool: int, k: int, deepest: int | None = None) -> Effort:
    effort = Effort(int(reach), int(pool), int(k), None if deepest is None else int(deepest))
    if min(effort.reach, effort.pool, effort.k, 1 if effort.deepest is None else effort.deepest) < 1:
        raise DataError(f"{effort} finds nothing")
    return effort


def _side(art: Artifact, embeddings: Embeddings, kind: str, role: str, with_bias: bool) -> Side:
    if role not in ROLES or kind not in KINDS:
        raise DataError(f"unknown role {role!r} of kind {kind!r}")
    node_of = art.array(f"{role}/node_of", mmap=False)
    engine = _engine(art.folder / role, kind)
    if node_of.dtype != np.int32 or (len(node_of) or len(embeddings.ids)) != engine.num_rows:
        raise DataError(f"{len(node_of)} nodes for {engine.num_rows} rows")
    if len(node_of) and not -1 <= node_of.min() <= node_of.max() < len(embeddings.ids):
        raise DataError("a row's node is out of range")
    if engine.width not in {
        width(embeddings.dim, with_bias, multiple) for multiple in (1, MULTIPLE.get(kind, 1))
    }:
        raise DataError(f"rows of {engine.width} values for vectors of {embeddings.dim}")
    return Side(engine, node_of if len(node_of) else NO_ROWS, with_bias)


def _engine(folder: Path, kind: str) -> Engine:
    if kind == "hnsw":
        from thence.index.engine.hnsw import read_hnsw

        return read_hnsw(folder)
    if kind == "scann":
        from thence.index.engine.scann import read_scann

        return read_scann(folder)
    from thence.index.engine.ivf import read_ivf

    return read_ivf(kind, folder)  # type: ignore[arg-type]
