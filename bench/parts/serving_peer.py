"""The peer: what one writes in an afternoon with FastAPI and faiss, to be loaded as thence is.

    python bench/parts/serving_peer.py FOLDER PORT

FOLDER holds ``source.npy``, ``hnsw.faiss`` (inner products of targets) or ``table.npy``, and ``items.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import faiss
import numpy as np
import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel


class Hit(BaseModel):
    item_id: str
    title: str
    score: float


class Answer(BaseModel):
    item_id: str
    results: list[Hit]


def app(folder: Path) -> FastAPI:
    service, items = FastAPI(), json.loads((folder / "items.json").read_text())
    at = {item["item_id"]: n for n, item in enumerate(items)}
    source, table = np.load(folder / "source.npy"), np.load(folder / "table.npy")
    index = faiss.read_index(str(folder / "hnsw.faiss"))
    index.hnsw.efSearch = json.loads((folder / "effort.json").read_text())

    def answer(node: int, nodes: list[int], scores: list[float]) -> Answer:
        hits = [Hit(**items[n], score=s) for n, s in zip(nodes, scores, strict=True) if n not in (node, -1)]
        return Answer(item_id=items[node]["item_id"], results=hits[:10])

    def node_of(item_id: str) -> int:
        if item_id not in at:
            raise HTTPException(404, "unknown item")
        return at[item_id]

    @service.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ready"}

    @service.get("/table/{item_id}")
    def looked_up(item_id: str) -> Answer:
        node = node_of(item_id)
        return answer(node, table[node].tolist(), [0.0] * table.shape[1])

    @service.get("/ann/{item_id}")
    def searched(item_id: str) -> Answer:
        node = node_of(item_id)
        scores, nodes = index.search(source[node : node + 1], 11)
        return answer(node, nodes[0].tolist(), scores[0].tolist())

    return service


if __name__ == "__main__":
    faiss.omp_set_num_threads(1)
    uvicorn.run(app(Path(sys.argv[1])), port=int(sys.argv[2]), log_level="warning", access_log=False)
