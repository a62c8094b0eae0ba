"""The parts of ``bench/serve.py``: load, replacement under load, start, memory, and the peer."""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from common import say
from parts.serving_client import Heard, drive
from parts.serving_server import Service, serving, thence
from parts.serving_world import saved, shop
from thence.base.rng import generator
from thence.index import ExactIndex
from thence.serve import Bundle

ITEMS, SOME, ASKED = 100_000, 10_000, 5_000
STARTS, WARM = 5, 500
Figures = dict[str, float]


def asked(bundle: Bundle, seed: int, more: str = "") -> list[str]:
    """Ids in a random order, each once: nothing is asked that was asked just before."""
    rng = generator(seed, "bench", "serving", "asked")
    nodes = rng.choice(len(bundle.embeddings.ids), min(ASKED, len(bundle.embeddings.ids)), replace=False)
    return [f"/v1/related/{id_}?k=10{more}" for id_ in bundle.embeddings.ids.decode(nodes)]


def loaded(
    service: Service, paths: list[str], rate: float, seconds: float, look: Any = None
) -> tuple[Heard, float]:
    """What came back under load, and milliseconds of CPU that each request took."""
    drive(service.port, paths, rate, WARM / rate)
    before = service.cpu
    heard = drive(service.port, paths, rate, seconds, look)
    return heard, (service.cpu - before) / len(heard.seconds) * 1e3


def told(name: str, heard: Heard, cpu: float, seconds: float) -> Figures:
    """The figures of one load."""
    return {
        f"{name}.rps": len(heard.seconds) / seconds,
        f"{name}.p50_ms": heard.quantile(0.5),
        f"{name}.p99_ms": heard.quantile(0.99),
        f"{name}.p999_ms": heard.quantile(0.999),
        f"{name}.errors": heard.errors,
        f"{name}.cpu_ms_per_request": cpu,
    }


def table(arguments: argparse.Namespace) -> Figures:
    """The second stage's table at 500 requests a second, with the evidence behind each answer; the peer's."""
    seconds = 20.0 if arguments.quick else 60.0
    bundle = shop(ITEMS)
    with tempfile.TemporaryDirectory() as folder:
        with serving(thence(saved(bundle, Path(folder) / "shop"))) as service:
            _route(service, asked(bundle, 0)[0], "table")
            figures = told("table", *loaded(service, asked(bundle, 0), 500, seconds), seconds)
        with peer(bundle, Path(folder)) as service:
            paths = [path.replace("/v1/related/", "/table/").split("?")[0] for path in asked(bundle, 0)]
            return figures | told("peer_table", *loaded(service, paths, 500, seconds), seconds)


def ann(arguments: argparse.Namespace) -> Figures:
    """The similarity index of 100,000 items at 200 requests a second, and how many of the ten best it finds."""
    seconds = 20.0 if arguments.quick else 60.0
    bundle = replace(shop(ITEMS), reranked=None)
    paths, nodes = asked(bundle, 0), _nodes(bundle, asked(bundle, 0))
    best = ExactIndex(bundle.embeddings).search(nodes, 10).nodes
    exact = [set(bundle.embeddings.ids.decode(row)) for row in best]
    found: dict[int, float] = {}

    def look(number: int, body: bytes) -> bool:
        if number not in found:
            found[number] = len(exact[number] & {row["item_id"] for row in json.loads(body)["results"]}) / 10
        return True

    with tempfile.TemporaryDirectory() as folder:
        with serving(thence(saved(bundle, Path(folder) / "shop"))) as service:
            _route(service, paths[0], "model")
            drive(service.port, paths, 200, len(paths) / 200, look)  # not timed: the client reads the answers
            figures = told("ann", *loaded(service, paths, 200, seconds), seconds)
        figures["ann.recall@10"] = statistics.fmean(found.values())
        with peer(bundle, Path(folder), nodes, best) as service:
            theirs: dict[int, float] = {}

            def hits(number: int, body: bytes) -> bool:
                results = {row["item_id"] for row in json.loads(body)["results"]}
                return bool(theirs.setdefault(number, len(exact[number] & results) / 10))

            ours = [path.replace("/v1/related/", "/ann/").split("?")[0] for path in paths]
            drive(service.port, ours, 200, len(paths) / 200, hits)
            figures |= told("peer", *loaded(service, ours, 200, seconds), seconds)
            return figures | {"peer.recall@10": statistics.fmean(theirs.values())}


def reload(arguments: argparse.Namespace) -> Figures:
    """Twenty replacements in a minute under 200 requests a second; answers are held against their version's."""
    times, seconds = (7, 20.0) if arguments.quick else (20, 60.0)
    bundles = [shop(SOME, seed) for seed in (0, 1)]
    paths = asked(bundles[0], 0)[:500]
    with tempfile.TemporaryDirectory() as folder:
        live = Path(folder) / "live"
        truth: dict[str, list[Any]] = {}
        for bundle in bundles:
            bundle.save(live)
            with serving(thence(live)) as service:
                truth[bundle.version] = [service.ask(path)[1] for path in paths]
        mixed: list[int] = []
        versions: set[str] = set()

        def look(number: int, body: bytes) -> bool:
            answer = json.loads(body)
            versions.add(answer["model_version"])
            return truth[answer["model_version"]][number] == answer

        with serving(thence(live)) as service:
            refused = _every(seconds / times, times, lambda n: _replace(service, bundles[n % 2], live))
            heard = drive(service.port, paths, 200, seconds + 2, look)
            failures = refused()
        mixed.append(heard.wrong)
    return {
        "reload.count": times - failures,
        "reload.failures": heard.errors + failures,
        "reload.mixed_answers": float(sum(mixed)),
        "reload.versions": len(versions),
        "reload.p99_ms": heard.quantile(0.99),
    }


def start(arguments: argparse.Namespace) -> Figures:
    """From the start of the process to ready, with 100,000 items; the median of five."""
    with tempfile.TemporaryDirectory() as folder:
        path = saved(shop(ITEMS), Path(folder) / "shop")
        seconds, cpu = [], []
        for _ in range(STARTS):
            with serving(thence(path)) as service:
                seconds.append(service.seconds)
                cpu.append(service.cpu)
    return {
        "start.seconds": statistics.median(seconds),
        "start.seconds.most": max(seconds),
        "start.cpu_seconds": statistics.median(cpu),
    }


def soak(arguments: argparse.Namespace) -> Figures:
    """Thirty minutes at 100 requests a second with a replacement each minute: does memory grow?

    Growth is between the means of the two halves of what is measured after the warm-up, a sixth of the time.
    """
    minutes = 4 if arguments.quick else 30
    bundles = [shop(SOME, seed) for seed in (0, 1)]
    paths = [
        path for more in ("", "&direction=before", "&price_max=9") for path in asked(bundles[0], 0, more)[:500]
    ]
    seen: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        live = saved(bundles[1], Path(folder) / "live")
        with serving(thence(live)) as service:
            every = 10.0 if arguments.quick else 60.0
            times = int(minutes * 60 / every) - 1
            refused = _every(every, times, lambda n: _replace(service, bundles[n % 2], live))
            watched = _every(
                2.0, minutes * 30, lambda n: seen.append((time.perf_counter(), service.resident)) or True
            )
            heard = drive(service.port, paths, 100, minutes * 60)
            failures = refused()
            watched()
    kept = [mib for at, mib in seen if at > seen[0][0] + minutes * 10]
    halves = [statistics.fmean(kept[: len(kept) // 2]), statistics.fmean(kept[len(kept) // 2 :])]
    return {
        "soak.minutes": minutes,
        "soak.memory_growth": halves[1] / halves[0] - 1,
        "soak.mib": halves[1],
        "soak.reloads": times - failures,
        "soak.errors": heard.errors + failures,
    }


@contextmanager
def peer(
    bundle: Bundle, folder: Path, nodes: np.ndarray | None = None, best: np.ndarray | None = None
) -> Iterator[Service]:
    """The peer with the same vectors and table, its effort the least that finds 95 % of the ten best."""
    import faiss

    place = folder / "peer"
    place.mkdir()
    model = bundle.embeddings
    index = faiss.IndexHNSWFlat(model.dim, 32, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = 100
    effort = 64
    if nodes is not None and best is not None:
        index.add(model.target)
        for effort in (16, 32, 64, 128, 256, 512, 1024):
            index.hnsw.efSearch = effort
            found = index.search(model.source[nodes[:500]], 11)[1]
            pairs = zip(found, best[:500], nodes[:500], strict=True)
            hits = [len(({*row} - {own}) & {*true.tolist()}) / 10 for row, true, own in pairs]
            if statistics.fmean(hits) >= 0.95:
                break
    faiss.write_index(index, str(place / "hnsw.faiss"))
    np.save(place / "source.npy", model.source)
    assert bundle.baseline is not None
    np.save(place / "table.npy", bundle.baseline.next.nodes[:, :10])
    titles = bundle.graph.nodes["title"].to_pylist() if bundle.graph.nodes is not None else []
    items = [{"item_id": i, "title": t} for i, t in zip(model.ids.array.to_pylist(), titles, strict=True)]
    (place / "items.json").write_text(json.dumps(items))
    (place / "effort.json").write_text(json.dumps(effort))
    script = str(Path(__file__).with_name("serving_peer.py"))
    with serving([script, str(place), "{port}"], ready="/health") as service:
        yield service


def _nodes(bundle: Bundle, paths: list[str]) -> np.ndarray:
    return bundle.embeddings.ids.encode([path.split("/")[3].split("?")[0] for path in paths])


def _route(service: Service, path: str, wanted: str) -> None:
    """What is measured is what is meant."""
    status, answer = service.ask(path)
    if status != 200 or answer["route"] != wanted or len(answer["results"]) != 10:
        raise RuntimeError(f"{path} was answered by {answer.get('route')} with {status}")


def _replace(service: Service, bundle: Bundle, live: Path) -> bool:
    """Put another bundle in place and let the service load it."""
    bundle.save(live)
    status, answer = service.ask("/v1/admin/reload", method="POST")
    if status != 200 or not answer["changed"]:
        say(f"reload: {status} {answer}")
    return status == 200 and answer["changed"]


def _every(seconds: float, times: int, act: Callable[[int], bool]) -> Callable[[], int]:
    """Do something at a steady pace beside the load; what is returned waits for the end and counts failures."""
    failures: list[int] = []

    def work() -> None:
        begun = time.perf_counter()
        for n in range(times):
            time.sleep(max(begun + (n + 1) * seconds - time.perf_counter(), 0))
            if not act(n):
                failures.append(n)

    thread = threading.Thread(target=work)
    thread.start()

    def ended() -> int:
        thread.join()
        return len(failures)

    return ended


PARTS: Mapping[str, Callable[[argparse.Namespace], Figures]] = {
    "table": table,
    "ann": ann,
    "reload": reload,
    "start": start,
    "soak": soak,
}
