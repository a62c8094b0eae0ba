"""Return probabilities: how likely a walk stands at its start again after k steps.

    out   diag(P_outᵏ)            along the arcs: directed cycles
    in    diag(P_inᵏ)             against the arcs
    there diag((P_out P_in)ᵏ)     along an arc and back against one: who shares its targets (``.out``),
          diag((P_in P_out)ᵏ)     and the other way round: who shares its sources (``.in``)
    both  diag(Nᵏ)                on the graph without directions

Small graphs are answered exactly. On large ones diag(M) = E[z ⊙ M z] over random signs z (Hutchinson's probes),
with three savings: two steps along the arcs are counted exactly from mutual arcs; a walk that leaves its strong
component never comes back, so arcs between components are left out; and where M = B Bᵀ, as in the last two
kinds, diag(M) = E[(B z)²], with half the products and an error relative to the value itself (√(2/probes)).

``landed`` is the other end of the walk: how many of the walks that start at every node stand at i after k
steps, (P_outᵀ)ᵏ 1, as log(1 + ·).

References:
    Dwivedi et al., "Graph neural networks with learnable structural and positional representations", ICLR 2022,
    equation 3 (diag(Pᵏ) as positions); Geisler et al., ICML 2023 (arXiv 2302.00049), section 4 (directed
    walks); Hutchinson, "A stochastic estimator of the trace of the influence matrix", 1989; Bekas,
    Kokiopoulou & Saad, "An estimator for the diagonal of a matrix", 2007.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.sparse.csgraph import connected_components

from thence.graph.arcs import Arcs
from thence.graph.position.found import Found
from thence.graph.position.keys import node_keys, signs
from thence.graph.position.operators import Rows, damped, pairs, row_sums, walk
from thence.graph.walk.rows import whole

EXACT = 1_024
"""Nodes up to which every start is walked from; above, probes answer."""
CHUNK = 256
WATCHED = 4_096
"""Nodes whose probes are compared to state the error."""
Hop = Callable[[np.ndarray], np.ndarray]
Made = tuple[np.ndarray, list[float]]


def returns(
    arcs: Arcs,
    *,
    steps: int = 8,
    probes: int = 16,
    weight: str | None = None,
    exact: bool | None = None,
    seed: int = 0,
    keys: np.ndarray | None = None,
) -> Found:
    """Return probabilities out, in, there and back, and without directions; and where walks land.

    Args:
        arcs: the relation.
        steps: the longest walk; columns are steps 2, 3, …, and every second one for there and back. One step
            never returns, as no arc leads to its own source.
        probes: random signs a node on large graphs.
        weight: the value by which the next arc is chosen; every arc alike when not given.
        exact: walk from every start; by the number of nodes when not given (:data:`EXACT`).
        seed: of the probes.
        keys: ``[num_nodes]`` uint64, what a node's signs hang on; its int when not given.

    Returns:
        ``returns.out`` and ``returns.in`` ``[num_nodes, steps - 1]``, ``returns.there.out`` and
        ``returns.there.in`` ``[num_nodes, steps // 2]``, ``returns.both`` ``[num_nodes, steps - 1]``,
        ``returns.landed.out`` and ``returns.landed.in`` ``[num_nodes, steps]``. ``info["standard_error"]`` has
        for each column the root mean square over nodes of the estimate's standard error, 0 where exact.

    Raises:
        ConfigError: a setting is out of range.
        DataError: there is no such value, or it is negative or not finite for some arc.

    Example:
        >>> ring = Arcs.from_pairs([0, 1, 2], [1, 2, 0], num_nodes=3)
        >>> found = returns(ring, steps=3).blocks
        >>> found["returns.out"][0].tolist(), found["returns.both"][0].astype(float).round(6).tolist()
        ([0.0, 1.0], [0.5, 0.25])
    """
    whole("steps", steps, 2)
    whole("probes", probes, 2)
    exact = arcs.num_nodes <= EXACT if exact is None else exact
    out, into = walk(arcs, "out", weight), walk(arcs, "into", weight)
    both = pairs(arcs, weight).rows
    if exact:
        made = _exact(out, into, both, steps)
    else:
        z = signs(node_keys(None, arcs.num_nodes) if keys is None else keys, probes, seed, "returns")
        forth, back = damped(arcs, "out", weight), damped(arcs, "into", weight)
        _, strong = connected_components(arcs.matrix(), directed=True, connection="strong")
        made = {
            "returns.out": _probed(_inside(out, strong), _two_steps(arcs, out), steps, z),
            "returns.in": _probed(_inside(into, strong), _two_steps(arcs.reversed(), into), steps, z),
            "returns.there.out": _squared(forth, back, steps // 2, z),
            "returns.there.in": _squared(back, forth, steps // 2, z),
            "returns.both": _squares(both, steps, z),
        }
    blocks = {name: block for name, (block, _) in made.items()}
    errors = {name: error for name, (_, error) in made.items()}
    for name, hop in (("out", out), ("in", into)):
        blocks[f"returns.landed.{name}"] = _landed(hop, steps)
    info = {"exact": bool(exact), "steps": steps, "weight": weight, "probes": probes}
    return Found(blocks, {**info, "standard_error": errors})


def _exact(out: Rows, into: Rows, both: Rows, steps: int) -> dict[str, Made]:
    """Every diagonal, from walks that begin at every node."""
    words: dict[str, tuple[Hop, int, int]] = {
        "returns.out": (out, steps, 1),
        "returns.in": (into, steps, 1),
        "returns.there.out": (lambda x: out(into(x)), steps // 2, 0),
        "returns.there.in": (lambda x: into(out(x)), steps // 2, 0),
        "returns.both": (both, steps, 1),
    }
    found = {}
    for name, (hop, count, first) in words.items():
        diagonal = np.zeros((out.num_nodes, count), np.float32)
        for begin in range(0, out.num_nodes, CHUNK):
            own = np.arange(begin, min(begin + CHUNK, out.num_nodes))
            x = np.zeros((out.num_nodes, len(own)), np.float32)
            x[own, own - begin] = 1.0
            for k in range(count):
                x = hop(x)
                diagonal[own, k] = x[own, own - begin]
        found[name] = diagonal[:, first:], [0.0] * (count - first)
    return found


def _mean(samples: np.ndarray) -> tuple[np.ndarray, float]:
    """The mean of each row ``[n, probes]``, and the root mean square of its standard error over some rows."""
    watched = samples[:: max(1, len(samples) // WATCHED)]
    error = watched.var(axis=1, ddof=1).mean() / samples.shape[1] if len(watched) else 0.0
    return samples.mean(axis=1), float(np.sqrt(error))


def _columns(made: list[tuple[np.ndarray, float]], first: np.ndarray) -> Made:
    """Columns side by side, the first one replaced by what is known exactly."""
    columns = [first.astype(np.float32), *(column for column, _ in made[1:])]
    return np.stack(columns, axis=1), [0.0, *(error for _, error in made[1:])]


def _probed(hop: Rows, two: np.ndarray, steps: int, z: np.ndarray) -> Made:
    """diag(Pᵏ) for k = 2 … steps as the mean of z ⊙ Pᵏ z; exactly ``two`` for k = 2."""
    x, made = hop(z), []
    for _ in range(2, steps + 1):
        x = hop(x)
        made.append(_mean(z * x))
    return _columns(made, two)


def _squared(forth: Rows, back: Rows, count: int, z: np.ndarray) -> Made:
    """diag((M Mᵀ)ᵏ) for k = 1 … count: the mean of (… M Mᵀ M z)², k factors; exact for k = 1."""
    made, near, far = [], z, z
    for _ in range(count):
        near, far = forth(far), back(near)
        made.append(_mean(near * near))
    return _columns(made, row_sums(forth.indptr, forth.weight.astype(np.float64) ** 2))


def _squares(hop: Rows, steps: int, z: np.ndarray) -> Made:
    """diag(Nᵏ) for k = 2 … steps as the mean of N^⌊k/2⌋ z ⊙ N^⌈k/2⌉ z; exact for k = 2."""
    made, low = [], hop(z)
    for k in range(2, steps + 1, 2):
        made.append(_mean(low * low))
        if k < steps:
            high = hop(low)
            made.append(_mean(low * high))
            low = high
    return _columns(made, row_sums(hop.indptr, hop.weight.astype(np.float64) ** 2))


def _inside(hop: Rows, label: np.ndarray) -> Rows:
    """The walk without the steps that leave their strong component."""
    stays = np.repeat(label, np.diff(hop.indptr)) == label[hop.neighbors]
    return replace(hop, weight=hop.weight * stays)


def _two_steps(arcs: Arcs, hop: Rows) -> np.ndarray:
    """diag(P²) exactly, for walks along the arcs: Σ_j P_ij P_ji over mutual arcs."""
    reverse = arcs.reverse_at
    return row_sums(hop.indptr, np.where(reverse < 0, 0.0, hop.weight * hop.weight[reverse]))


def _landed(hop: Rows, steps: int) -> np.ndarray:
    """log(1 + (Pᵀ)ᵏ 1) for k = 1 … steps."""
    turned, mass = hop.matrix().T, np.ones(hop.num_nodes)
    found = np.empty((hop.num_nodes, steps), np.float32)
    for k in range(steps):
        mass = turned @ mass
        found[:, k] = np.log1p(mass)
    return found
