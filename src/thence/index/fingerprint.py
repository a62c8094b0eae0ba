"""What embeddings an index was made of, as one number over their ids and values."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from thence.encode.embeddings import Embeddings

ROWS = 1 << 16


def fingerprint(embeddings: Embeddings) -> str:
    """SHA-256 over ids, source, target and bias, in hexadecimal; how they came about does not count.

    Example:
        >>> from thence.base.ids import IdMap
        >>> eye = np.eye(2, dtype=np.float32)
        >>> one, other = Embeddings(IdMap(["a", "b"]), eye, eye), Embeddings(IdMap(["a", "b"]), eye, eye[::-1])
        >>> fingerprint(one) == fingerprint(one), fingerprint(one) == fingerprint(other)
        (True, False)
    """
    found = hashlib.sha256(f"{len(embeddings.ids)}x{embeddings.dim}".encode())
    for begin in range(0, len(embeddings.ids), ROWS):
        part = slice(begin, begin + ROWS)
        found.update(json.dumps(embeddings.ids.array[part].to_pylist()).encode())
        for values in (embeddings.source, embeddings.target, embeddings.bias):
            found.update(np.ascontiguousarray(values[part]).view(np.uint8).data)  # type: ignore[index]
    return found.hexdigest()
