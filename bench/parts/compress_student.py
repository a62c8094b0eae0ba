"""The student beside its teacher, and beside plain answers for products that nobody has bought."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import scipy.sparse as sp
import torch

from common import over_seeds, say
from parts.compress_codes import demo
from parts.related_data import load_graph
from parts.related_tasks import Task, of_arcs, of_nodes
from thence.compress import DistillConfig, Student, fit_student, heuristic_teacher, position_features
from thence.encode import Embeddings, Scorer
from thence.encode.baseline import BASELINES
from thence.encode.cold import (
    alike_in,
    category_popularity,
    feature_knn,
    is_warm,
    lend,
    place_cold,
    with_cold_arcs,
)
from thence.encode.peer import PEERS
from thence.encode.peer.daemon import DaemonConfig, DaemonEncoder
from thence.encode.propagate import neighborhoods
from thence.evaluate import hit_rate
from thence.graph import DiGraph
from thence.train.fit import fit_scorer, scorer_of
from thence.train.neighborhood_recipes import TUNED, pair_softmax_objective
from thence.train.recipes import fit_recipe

DIM = 512
DATA = ("cora_ml", "citeseer", "demo", "amazon_grocery")
ALIKE = (5, 20, 50, 200)
TEACHERS = {"arcs": {"arcs": 1.0}, "arcs_and_walks": {"arcs": 1.0, "page_rank": 0.5}}
CLOSED = DistillConfig(words=1024, shared=512, steps=0)
LAYERS = DaemonConfig(fan_outs=(20, 10), inputs="learned", self_term=True, temperature=0.1, bias=True, redraw=5)
PUBLISHED = DaemonConfig(fan_outs=(20, 10, 10), sampled=True)
DAEMON_STEPS, DUAL_STEPS, ASKED, LINKS = 200, 240, 200, 20
NAMED = ("category_popularity", "feature_knn", "daemon_way", "place_cold")
Figures = dict[str, float]


def cold(arguments: Namespace) -> Figures:
    """Products whose arcs are all hidden."""
    return _measured(arguments, lambda graph, seed: cold_of(of_nodes(graph, seed, quick=arguments.quick)))


def warm(arguments: Namespace) -> Figures:
    """Hidden arcs of products that have others."""
    return _measured(arguments, lambda graph, seed: warm_of(graph, seed, quick=arguments.quick))


def speed(arguments: Namespace) -> Figures:
    """CPU time of one product at request time."""
    return _measured(arguments, speed_of, seeds=1)


def _measured(
    arguments: Namespace, judge: Callable[[DiGraph, int], Figures], seeds: int | None = None
) -> Figures:
    torch.set_num_threads(1)
    figures: Figures = {}
    for name in arguments.data or (DATA[:2] if arguments.quick else DATA):
        graph = demo() if name == "demo" else load_graph(name)
        runs = []
        for seed in range(seeds or arguments.seeds):
            runs.append(judge(graph, seed))
            say(f"  {name} seed {seed}: " + ", ".join(f"{key} {value:.4g}" for key, value in runs[-1].items()))
        figures |= {f"{name}.{key}": value for key, value in over_seeds(runs).items()}
    return figures


def cold_of(task: Task) -> Figures:
    """Ours, chosen on validation nodes, and every baseline, its likes chosen on them too."""
    plain: dict[str, Callable[[DiGraph], Scorer]] = {
        "counts": BASELINES["counts"],
        "page_rank": BASELINES["page_rank"],
        "strap": PEERS["strap"],
    }
    figures: Figures = {}
    if task.refit_on.nodes is not None and "category" in task.refit_on.nodes.column_names:
        figures |= _judged("category_popularity", category_popularity(task.refit_on), task)
    k = _best(ALIKE, lambda k: hit_rate(feature_knn(task.fit_on, k), task.valid))
    figures |= _judged("feature_knn", feature_knn(task.refit_on, k), task)
    for name, make in plain.items():
        figures |= _judged(f"lent.{name}", _lent(make, task), task)
    figures |= _judged("daemon_way", daemon_way(task.refit_on, task.seed), task)
    figures |= ours(task)
    named = max(figures.get(f"{name}.cold_HR@10", 0.0) for name in NAMED)
    lent = max(value for key, value in figures.items() if key.endswith("cold_HR@10") and "student" not in key)
    own = figures["student.cold_HR@10"]
    figures |= {
        "student.cold_HR@10_over_best_baseline": own / named,
        "student.cold_HR@10_over_best_lent": own / lent,
    }
    return figures | {"ceiling_of_features.cold_HR@10": ceiling(task)}


def ours(task: Task) -> Figures:
    """The student of the teacher and the share of lending that are best on validation nodes."""
    value, name = max((hit_rate(placed(task.fit_on, name)[1], task.valid), name) for name in TEACHERS)
    student, vectors, teacher = placed(task.refit_on, name)
    k = _best(ALIKE, lambda k: hit_rate(_lent_teacher(task.fit_on, name, k), task.valid))
    figures = _judged("student", vectors, task)
    figures |= _judged("place_cold", place_cold(teacher, alike_in(task.refit_on, k)), task)
    return figures | {"student.left_out_HR@10": student.info["left_out_HR@10"], "student.valid_HR@10": value}


def placed(graph: DiGraph, name: str) -> tuple[Student, Embeddings, Embeddings]:
    """A student, the vectors completed by it, and its teacher."""
    teacher = heuristic_teacher(graph, TEACHERS[name], dim=DIM)
    student = fit_student(graph, teacher, CLOSED)
    assert graph.nodes is not None
    return student, student.completed(teacher, graph.nodes, ~is_warm(graph)), teacher


def _lent_teacher(graph: DiGraph, name: str, k: int) -> Embeddings:
    return place_cold(heuristic_teacher(graph, TEACHERS[name], dim=DIM), alike_in(graph, k))


def _lent(make: Callable[[DiGraph], Scorer], task: Task) -> Scorer:
    scorer = make(task.fit_on)
    k = _best(ALIKE, lambda k: hit_rate(lend(scorer, alike_in(task.fit_on, k)), task.valid))
    return lend(make(task.refit_on), alike_in(task.refit_on, k))


def daemon_way(graph: DiGraph, seed: int, k: int = 20) -> Embeddings:
    """DAEMON's layers, taught on warm products, run over the graph with arcs from cold ones to their like.

    Inputs are learned vectors, as tuned; cold products begin at zero. From features alone the layers learned
    next to nothing (HR@10 .028 on Cora-ML).
    """
    model = DaemonEncoder(graph, LAYERS, seed=seed)
    config = replace(TUNED, steps=DAEMON_STEPS, seed=seed)
    fit_scorer(graph, config, encoder=model, objective=pair_softmax_objective(graph, config))
    linked = DaemonEncoder(with_cold_arcs(graph, alike_in(graph, k)), LAYERS, seed=seed)
    linked.load_state_dict(model.state_dict())
    cold = torch.from_numpy(np.flatnonzero(~is_warm(graph)))
    with torch.no_grad():
        linked.free[torch.cat([cold, graph.num_nodes + cold])] = 0.0
    return scorer_of(linked, graph)


def ceiling(task: Task) -> float:
    """HR@10 of lists that know the test arcs of all cold products that look the same: no method has more."""
    from thence.encode.features import item_features

    assert task.refit_on.nodes is not None
    rows = sp.csr_matrix(item_features(task.refit_on.nodes))
    looks = [rows[node].indices.tobytes() + rows[node].data.tobytes() for node in task.test.source]
    _, kind = np.unique(np.array([hash(look) for look in looks]), return_inverse=True)
    _, count = np.unique(np.stack([kind, task.test.target]), axis=1, return_counts=True)
    kinds = np.unique(np.stack([kind, task.test.target]), axis=1)[0]
    order = np.lexsort((-count, kinds))
    rank = np.arange(len(order)) - np.searchsorted(kinds[order], kinds[order])
    return float(count[order][rank < 10].sum() / len(task.test))


def warm_of(graph: DiGraph, seed: int, *, quick: bool) -> Figures:
    """The student with words and position features, over its teacher, on hidden arcs."""
    task = of_arcs(graph, seed, leak_free=False, quick=quick)
    known = task.refit_on
    steps = DUAL_STEPS // 2 if quick else DUAL_STEPS
    teacher = fit_recipe("dual", known, settings={"layers": 1}, train={"steps": steps}, seed=seed)
    position = position_features(known, dim=128, hops=3, seed=seed)
    begun = time.process_time()
    student = fit_student(known, teacher, DistillConfig(steps=100, hidden=512), position=position, seed=seed)
    seconds = time.process_time() - begun
    assert known.nodes is not None
    own = hit_rate(student.embeddings(known.ids, known.nodes, position), task.test)
    blind = hit_rate(student.embeddings(known.ids, known.nodes), task.test)
    truth = hit_rate(teacher, task.test)
    return {
        "teacher.warm_HR@10": truth,
        "student.warm_HR@10": own,
        "student.warm_HR@10_share": own / truth,
        "student.warm_HR@10_share_words_alone": blind / truth,
        "student.seconds": seconds,
    }


def speed_of(graph: DiGraph, seed: int) -> Figures:
    """One product at a time: the student from its row in the catalogue, layers from what they need."""
    student = fit_student(graph, heuristic_teacher(graph, dim=128), DistillConfig(steps=0), seed=seed)
    assert graph.nodes is not None
    nodes = np.flatnonzero(is_warm(graph))[:ASKED]
    products = graph.nodes.take(nodes).select(list(student.transform.kinds)).to_pylist()
    warm_nodes = np.flatnonzero(is_warm(graph))
    rows = sp.csr_matrix(student.transform.rows(graph.nodes.take(warm_nodes)))
    model = DaemonEncoder(graph, PUBLISHED, seed=seed).eval()
    near = DaemonEncoder(graph, replace(PUBLISHED, fan_outs=(10, 10)), seed=seed).eval()
    light = one_layer(graph)

    def around(node: int) -> None:
        with torch.no_grad():
            model._seen_from(np.array([node]), np.array([node]), 0)

    def linked(product: dict) -> None:
        at, value = student.transform.row(product)
        query = np.zeros(rows.shape[1], np.float32)
        query[at] = value
        like = rows @ query
        nearest = np.sort(warm_nodes[np.argpartition(-like, LINKS)[:LINKS]])
        with torch.no_grad():
            near._seen_from(nearest, nearest, 0)

    own = _seconds(student.place, products)
    layers, cold_layers, linear = _seconds(around, nodes), _seconds(linked, products), _seconds(light, nodes)
    return {
        "student.microseconds": 1e6 * own,
        "layers.microseconds": 1e6 * layers,
        "layers_cold.microseconds": 1e6 * cold_layers,
        "light_layer.microseconds": 1e6 * linear,
        "student.speedup": cold_layers / own,
        "student.speedup_warm_layers": layers / own,
        "student.speedup_light": linear / own,
        "student.megabytes": student.size * 4 / 2**20,
    }


def one_layer(graph: DiGraph, dim: int = 128) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """The dual encoder's one linear layer around one node, over vectors that lie ready for all nodes."""
    out, into = neighborhoods(graph.main, fan_out=32)
    vectors = np.random.default_rng(0).standard_normal((2, graph.num_nodes, dim)).astype(np.float32)

    def around(node: int) -> tuple[np.ndarray, np.ndarray]:
        found = []
        for matrix, own, other in ((out, 0, 1), (into, 1, 0)):
            span = slice(matrix.indptr[node], matrix.indptr[node + 1])
            near = vectors[other][matrix.indices[span]]
            found.append(vectors[own][node] + matrix.data[span].astype(np.float32) @ near)
        return found[0], found[1]

    return around


def _seconds(work: Callable, asked: Iterable) -> float:
    """CPU seconds of one call; the least of three rounds."""
    asked = list(asked)
    work(asked[0])
    rounds = []
    for _ in range(3):
        begun = time.process_time()
        for item in asked:
            work(item)
        rounds.append((time.process_time() - begun) / len(asked))
    return min(rounds)


def _judged(name: str, scorer: Scorer, task: Task) -> Figures:
    return {
        f"{name}.cold_HR@10": hit_rate(scorer, task.test),
        f"{name}.cold_target_HR@10": hit_rate(scorer, task.parts["cold_target"]),
    }


def _best(values: Iterable[int], judge: Callable[[int], float]) -> int:
    return max(values, key=judge)
