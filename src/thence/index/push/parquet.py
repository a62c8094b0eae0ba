"""Ids and vectors as Parquet, one file a role, which any tool can read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError, DataError
from thence.base.ids import IdMap
from thence.encode.embeddings import Embeddings
from thence.index.fingerprint import fingerprint
from thence.index.push.outside import parts
from thence.index.space import ROLES

KIND = "vectors"
ROWS = 1 << 16


def write_vectors(embeddings: Embeddings, folder: str | Path) -> None:
    """Write ``source.parquet`` and ``target.parquet``: ``id``, ``vector`` and, of targets, ``bias``.

    ``vector`` is a fixed-size list of float32; rows stand in node order. The folder is an artifact of kind
    ``vectors``, whose manifest tells which embeddings they are; it is written piece by piece.

    Raises:
        ArtifactError: something else stands there, or it cannot be written.

    Example:
        >>> import tempfile
        >>> pair = Embeddings(IdMap(["phone", "case"]), np.eye(2), np.eye(2)[::-1])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_vectors(pair, f"{folder}/vectors")
        ...     pq.read_table(f"{folder}/vectors/target.parquet").to_pylist()[0]
        {'id': 'phone', 'vector': [0.0, 1.0], 'bias': 0.0}
    """
    with write_artifact(folder, KIND) as draft:
        for role in ROLES:
            schema = _schema(role, embeddings.dim)
            with pq.ParquetWriter(draft.path(f"{role}.parquet"), schema, compression="zstd") as writer:
                for part in parts(len(embeddings.ids), ROWS):
                    rows = np.ascontiguousarray(getattr(embeddings, role)[part])
                    vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), embeddings.dim)
                    columns = [embeddings.ids.array[part], vectors]
                    columns += [pa.array(embeddings.bias[part])] if role == "target" else []  # type: ignore[index]
                    writer.write_table(pa.table(columns, schema=schema))
        draft.counts.update(nodes=len(embeddings.ids), dim=embeddings.dim)
        draft.config.update(embeddings=fingerprint(embeddings))


def read_vectors(folder: str | Path) -> Embeddings:
    """The embeddings that :func:`write_vectors` wrote.

    Raises:
        ArtifactError: they are absent, torn, tampered with, or not vectors.
    """
    art = open_artifact(folder, KIND)
    source, target = art.table("source"), art.table("target")
    try:
        if not source["id"].equals(target["id"]):
            raise DataError("the two files have different ids")
        rows = {role: _rows(table) for role, table in (("source", source), ("target", target))}
        bias = target["bias"].to_numpy()
        return Embeddings(IdMap(source["id"]), rows["source"], rows["target"], bias)
    except (DataError, KeyError, AttributeError, ValueError) as error:
        raise ArtifactError(f"inconsistent vectors: {error!r}", where=folder) from error


def _schema(role: str, dim: int) -> pa.Schema:
    fields = [pa.field("id", pa.string()), pa.field("vector", pa.list_(pa.float32(), dim))]
    return pa.schema([*fields, pa.field("bias", pa.float32())] if role == "target" else fields)


def _rows(table: pa.Table) -> np.ndarray:
    vectors = table["vector"].combine_chunks()
    return vectors.flatten().to_numpy().reshape(len(vectors), -1)
