"""A small shop with known answers, and a client that asks its service without a network."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
from fastapi import FastAPI

from thence.base.ids import IdMap
from thence.encode.embeddings import Embeddings
from thence.graph.arcs import Arcs
from thence.graph.digraph import DiGraph
from thence.index import NeighborTable
from thence.serve import Bundle

HOSTILE = "<script>document.title='broken into'</script><img src=x onerror=document.title='broken'>"
IDS = ["phone", "case", "charger", "cable", "glass", "tv", "a/b,c", "lone"]
TITLES = [
    "Red Phone",
    "Phone case",
    "Fast charger",
    "Cable, braided",
    "Screen glass",
    "Télévision",
    HOSTILE,
    None,
]
CATEGORIES = [
    "Tech > Phones",
    *["Tech > Accessories"] * 3,
    "Tech > Accessories > Glass",
    "Home > TV",
    "Home",
    None,
]
DAY = 86_400_000_000
#         source, target, support of bought_after
AFTER = [(0, 1, 30), (1, 0, 10), (0, 2, 20), (2, 3, 8), (1, 4, 6), (0, 4, 2), (5, 0, 3), (6, 5, 4)]
BASKET = [(0, 1, 50), (1, 0, 50), (3, 2, 9)]


def relation(rows: list[tuple[int, int, int]], *, directed: bool = True) -> Arcs:
    source, target, support = (np.array(column) for column in zip(*rows, strict=True))
    values = {
        "support": support.astype(np.int32),
        "lift": (1 + support / 10).astype(np.float32),
        "last_time": 17_000 * DAY + support * DAY,
        "asymmetry": np.linspace(-1, 3, len(rows), dtype=np.float32),
    }
    return Arcs.from_pairs(source, target, num_nodes=len(IDS), weight=support, values=values, directed=directed)


def embeddings() -> Embeddings:
    """Vectors whose scores are a fixed matrix: the support of bought_after, and a little of its own."""
    scores = np.fromfunction(lambda i, j: ((3 * i + 5 * j) % 7) / 10, (len(IDS), len(IDS)))
    for source, target, support in AFTER:
        scores[source, target] += support
    return Embeddings(IdMap(IDS), source=scores, target=np.eye(len(IDS)), bias=np.linspace(0, 0.05, len(IDS)))


def bundle(*, baseline: bool = True, report: bool = True) -> Bundle:
    nodes = pa.table(
        {
            "item_id": IDS,
            "title": pa.array(TITLES, pa.string()),
            "category": pa.array(CATEGORIES, pa.string()),
            "brand": pa.array(["Acme", "Acme", None, "Wire & Co", None, "Acme", None, None], pa.string()),
            "price": [399.0, 19.5, None, 7.25, 9.0, float("nan"), 1.0, 2.0],
            "count": [500, 300, 200, 40, 30, 25, 5, 0],
        }
    )
    ids = IdMap(IDS)
    relations = {"bought_after": relation(AFTER), "same_basket": relation(BASKET)}
    model = embeddings()
    flipped = Embeddings(ids, model.source[::-1].copy(), model.target, model.bias)
    return Bundle(
        model,
        DiGraph(ids, relations, nodes),
        NeighborTable.build(flipped, k=5, name="upside down") if baseline else None,
        "<!doctype html><title>Evaluation</title><p>HR@10 .5" if report else None,
        {"HR@10": 0.5} if report else None,
    )


class Client:
    """Asks an application through its ASGI interface, one event loop a request."""

    def __init__(self, app: FastAPI, host: str = "127.0.0.1:8000") -> None:
        self.app, self.host = app, host

    def get(
        self, path: str, *, method: str = "GET", headers: dict[str, str] | None = None, **query: Any
    ) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{self.host}") as client:
                return await client.request(method, path, params=query or None, headers=headers)

        return asyncio.run(ask())

    def json(self, path: str, **query: Any) -> Any:
        answer = self.get(path, **query)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.json()
