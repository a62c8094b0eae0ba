"""Personalised PageRank by push beside networkx, scikit-network and SciPy, at equal error; cost by size.

An error is measured against the converged solution, as the greatest error of one node and as the sum over all
nodes (L1), in the mean over seeds. For each of the two measures a peer is given, of the settings that were
tried, the most exact one that is still no better than ours, and of the two the cheaper; its cost is the CPU
time of a call. The speed-ups without a graph's name are the least over the graphs, at the default precision.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

from common import say

ALPHA, EPSILON = 0.15, 1e-4
SEEDS, JUDGED = 128, 6
Answer = Callable[[int], np.ndarray]


def figures(quick: bool) -> dict[str, float]:
    """Speed-ups at equal error for each graph and precision, the least of them, and the cost by size."""
    sizes = {"1e5": 100_000, "1e6": 1_000_000, "3e6": 3_000_000}
    found: dict[str, float] = {}
    for size in ("1e5", "1e6") if quick else sizes:
        for kind, share in (("shop", 0.8), ("power_law", 0.0)):
            indptr, targets = graph(sizes[size], share)
            say(f"ppr: {kind} of {size} arcs")
            found |= compare(f"ppr.{kind}.{size}", indptr, targets, quick)
    for peer in ("networkx", "scikit_network", "scipy"):
        found[f"ppr.speedup_over_{peer}"] = min(
            value for name, value in found.items() if name.endswith(f"{EPSILON:g}.speedup_over_{peer}")
        )
    largest = f"ppr.shop.{'1e6' if quick else '3e6'}.{EPSILON:g}"
    for name in ("max_error", "l1_error", "networkx.max_error", "networkx.l1_error", "seeds_per_cpu_second"):
        found[f"ppr.{name}"] = found[f"{largest}.{name}"]
    return found | curve(quick)


def graph(num_arcs: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Arcs of a shop: log-normal degrees, targets by popularity, a share of them within groups of 200 nodes.

    With a share of 0 it is a random graph without neighbourhoods, the hardest for any local method.
    """
    num_nodes, rng = num_arcs // 10, np.random.default_rng(0)
    degree = np.minimum(rng.lognormal(1.8, 1.0, num_nodes), num_nodes / 10)
    degree = np.maximum(np.round(degree * num_arcs / degree.sum()), 0).astype(np.int64)
    degree[rng.random(num_nodes) < 0.02] = 0
    indptr = np.concatenate([[0], np.cumsum(degree)])
    place, targets = rng.permutation(num_nodes).astype(np.int32), np.empty(indptr[-1], np.int32)
    for begin in range(0, num_nodes, 1 << 20):
        end = min(begin + (1 << 20), num_nodes)
        source = np.repeat(np.arange(begin, end), degree[begin:end])
        popular = place[(num_nodes * rng.random(len(source)) ** 3).astype(np.int64)]
        near = source // 200 * 200 + (200 * rng.random(len(source)) ** 2).astype(np.int64)
        drawn = np.where(rng.random(len(source)) < share, np.minimum(near, num_nodes - 1), popular)
        targets[indptr[begin] : indptr[end]] = np.where(drawn == source, (drawn + 1) % num_nodes, drawn)
    return indptr.astype(np.int32), targets


def compare(prefix: str, indptr: np.ndarray, targets: np.ndarray, quick: bool) -> dict[str, float]:
    """Ours at some precisions and the peers' calls that come nearest."""
    from thence.graph.sample import Side
    from thence.graph.walk import push

    side, num_nodes = Side(indptr, targets), len(indptr) - 1
    adjacency = sp.csr_matrix((np.ones(len(targets)), targets, indptr), shape=(num_nodes, num_nodes))
    adjacency.sum_duplicates()
    adjacency.data[:] = 1
    side = Side(adjacency.indptr, adjacency.indices)
    seeds = np.random.default_rng(1).choice(np.flatnonzero(np.diff(indptr)), SEEDS, replace=False)
    exact = converged(adjacency, seeds[:JUDGED])
    peers = {
        "networkx": networkx_trials(adjacency, exact),
        "scikit_network": sknetwork_trials(adjacency, exact),
        "scipy": scipy_trials(adjacency, exact, seeds),
    }
    found: dict[str, float] = {}
    for epsilon in (1e-4, 1e-5, 1e-6):
        name = f"{prefix}.{epsilon:g}"
        push(side, seeds[:2], ALPHA, epsilon, dangling="restart", threads=1)
        cost = []
        for _ in range(3 if quick else 5):
            begun = time.process_time()
            near = push(side, seeds, ALPHA, epsilon, dangling="restart", threads=1)
            cost.append((time.process_time() - begun) / SEEDS)
        mass = near.matrix()[:JUDGED].toarray()
        ours = statistics.median(cost), *errors(dict(zip(exact, mass, strict=True)).__getitem__, exact)
        found |= {f"{name}.max_error": ours[1], f"{name}.l1_error": ours[2], f"{name}.cpu_ms": 1e3 * ours[0]}
        found[f"{name}.seeds_per_cpu_second"] = 1 / ours[0]
        found[f"{name}.top_20_recall"] = recall(near.top_k(20)[0], exact)
        for peer, trials in peers.items():
            theirs = nearest(trials, ours)
            found[f"{name}.{peer}.cpu_ms"], found[f"{name}.{peer}.max_error"] = 1e3 * theirs[0], theirs[1]
            found[f"{name}.{peer}.l1_error"] = theirs[2]
            found[f"{name}.speedup_over_{peer}"] = theirs[0] / ours[0]
    return found


Trial = tuple[float, float, float]
"""CPU seconds a seed, greatest error, L1 error."""


def nearest(trials: list[list[Trial]], ours: Trial) -> Trial:
    """The cheapest call of any solver that is as exact as ours, or nearly, in one of the two measures."""
    chosen = []
    for trial in trials:
        for measure in (1, 2):
            no_better = [one for one in trial if one[measure] >= ours[measure]]
            chosen.append(min(no_better or trial[:1], key=lambda one, m=measure: one[m]))
    return min(chosen)


def errors(answer: Answer, exact: dict[int, np.ndarray]) -> tuple[float, float]:
    """Greatest and L1 error, in the mean over the judged seeds."""
    off = [np.abs(answer(seed) - solution) for seed, solution in exact.items()]
    return float(np.mean([o.max() for o in off])), float(np.mean([o.sum() for o in off]))


def recall(answers: np.ndarray, exact: dict[int, np.ndarray]) -> float:
    """The share of the 20 nodes of most mass that are answered."""
    shares = []
    for (seed, mass), answer in zip(exact.items(), answers, strict=False):
        mass = mass.copy()
        mass[seed] = 0
        shares.append(len(np.intersect1d(np.argsort(-mass)[:20], answer)) / 20)
    return float(np.mean(shares))


def step_of(adjacency: sp.csr_matrix) -> Any:
    degree = np.asarray(adjacency.sum(axis=1)).ravel()
    return (sp.diags(1 / np.maximum(degree, 1)) @ adjacency).T.tocsr()


def iterate(step: Any, start: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """One power iteration of a block of seeds; what has no way goes back to its seed."""
    moved = (1 - ALPHA) * (step @ mass)
    return moved + start * (1 - moved.sum(axis=0))


def converged(adjacency: sp.csr_matrix, seeds: np.ndarray) -> dict[int, np.ndarray]:
    """The solutions, to 10⁻¹⁰ and better."""
    step, start = step_of(adjacency), np.zeros((adjacency.shape[0], len(seeds)))
    start[seeds, np.arange(len(seeds))] = 1
    mass = start
    for _ in range(150):
        mass = iterate(step, start, mass)
    return dict(zip(seeds.tolist(), mass.T.copy(), strict=True))


def timed(answer: Answer, exact: dict[int, np.ndarray], judged: int) -> Trial:
    """A setting's cost a call and its errors."""
    chosen = dict(list(exact.items())[:judged])
    cost, given = [], {}
    for seed in chosen:
        begun = time.process_time()
        given[seed] = answer(seed)
        cost.append(time.process_time() - begun)
    return statistics.median(cost), *errors(given.__getitem__, chosen)


def networkx_trials(adjacency: sp.csr_matrix, exact: dict[int, np.ndarray]) -> list[list[Trial]]:
    """``networkx.pagerank`` with the tolerances at which it ends after 1, 2, … iterations."""
    import networkx as nx

    made = nx.DiGraph()
    made.add_nodes_from(range(adjacency.shape[0]))
    pairs = adjacency.tocoo()
    made.add_edges_from(zip(pairs.row.tolist(), pairs.col.tolist(), strict=True))
    num_nodes, step, trials = adjacency.shape[0], step_of(adjacency), []
    seed = next(iter(exact))
    start, mass = np.zeros((num_nodes, 1)), np.full((num_nodes, 1), 1 / num_nodes)
    start[seed] = 1
    for turn in range(1, 21):
        after = iterate(step, start, mass)
        change, mass = np.abs(after - mass).sum(), after
        if turn not in ((2, 6, 12) if num_nodes > 50_000 else (1, 2, 4, 6, 8, 12, 16, 20)):
            continue

        def answer(seed: int, tol: float = change * 1.01 / num_nodes) -> np.ndarray:
            ranks = nx.pagerank(made, alpha=1 - ALPHA, personalization={seed: 1.0}, tol=tol, weight=None)
            return np.fromiter(ranks.values(), float, num_nodes)

        trials.append(timed(answer, exact, 1 if num_nodes > 50_000 else 2))
    return [trials]


def sknetwork_trials(adjacency: sp.csr_matrix, exact: dict[int, np.ndarray]) -> list[list[Trial]]:
    """Each solver of ``sknetwork.ranking.PageRank`` that can be told how exact to be.

    Its ``push`` errs by more than 1 in L1 whatever its tolerance; ``bicgstab`` was no cheaper at equal error.
    """
    from sknetwork.ranking import PageRank

    grids = {
        "piteration": (1, 2, 3, 4, 5, 6, 8, 10, 15, 25),
        "diteration": (1, 2, 3, 4, 5, 6, 8, 10, 15, 25),
        "RH": (2, 4, 6, 8, 10, 15, 25),
    }
    trials = []
    for solver, grid in grids.items():
        trials.append([])
        for turns in grid:

            def answer(seed: int, solver: str = solver, turns: int = turns) -> np.ndarray:
                model = PageRank(1 - ALPHA, solver, turns, tol=0)
                return model.fit_predict(adjacency, weights={seed: 1.0})

            trials[-1].append(timed(answer, exact, 3))
    return trials


def scipy_trials(
    adjacency: sp.csr_matrix, exact: dict[int, np.ndarray], seeds: np.ndarray
) -> list[list[Trial]]:
    """Power iteration of 32 seeds at a time written with SciPy by one who knows; its matrix is made once."""
    step, block = step_of(adjacency), 32
    start = np.zeros((adjacency.shape[0], block))
    start[seeds[:block], np.arange(block)] = 1
    trials, mass, begun = [], start, time.process_time()
    spent = 0.0
    for _ in range(25):
        begun = time.process_time()
        mass = iterate(step, start, mass)
        spent += time.process_time() - begun
        place = {seed: at for at, seed in enumerate(seeds[:block].tolist())}
        trials.append((spent / block, *errors(lambda seed, m=mass, p=place: m[:, p[seed]], exact)))
    return [trials]


def curve(quick: bool) -> dict[str, float]:
    """CPU milliseconds a seed by the number of arcs, at one precision."""
    from thence.graph.sample import Side
    from thence.graph.walk import push

    found = {}
    for power in (5, 6, 7) if quick else (5, 6, 7, 8):
        say(f"ppr: cost at 1e{power} arcs")
        indptr, targets = graph(10**power, 0.8)
        seeds = np.random.default_rng(1).choice(np.flatnonzero(np.diff(indptr)), 1000, replace=False)
        cost = []
        push(Side(indptr, targets), seeds[:9], ALPHA, EPSILON, threads=1)
        for _ in range(3):
            begun = time.process_time()
            push(Side(indptr, targets), seeds, ALPHA, EPSILON, threads=1)
            cost.append((time.process_time() - begun) / len(seeds))
        found[f"ppr.arcs_1e{power}.cpu_ms_per_seed"] = 1e3 * statistics.median(cost)
    return found
