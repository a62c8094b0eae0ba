"""Vectors into Qdrant, through its own client: one collection a role, scored by inner products."""

from __future__ import annotations

from typing import Any

from thence.base.errors import ArtifactError, ConfigError
from thence.base.library import library
from thence.base.progress import Progress, silent
from thence.encode.embeddings import Embeddings
from thence.index.fingerprint import fingerprint
from thence.index.push.outside import held, parts, set_names
from thence.index.space import ROLES

POINTS = 512
VERSION_DIGITS = 12


def push_qdrant(
    embeddings: Embeddings, client: Any, name: str, *, replace: bool = False, progress: Progress = silent
) -> dict[str, int]:
    """Write collections ``{name}_source`` and ``{name}_target``.

    Points are numbered as nodes are; their payload has the external ``id`` and the ``model`` that they are of
    (twelve digits of its fingerprint). What to ask with is given by :func:`thence.index.push.asking`.

    Args:
        embeddings: what to write.
        client: a ``qdrant_client.QdrantClient``, of a server or of one's own memory.
        name: lower-case letters, digits and underscores.
        replace: write over collections of that name.
        progress: told after each batch.

    Returns:
        How many points each collection then has.

    Raises:
        ConfigError: qdrant-client is not installed, the name is unfit, or a collection stands there already.
        ArtifactError: a collection does not hold as many points as there are nodes.
    """
    models = library("qdrant_client.models", "'thence[qdrant]'")
    names, model = set_names(name), fingerprint(embeddings)[:VERSION_DIGITS]
    for collection in names.values():
        if client.collection_exists(collection) and not replace:
            raise ConfigError(f"collection {collection!r} exists", fix="Give another name, or replace=True.")
    counts, total = {}, 2 * len(embeddings.ids)
    for at, role in enumerate(ROLES):
        collection = names[role]
        if client.collection_exists(collection):
            client.delete_collection(collection)
        size = held(embeddings, role, slice(0, 1)).shape[1]
        params = models.VectorParams(size=size, distance=models.Distance.DOT)
        client.create_collection(collection, vectors_config=params)
        for part in parts(len(embeddings.ids), POINTS):
            ids = embeddings.ids.array[part].to_pylist()
            payloads = [{"id": id_, "model": model} for id_ in ids]
            vectors = held(embeddings, role, part).tolist()
            points = models.Batch(ids=list(range(part.start, part.stop)), vectors=vectors, payloads=payloads)
            client.upsert(collection, points=points, wait=True)
            progress("push to Qdrant", at * len(embeddings.ids) + part.stop, total)
        counts[collection] = int(client.count(collection, exact=True).count)
        if counts[collection] != len(embeddings.ids):
            what = f"{counts[collection]} points for {len(embeddings.ids)} nodes"
            raise ArtifactError(what, where=collection, fix="Push again with replace=True.")
    return counts
