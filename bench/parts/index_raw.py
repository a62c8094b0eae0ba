"""Libraries called directly: built once, swept over their search settings, and read off at a given recall."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

K = 20


class Point(NamedTuple):
    """One setting: recall@20 and CPU microseconds a query."""

    recall: float
    us: float


class Raw(NamedTuple):
    """A library's index of the targets, and how to ask it."""

    name: str
    seconds: float
    bytes: int
    search: Callable[..., np.ndarray]
    settings: list[tuple[int, ...]]


def wide(rows: np.ndarray, extra: np.ndarray | None) -> np.ndarray:
    """Targets with the bias as a dimension, where there is one; padded to an even width."""
    if extra is None:
        return np.ascontiguousarray(rows)
    pad = 1 + (rows.shape[1] + 1) % 2
    more = np.zeros((len(rows), pad), np.float32)
    more[:, 0] = extra
    return np.hstack([rows, more])


def faiss_factory(name: str, text: str, rows: np.ndarray, settings: list[tuple[int, ...]]) -> Raw:
    """An index of faiss's own factory; the metric is the inner product."""
    import faiss

    begun = time.process_time()
    index: Any = faiss.index_factory(rows.shape[1], text, faiss.METRIC_INNER_PRODUCT)
    index.train(rows)
    index.add(rows)
    spent = time.process_time() - begun
    size = len(faiss.serialize_index(index))

    def search(queries: np.ndarray, *setting: int) -> np.ndarray:
        if text.startswith("HNSW"):
            index.hnsw.efSearch = setting[0]
        else:
            faiss.extract_index_ivf(index).nprobe, index.k_factor = setting
        return index.search(queries, K)[1]

    return Raw(name, spent, size, search, settings)


def raw_ivf_pq(rows: np.ndarray, lists: int) -> Raw:
    """Fast-scan product quantization with exact refinement."""
    text = f"IVF{lists},PQ{rows.shape[1] // 2}x4fs,RFlat"
    return faiss_factory("ivf_pq", text, rows, ivf_settings(lists, (6, 12, 25, 50, 100, 200)))


def raw_ivf_rabitq(rows: np.ndarray, lists: int) -> Raw:
    """RaBitQ with exact refinement."""
    text = f"RR{rows.shape[1]},IVF{lists},RaBitQ,RFlat"
    import faiss

    try:
        return faiss_factory("ivf_rabitq", text, rows, ivf_settings(lists, (6, 12, 25, 50)))
    except RuntimeError:
        faiss.cvar.indexIVF_stats.reset()
        return faiss_factory(
            "ivf_rabitq", text[text.index("IVF") :], rows, ivf_settings(lists, (6, 12, 25, 50))
        )


def raw_hnsw(rows: np.ndarray, links: int = 16, breadth: int = 100) -> Raw:
    """HNSW over float32 rows, as large as the house's."""
    import faiss

    begun = time.process_time()
    index: Any = faiss.IndexHNSWFlat(rows.shape[1], links, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = breadth
    index.add(rows)
    spent = time.process_time() - begun
    size = len(faiss.serialize_index(index))

    def search(queries: np.ndarray, *setting: int) -> np.ndarray:
        index.hnsw.efSearch = setting[0]
        return index.search(queries, K)[1]

    return Raw("hnsw", spent, size, search, [(breadth,) for breadth in (20, 40, 80, 160, 320, 640, 1280)])


def raw_scann(rows: np.ndarray, lists: int) -> Raw:
    """ScaNN with its tree, its codes and its exact reordering; one thread."""
    from scann.scann_ops.py import scann_ops_pybind

    begun = time.process_time()
    builder = scann_ops_pybind.builder(rows, K, "dot_product").tree(
        num_leaves=lists, num_leaves_to_search=32, training_sample_size=min(len(rows), 1 << 18)
    )
    builder = builder.score_ah(2, anisotropic_quantization_threshold=0.2).reorder(200)
    builder.set_n_training_threads(1)
    searcher = builder.build()
    spent = time.process_time() - begun

    def search(queries: np.ndarray, *setting: int) -> np.ndarray:
        found, _ = searcher.search_batched(
            queries, final_num_neighbors=K, leaves_to_search=setting[0], pre_reorder_num_neighbors=setting[1]
        )
        return found.astype(np.int64)

    size = rows.nbytes + len(rows) * (rows.shape[1] // 4 + 8)  # rows, codes of 4 bits for 2 values, leaf and id
    settings = [(leaves, pool) for leaves, _ in ivf_settings(lists, (1,)) for pool in (120, 240, 500, 1000)]
    return Raw("scann", spent, size, search, settings)


def ivf_settings(lists: int, factors: Iterable[int]) -> list[tuple[int, ...]]:
    """Lists to probe, and candidates for each answer."""
    return [(probes, factor) for probes in probes_up_to(lists) for factor in factors]


def probes_up_to(lists: int) -> list[int]:
    """8, 16, 32 … up to half the lists."""
    return [probes for probes in (8, 16, 32, 64, 128, 256, 512) if 2 * probes <= lists]


def sweep(raw: Raw, queries: np.ndarray, judge: Callable[[np.ndarray], float], most: float) -> list[Point]:
    """Every setting that costs no more than ``most`` microseconds a query."""
    points: list[Point] = []
    for setting in raw.settings:
        raw.search(queries[:16], *setting)
        begun = time.process_time()
        found = raw.search(queries, *setting)
        us = (time.process_time() - begun) / len(queries) * 1e6
        if us <= most:
            points.append(Point(judge(found), us))
    return frontier(points)


def frontier(points: Iterable[Point]) -> list[Point]:
    """Settings that no other beats in both, cheapest first."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda point: (point.us, -point.recall)):
        if not kept or point.recall > kept[-1].recall:
            kept.append(point)
    return kept


def us_at(points: list[Point], recall: float) -> float:
    """Microseconds at a recall, on a logarithmic scale between the settings around it; infinite beyond."""
    before = None
    for point in points:
        if point.recall >= recall:
            if before is None or point.recall == before.recall:
                return point.us
            share = (recall - before.recall) / (point.recall - before.recall)
            return float(np.exp(np.log(before.us) + share * (np.log(point.us) - np.log(before.us))))
        before = point
    return float("inf")
