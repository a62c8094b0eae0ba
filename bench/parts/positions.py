"""Positions of directed graphs: what they cost from 10⁴ to 2·10⁶ nodes, and what cheap forms of them lose.

    python bench/parts/positions.py magnetic --quick

The graphs are simulated: nodes live in communities of about 500, in which degrees follow a power law, and
communities in 32 areas on a ring. Half of the arcs stay in the community, three in ten lead to the next area,
the rest anywhere. Each measurement has a process of its own, so that its peak memory is its own; it is
compiled on a small graph first, and another process has touched as much memory before: on a virtual machine the
first touch of a page can cost more than what is measured (here 3 s a GiB). Seconds are those of the clock, CPU
seconds those of all threads together.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent.parent))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np  # noqa: E402
import scipy.sparse.linalg as sl  # noqa: E402

from common import Part, over_seeds, say  # noqa: E402
from thence.base.rng import generator  # noqa: E402
from thence.graph import Arcs  # noqa: E402
from thence.graph.position import KINDS, Found  # noqa: E402
from thence.graph.position.filtered import Hermitian, largest  # noqa: E402
from thence.graph.position.keys import node_keys, signs  # noqa: E402
from thence.graph.position.operators import Pairs, pairs, walk  # noqa: E402

COMMUNITY, AREAS = 500, 32
STAYS, FOLLOWS = 0.5, 0.3
MORE = 1.12
"""Pairs drawn for each arc, since popular ones fall together."""
DEGREE = 10
MIDDLE, LARGE = 100_000, 2_000_000
SIZES = (10_000, 100_000, 500_000, 2_000_000)
K, K_APPROXIMATE, Q, TOLERANCE = 16, 8, 0.1, 1e-4
CURVE = ("propagate", "returns", "profile", "approximate_magnetic")
BYTES_A_NODE = 4096
TOUCH = "import numpy; numpy.empty({}, numpy.uint8)[::4096] = 1"
"""What a process does that has memory handed out."""
Figures = dict[str, float]


def simulate(nodes: int, arcs: int, seed: int = 0) -> Arcs:
    """A graph of about so many arcs; the ints of its nodes say nothing of where they live."""
    rng = generator(seed, "bench", "positions")
    communities = max(AREAS, nodes // COMMUNITY)
    begins = np.linspace(0, nodes, communities + 1).astype(np.int64)
    area = communities // AREAS

    def drawn(community: np.ndarray) -> np.ndarray:
        """A node of each community; the one of rank r with a chance that falls as r^-2/3."""
        size = begins[community + 1] - begins[community]
        return begins[community] + (size * rng.random(len(community)) ** 3).astype(np.int64)

    count, kind = int(MORE * arcs), rng.random(int(MORE * arcs))
    home, away = rng.integers(0, communities, (2, count))
    following = ((home // area + 1) % AREAS) * area + rng.integers(0, area, count)
    following = np.minimum(following, communities - 1)
    target = drawn(np.where(kind < STAYS, home, np.where(kind < STAYS + FOLLOWS, following, away)))
    source = drawn(home)
    keys = np.unique((source * nodes + target)[source != target])
    keys = keys[rng.random(len(keys)) < arcs / len(keys)]
    names = rng.permutation(nodes).astype(np.int32)
    return Arcs.from_pairs(names[keys // nodes], names[keys % nodes], num_nodes=nodes)


def measured(work: Callable[[Arcs], Any], arcs: Arcs, small: Arcs) -> tuple[Any, Figures]:
    """What it gives, and what it took."""
    work(small)
    begun, spent = time.perf_counter(), time.process_time()
    found = work(arcs)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - spent
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return found, {"seconds": seconds, "cpu_seconds": cpu, "peak_gib": peak}


def of_kind(kind: str, arcs: Arcs, small: Arcs, settings: Mapping[str, Any]) -> Figures:
    """One kind of positions: its cost, and the residual where it has one."""
    found, figures = measured(lambda each: KINDS[kind](each, **settings), arcs, small)
    assert isinstance(found, Found)
    if "residual" in found.info:
        figures |= {"residual": found.info["residual"], "converged": float(found.info["converged"])}
        figures["rounds"] = found.info.get("rounds", 0.0)
    return figures


def scipy_magnetic(arcs: Arcs, small: Arcs) -> Figures:
    """SciPy's Lanczos on the same matrix to the same tolerance."""

    def solve(each: Arcs) -> tuple[Any, ...]:
        matrix = turned(pairs(each))
        values, vectors = sl.eigsh(matrix, k=K, which="LA", tol=TOLERANCE)  # type: ignore[arg-type]
        return matrix, values, vectors

    return of_scipy(solve, arcs, small)


def scipy_lobpcg(arcs: Arcs, small: Arcs) -> Figures:
    """SciPy's block method on the same matrix to the same tolerance, in float64, as it stalls in float32."""

    def solve(each: Arcs) -> tuple[Any, ...]:
        matrix = turned(pairs(each)).astype(np.complex128)
        rng = generator(0, "bench", "positions", "lobpcg")
        block = rng.standard_normal((each.num_nodes, K + 8)).astype(np.complex128)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the guard's vectors need not be there
            values, vectors = sl.lobpcg(matrix, block, tol=TOLERANCE, maxiter=60)
        return matrix, values, vectors

    return of_scipy(solve, arcs, small)


def of_scipy(solve: Callable[[Arcs], tuple[Any, ...]], arcs: Arcs, small: Arcs) -> Figures:
    """What it costs to solve, and the largest residual of the wanted eigenpairs."""
    (matrix, values, vectors), figures = measured(solve, arcs, small)
    left = np.linalg.norm(matrix @ vectors - vectors * values, axis=0)
    return figures | {"residual": float(left[:K].max())}


def turned(found: Pairs) -> Any:
    """The magnetic matrix as SciPy keeps it."""
    matrix = found.rows.matrix().astype(np.complex64)
    matrix.data *= np.exp(2j * np.pi * Q * found.turn).astype(np.complex64)
    return matrix


def torus(side: int) -> tuple[Arcs, np.ndarray]:
    """A square grid without a rim, and its eigenvalues, largest first: most of them four or eight times."""
    node = np.arange(side * side).reshape(side, side)
    after = np.concatenate([np.roll(node, -1, axis).ravel() for axis in (0, 1)])
    wave = np.cos(2 * np.pi * np.arange(side) / side)
    values = np.sort(np.add.outer(wave, wave).ravel() / 2)[::-1]
    return Arcs.from_pairs(np.tile(node.ravel(), 2), after, num_nodes=side * side), values


def repeated(arguments: argparse.Namespace) -> Figures:
    """Seventeen eigenvalues of a torus of 90,000 nodes, ours and SciPy's to the same tolerance: how far the
    farthest is from what it has to be, how many of them are there (the rest are farther than the tolerance from
    any eigenvalue not yet counted), and CPU seconds."""
    arcs, known = torus(100 if arguments.quick else 300)
    rows, found = pairs(arcs).rows, {}
    rng = generator(0, "bench", "positions", "repeated")
    solvers: dict[str, Callable[[], np.ndarray]] = {
        "ours": lambda: largest(
            Hermitian(rows), K + 1, tolerance=TOLERANCE, rounds=40, guard=K, rng=rng
        ).values[: K + 1],
        "scipy": lambda: np.sort(
            sl.eigsh(rows.matrix(), k=K + 1, which="LA", tol=TOLERANCE, return_eigenvectors=False)
        )[::-1],
    }
    for name, solve in solvers.items():
        solve()
        begun = time.process_time()
        values = solve()
        found[f"positions.repeated.{name}.cpu_seconds"] = time.process_time() - begun
        found[f"positions.repeated.{name}.error"] = float(np.abs(values - known[: K + 1]).max())
        found[f"positions.repeated.{name}.found"] = _counted(values, known[: K + 1])
    return found


def _counted(values: np.ndarray, known: np.ndarray) -> int:
    """How many of the known values have one of their own among those found."""
    left, count = list(values), 0
    for value in known:
        near = [other for other in left if abs(other - value) <= TOLERANCE]
        if near:
            left.remove(near[0])
            count += 1
    return count


def angle(arcs: Arcs, small: Arcs) -> Figures:
    """Degrees between the approximate span and the accurate eigenvectors: the largest, and of one on
    average."""
    found = pairs(arcs)
    matrix = Hermitian(found.rows, found.turn, 2 * math.pi * Q)
    exact = largest(
        matrix, K, tolerance=1e-5, rounds=60, guard=8, rng=generator(1, "bench", "positions", "exact")
    ).vectors[:, :K_APPROXIMATE]
    rng = generator(0, "bench", "positions", "cheap")
    cheap = largest(matrix, K_APPROXIMATE, tolerance=1e-9, rounds=3, guard=8, degree=4, rng=rng).vectors
    spans = {"first_half": (K_APPROXIMATE // 2, cheap), "": (K_APPROXIMATE, cheap[:, :K_APPROXIMATE])}
    figures = {}
    for name, (count, block) in spans.items():
        kept = np.linalg.svd(exact[:, :count].conj().T @ block, compute_uv=False)
        degrees = np.degrees(np.arccos(np.minimum(kept, 1)))
        prefix = f"{name}_" if name else ""
        figures |= {f"{prefix}angle": float(degrees.max()), f"{prefix}angle.mean": float(degrees.mean())}
    return figures


def hops(arcs: Arcs, small: Arcs) -> Figures:
    """One hop of 16 channels along the arcs, the mean of both directions, after the operator is made."""

    def go(each: Arcs) -> float:
        z, walks = (
            signs(node_keys(None, each.num_nodes), 16, 0, "bench"),
            (walk(each, "out"), walk(each, "into")),
        )
        begun = time.process_time()
        for hop in walks * 2:
            hop(z)
        return (time.process_time() - begun) / 4

    taken, figures = measured(go, arcs, small)
    return {"cpu_seconds_a_hop": taken, "peak_gib": figures["peak_gib"]}


def child(task: str, nodes: int, seed: int, settings: Mapping[str, Any]) -> Figures:
    """One measurement, in this process."""
    arcs, small = simulate(nodes, DEGREE * nodes, seed), simulate(4_000, 40_000, seed)
    own = {"scipy_magnetic": scipy_magnetic, "scipy_lobpcg": scipy_lobpcg, "angle": angle, "hops": hops}
    return own[task](arcs, small) if task in own else of_kind(task, arcs, small, settings)


def alone(task: str, nodes: int, seed: int = 0, **settings: Any) -> Figures:
    """One measurement, in a process of its own."""
    subprocess.run([sys.executable, "-c", TOUCH.format(BYTES_A_NODE * nodes)], check=True)
    command = [sys.executable, str(HERE), "child", json.dumps([task, nodes, seed, settings])]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    told = ", ".join(f"{name} {value:.4g}" for name, value in found.items())
    say(f"  positions: {task}, {nodes:,} nodes: {told}")
    return found


def named(prefix: str, figures: Mapping[str, float]) -> Figures:
    """Figures under a dotted name."""
    return {f"positions.{prefix}.{name}": value for name, value in figures.items()}


def spectral(arguments: argparse.Namespace) -> Figures:
    """16 magnetic and 16 Laplacian eigenvectors at 10⁵ nodes, beside SciPy's in the same run."""
    size = 20_000 if arguments.quick else MIDDLE
    tasks = {
        "magnetic": {"k": K, "q": Q, "tolerance": TOLERANCE},
        "laplacian": {"k": K, "tolerance": TOLERANCE},
    }
    found: Figures = {}
    for task in (*tasks, "scipy_magnetic", "scipy_lobpcg"):
        runs = [alone(task, size, seed, **tasks.get(task, {})) for seed in range(arguments.seeds)]
        found |= named(f"{task}_1e5", over_seeds(runs))
    found["positions.magnetic_1e5.nodes"] = size
    ours, theirs = (found[f"positions.{name}_1e5.cpu_seconds"] for name in ("magnetic", "scipy_magnetic"))
    return found | {"positions.magnetic_1e5.cpu_over_scipy": ours / theirs}


def approximate(arguments: argparse.Namespace) -> Figures:
    """Eight approximate magnetic eigenvectors at 2·10⁶ nodes, and what is lost where that can be told."""
    size = 200_000 if arguments.quick else LARGE
    runs = [alone("approximate_magnetic", size, k=K_APPROXIMATE, q=Q) for _ in range(arguments.seeds)]
    found = over_seeds(runs) | {"nodes": size, "arcs": DEGREE * size}
    lost = over_seeds(alone("angle", size // 20, seed) for seed in range(arguments.seeds))
    return named("approximate_1e6", found | lost)


def linear(arguments: argparse.Namespace) -> Figures:
    """A hop of 16 channels, return probabilities, profiles and random features at 2·10⁶ nodes."""
    size = 200_000 if arguments.quick else LARGE
    found = named("propagate_2e6", alone("hops", size))
    for name, task, settings in (
        ("statistics_2e6", "propagate", {"channels": 32}),
        ("returns_2e6", "returns", {}),
        ("profile_2e6", "profile", {}),
    ):
        found |= named(name, alone(task, size, **settings))
    return found


def curve(arguments: argparse.Namespace) -> Figures:
    """CPU seconds from 10⁴ to 2·10⁶ nodes, and the power with which they grow."""
    sizes = SIZES[:2] if arguments.quick else SIZES
    found: Figures = {}
    for task in CURVE:
        spent = [alone(task, size)["cpu_seconds"] for size in sizes]
        for size, seconds in zip(sizes, spent, strict=True):
            found[f"positions.curve.{task}.{size}.cpu_seconds"] = seconds
        found[f"positions.curve.{task}.power"] = float(np.polyfit(np.log(sizes), np.log(spent), 1)[0])
    return found


PARTS: dict[str, Part] = {
    "magnetic": spectral,
    "repeated": repeated,
    "approximate": approximate,
    "linear": linear,
    "curve": curve,
}
"""What ``bench/longrange.py`` runs under ``positions``."""


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        print(json.dumps(child(*json.loads(sys.argv[2]))))
    else:
        from common import run

        run("positions", PARTS, doc=__doc__ or "")
