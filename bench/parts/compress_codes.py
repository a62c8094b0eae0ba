"""Embeddings in fewer bytes: what each kind of codes costs in lists and hits, in bytes and in CPU time.

DATA.KIND.METRIC for thence's own embeddings: ``amazon_grocery`` (spectral, 1,024 numbers), ``diginetica`` and
``demo`` (the dual encoder, 128 numbers), on hidden arcs; and ``gauss``, the worst case, 100,000 vectors of 128
normal numbers without any structure, which has no arcs and so no hits. ``HR@10_share`` is HR@10 over that of
float32; ``KIND_rescored`` scores the 60 best again exactly, ``KIND_rescored200`` the 200 best.
``bytes_ratio`` counts everything but ids: factors, tables, what is added. ``cpu_64`` and ``cpu_1`` are CPU time
of scoring all nodes for 64 queries and for one, over float32's by BLAS, one thread, medians of interleaved
repeats. ``int8_bare`` and ``int4_bare`` are coded as vectors stand, without the space; ``sign`` are plain sign
codes, a warning. ``pq16_faiss`` is faiss' product quantizer on vectors as they stand. Seeds are of the codes;
the embeddings and the split are one seed's, and so are prototypes of vectors longer than 512.
"""

from __future__ import annotations

import statistics
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from common import over_seeds, say
from thence.base.ids import IdMap
from thence.compress.quantize import KINDS, QuantizedEmbeddings, quantize, recall
from thence.compress.quantize.make import bytes_ratio
from thence.compress.quantize.packed import PackedRows
from thence.encode import Embeddings, Scorer
from thence.evaluate import Cases, hit_rate
from thence.graph import DiGraph

DATA = ("amazon_grocery", "diginetica", "demo", "gauss")
CASES, QUICK_CASES, QUERIES, REPEATS = 10_000, 4_000, 256, 7
DUAL_STEPS, LONG = 240, 512
Figures = dict[str, float]


def codes(arguments: Namespace) -> Figures:
    """Every kind on every data set."""
    import faiss
    import torch

    torch.set_num_threads(1)
    faiss.omp_set_num_threads(1)
    figures: Figures = {}
    for name in arguments.data or (DATA[-2:] if arguments.quick else DATA):
        exact, cases = given(name, quick=arguments.quick)
        say(f"  {name}: {exact!r}")
        figures |= {f"{name}.{key}": value for key, value in measured(exact, cases, arguments.seeds).items()}
    return figures


def given(name: str, *, quick: bool) -> tuple[Embeddings, Cases | None]:
    """Embeddings, and the hidden arcs that they are judged on."""
    if name == "gauss":
        num = 20_000 if quick else 100_000
        source, target = np.random.default_rng(0).standard_normal((2, num, 128), np.float32)
        return Embeddings(IdMap(map(str, range(num))), source, target), None
    from parts.related_data import folder, load_graph, read_arcs
    from parts.related_tasks import of_arcs
    from thence.encode.spectral import spectral
    from thence.train.recipes import fit_recipe

    if name == "demo":
        graph = demo()
    else:
        path = folder() / f"{name}_next_edges.tsv.gz"
        graph = read_arcs(path) if path.exists() else load_graph(name)
    task = of_arcs(graph, 0, leak_free=False, quick=quick)
    cases = task.test.sample(QUICK_CASES if quick else CASES, 0)
    if name == "amazon_grocery":
        return spectral(task.refit_on), cases
    train = {"steps": DUAL_STEPS // 4 if quick else DUAL_STEPS}
    made = fit_recipe("dual", task.refit_on, settings={"layers": 1}, train=train, seed=0)
    assert isinstance(made, Embeddings)
    return made, cases


def demo() -> DiGraph:
    """The retailer's year: products bought 40 times, what stands in a basket after what."""
    from thence.cli.demo import MIN_COUNT
    from thence.events import EventLog, complete_journey
    from thence.graph.build import GraphConfig, build_graph

    log = EventLog.from_tables(*complete_journey())
    return build_graph(log, GraphConfig(relations=("same_basket",), min_count=MIN_COUNT))


def measured(exact: Embeddings, cases: Cases | None, seeds: int) -> Figures:
    """All kinds: means and spreads over seeds, time once."""
    whole = None if cases is None else hit_rate(exact, cases)
    figures: Figures = {} if whole is None else {"float32.HR@10": whole}
    for kind, make in makers(exact).items():
        runs, small = [], None
        for seed in range(1 if kind.startswith("pq16") and exact.dim > LONG else seeds):
            begun = time.process_time()
            small = make(seed)
            found: Figures = {"fit_seconds": time.process_time() - begun}
            found |= {"bytes_ratio": bytes_ratio(small, exact)}
            forms: dict[str, Scorer] = {"": small}
            if kind in KINDS:
                forms |= {"_rescored": small.rescored(exact, 60)}
            if kind == "rabitq":
                forms |= {"_rescored200": small.rescored(exact, 200)}
            for form, scorer in forms.items():
                found[f"{form}.recall@20"] = recall(scorer, exact, queries=QUERIES, seed=seed)
                if cases is not None and whole:
                    found[f"{form}.HR@10_share"] = hit_rate(scorer, cases) / whole
            runs.append(found)
        assert small is not None
        told = over_seeds(runs) | {f"cpu_{num}": over_float32(small, exact, num) for num in (1, 64)}
        figures |= {f"{kind}{'' if key[0] in '_.' else '.'}{key}": value for key, value in told.items()}
        say(f"    {kind}: " + ", ".join(f"{key.strip('.')} {value:.4g}" for key, value in told.items()))
    return figures


def makers(exact: Embeddings) -> dict[str, Callable[[int], QuantizedEmbeddings]]:
    """Every kind, and those that stand beside."""

    def make(kind: str) -> Callable[[int], QuantizedEmbeddings]:
        return lambda seed: quantize(exact, kind, queries=0, seed=seed)

    found = {kind: make(kind) for kind in KINDS}
    found |= {f"{kind}_bare": lambda seed, kind=kind: bare(exact, kind) for kind in ("int8", "int4")}
    return found | {"pq16_faiss": lambda seed: bare(exact, "pq16", seed), "sign": lambda seed: signs(exact)}


def bare(exact: Embeddings, kind: str, seed: int = 0) -> QuantizedEmbeddings:
    """Codes of the vectors as they stand."""
    source, target = (KINDS[kind].fit(side, seed) for side in (exact.source, exact.target))
    if kind == "pq16":  # faiss keeps no factor a row
        source, target = (replace(side, scale=np.ones_like(side.scale)) for side in (source, target))  # type: ignore[attr-defined]
    return QuantizedEmbeddings(exact.ids, kind, source, target, exact.bias)


def signs(exact: Embeddings) -> QuantizedEmbeddings:
    """Plain sign codes: how many signs agree."""
    source, target = (PackedRows.fit(side, 1) for side in (exact.source, exact.target))
    source, target = (replace(side, scale=np.ones_like(side.scale)) for side in (source, target))
    return QuantizedEmbeddings(exact.ids, "rabitq", source, target)


def over_float32(small: Scorer, exact: Scorer, num: int) -> float:
    """CPU time of all scores of ``num`` queries, over that of exact vectors."""
    asked = np.random.default_rng(0).integers(0, len(exact.ids), num)
    times: list[tuple[float, float]] = []
    for _ in range(REPEATS + 1):
        pair = []
        for scorer in (small, exact):
            begun = time.process_time()
            for _ in range(max(1, 64 // num) if len(exact.ids) < 50_000 else 1):
                scorer.scores(asked)
            pair.append(time.process_time() - begun)
        times.append((pair[0], pair[1]))
    return statistics.median(ours / max(theirs, 1e-9) for ours, theirs in times[1:])
