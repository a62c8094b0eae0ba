"""Eigenvectors of each connected component by itself, and what is invariant of them.

A component's positions do not depend on the other components. Small ones are solved densely, many at a time;
others by the filtered subspaces of :mod:`thence.graph.position.filtered`. A component of one node has zeros,
and so have the columns beyond a component's number of eigenvectors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from thence.base.errors import ConfigError
from thence.base.rng import generator
from thence.graph.arcs import Arcs
from thence.graph.position.filtered import ROWS, Hermitian, Spectrum, largest
from thence.graph.position.invariant import canonical, groups, statistics
from thence.graph.position.kernel.components import label_components
from thence.graph.position.operators import Pairs, Rows, pairs, taken, walk
from thence.graph.walk.rows import in_order, whole

Form = Literal["invariant", "vectors"]
FORMS = ("invariant", "vectors")
DENSE = 256
"""Nodes of a component up to which it is solved densely."""
MOST = 0.5
"""Share of the nodes from which a component is solved where it stands, the other nodes' rows being zeros."""
STACK = 1 << 22
"""Entries of the dense matrices that are solved together."""
SAME = 1e-6
"""Eigenvalues of dense solutions that are closer than this are one group."""


@dataclass(frozen=True)
class Solve:
    """How eigenvectors are found and what of them is told.

    Args:
        k: how many.
        angle: of one turn, radians; None for the Laplacian, whose constant first vector is left out.
        tolerance: the largest residual ‖L v - λ v‖ asked for; eigenvalues closer than this are one group.
        rounds: filters at most.
        degree: of every filter; chosen on the way when None.
        form: ``invariant`` or ``vectors``.
        seed: of the block's start.
    """

    k: int
    angle: float | None
    tolerance: float
    rounds: int
    degree: int | None = None
    form: Form = "invariant"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("k", "rounds"):
            whole(name, getattr(self, name), 1)
        if self.degree is not None and not 2 <= whole("degree", self.degree, 2) <= 30:
            raise ConfigError(f"degree is {self.degree}", fix="It lies from 2 to 30.")
        if not 0 < self.tolerance < np.inf:
            raise ConfigError(f"tolerance is {self.tolerance}", fix="It is above 0 and finite.")
        if self.form not in FORMS:
            raise ConfigError(f"no form {self.form!r}", fix="form is 'invariant' or 'vectors'.")

    @property
    def skip(self) -> int:
        """How many of the first eigenvectors are left out."""
        return int(self.angle is None)

    @property
    def guard(self) -> int:
        """How many further vectors the block has."""
        return max(8, self.k)

    @property
    def wide(self) -> int:
        """Real columns that a column takes."""
        return 1 if self.angle is None else 2


@dataclass
class Told:
    """What is to be known of the solutions of all components."""

    residual: float = 0.0
    rounds: int = 0
    converged: bool = True
    cut_group: bool = False
    values: list[float] = field(default_factory=list)


def solve(
    arcs: Arcs, how: Solve, weight: str | None, name: str
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Blocks ``name.size``, ``name.out`` and ``name.in``, or ``name.vectors``; and what is to be known.

    Raises:
        DataError: there is no such weight, or it is negative or not finite for some arc.
    """
    found, told = pairs(arcs, weight), Told()
    walks = walk(arcs, "out", weight), walk(arcs, "into", weight)
    names = ("vectors",) if how.form == "vectors" else ("size", "out", "in")
    wide = {part: how.k * (1 if part == "size" else how.wide) for part in names}
    blocks = {part: np.zeros((arcs.num_nodes, wide[part]), np.float32) for part in names}
    label = np.empty(arcs.num_nodes, np.int32)
    label_components(found.rows.indptr, found.rows.neighbors, found.rows.weight, label)
    sizes = np.bincount(label)
    by_size = np.argsort(sizes[label], kind="stable")
    small = sizes <= max(DENSE, 2 * (how.k + how.guard))
    for size in np.unique(sizes[small & (sizes > how.skip)]).tolist():
        own = by_size[np.searchsorted(sizes[label], size, sorter=by_size) :][
            : size * int((sizes == size).sum())
        ]
        for nodes in _stacks(own[np.argsort(label[own], kind="stable")].reshape(-1, size)):
            _put(blocks, nodes, _dense(found, walks, nodes, how))
    for component in np.flatnonzero(~small).tolist():
        _sparse(found, walks, np.flatnonzero(label == component), how, told, blocks)
    info = {"components": len(sizes), "largest_component": int(sizes.max(initial=0)), "residual": told.residual}
    info |= {"rounds": told.rounds, "converged": told.converged, "cut_group": told.cut_group}
    info |= {"tolerance": how.tolerance, "eigenvalues": told.values, "fallback": None}
    if not told.converged:
        info["fallback"] = f"the block as it stood after {told.rounds} rounds"
    return {f"{name}.{part}": block for part, block in blocks.items()}, info


def _stacks(nodes: np.ndarray) -> Iterator[np.ndarray]:
    """Components of one size, some at a time."""
    count = max(1, STACK // nodes.shape[1] ** 2)
    for begin in range(0, len(nodes), count):
        yield nodes[begin : begin + count]


def _put(blocks: dict[str, np.ndarray], nodes: np.ndarray, parts: tuple[np.ndarray, ...]) -> None:
    """Write ``[graphs, nodes, k]`` into the rows of the nodes; complex columns as real ones, then imaginary."""
    for block, part in zip(blocks.values(), parts, strict=True):
        rows = part.reshape(nodes.size, -1)
        k, half = rows.shape[1], block.shape[1] // (2 if np.iscomplexobj(rows) else 1)
        block[nodes.ravel(), :k] = np.real(rows)
        if np.iscomplexobj(rows):
            block[nodes.ravel(), half : half + k] = np.imag(rows)


def _dense(found: Pairs, walks: tuple[Rows, Rows], nodes: np.ndarray, how: Solve) -> tuple[np.ndarray, ...]:
    """All eigenvectors of components of one size ``[graphs, size]``."""
    turn = None if how.angle is None else found.turn
    matrix = _stacked(found.rows, nodes, turn, how.angle or 0.0)
    values, vectors = np.linalg.eigh(matrix)
    values, vectors = values[:, ::-1][:, how.skip :], vectors[:, :, ::-1][:, :, how.skip :]
    k = min(how.k, values.shape[1])
    if how.form == "vectors":
        return (canonical(vectors[:, :, :k]) * np.sqrt(nodes.shape[1]),)
    along, against = (_stacked(rows, nodes, None, 0.0) @ vectors for rows in walks)
    return statistics(values, (vectors, along, against), k, SAME)


def _stacked(rows: Rows, nodes: np.ndarray, turn: np.ndarray | None, angle: float) -> np.ndarray:
    """Dense matrices ``[graphs, size, size]`` of some components."""
    graphs, size = nodes.shape
    place = np.zeros(rows.num_nodes, np.int64)
    place[nodes.ravel()] = np.arange(nodes.size)
    at, entries = taken(rows, nodes.ravel())
    value = rows.weight[entries].astype(np.float64)
    if turn is not None:
        value = value * np.exp(1j * angle * turn[entries])
    matrix = np.zeros((graphs, size, size), value.dtype)
    matrix[at // size, at % size, place[rows.neighbors[entries]] % size] = value
    return matrix


def _sparse(
    found: Pairs,
    walks: tuple[Rows, Rows],
    nodes: np.ndarray,
    how: Solve,
    told: Told,
    blocks: dict[str, np.ndarray],
) -> None:
    """Write what is told of the first eigenvectors of one large component into the rows of its nodes."""
    rows, turn, own = found.rows, found.turn, nodes
    if len(nodes) < MOST * rows.num_nodes:
        rows, turn = _restricted(rows, nodes, turn)
        walks = _restricted(walks[0], nodes)[0], _restricted(walks[1], nodes)[0]
        own = np.arange(len(nodes))
    matrix = Hermitian(rows, None if how.angle is None else turn, how.angle or 0.0)
    k = how.k + how.skip
    rng = generator(how.seed, "position", "spectrum", len(nodes))
    limits = {"tolerance": how.tolerance, "rounds": how.rounds, "guard": how.guard, "degree": how.degree}
    solved = largest(matrix, k, rng=rng, nodes=own, **limits)
    keep = _settled(solved, k, how.tolerance)
    _tell(told, solved, k, how, keep)
    if how.form == "vectors":
        vectors = solved.vectors[own, how.skip : k]
        _put(blocks, nodes[None], (canonical(vectors) * np.sqrt(len(nodes)),))
    else:
        _statistics(blocks, nodes, own, solved, keep, walks, how)


def _statistics(
    blocks: dict[str, np.ndarray],
    nodes: np.ndarray,
    own: np.ndarray,
    solved: Spectrum,
    keep: int,
    walks: tuple[Rows, Rows],
    how: Solve,
) -> None:
    """Write what is invariant of the first ``keep`` eigenvectors, whose rows are ``own``, into ``nodes``."""
    block, values = solved.block, solved.values[None, how.skip : keep]

    def tell(begin: int, end: int) -> None:
        first, last = np.searchsorted(own, (begin, end))
        rows = block[begin:end], *(each.part(block, begin, end) for each in walks)
        v, along, against = (
            solved.joined(each[own[first:last] - begin])[None, :, how.skip : keep] for each in rows
        )
        parts = statistics(values, (v, along, against), how.k, how.tolerance, len(nodes))
        _put(blocks, nodes[None, first:last], parts)

    in_order(tell, len(block), ROWS)


def _settled(solved: Spectrum, k: int, tolerance: float) -> int:
    """How many eigenpairs, at least ``k``, can be relied on to tell where a group ends."""
    wrong = np.flatnonzero(solved.residual > tolerance)
    return max(k, int(wrong[0]) if len(wrong) else len(solved.values))


def _tell(told: Told, solved: Spectrum, k: int, how: Solve, keep: int) -> None:
    residual = float(solved.residual[:k].max())
    number = groups(solved.values[None, :keep], how.tolerance)[0]
    told.residual, told.rounds = max(told.residual, residual), max(told.rounds, solved.rounds)
    told.converged &= residual <= how.tolerance
    told.cut_group |= bool(number[k - 1] == number[keep - 1])
    told.values = told.values or (1 - solved.values[how.skip : k]).tolist()


def _restricted(rows: Rows, nodes: np.ndarray, turn: np.ndarray | None = None) -> tuple[Rows, Any]:
    """The rows of one component, its nodes numbered from 0."""
    place, inside = np.zeros(rows.num_nodes, np.int32), np.zeros(rows.num_nodes, bool)
    place[nodes], inside[nodes] = np.arange(len(nodes), dtype=np.int32), True
    count = np.diff(rows.indptr)
    entries = np.repeat(inside, count)
    indptr = np.concatenate([[0], np.cumsum(count[nodes])]).astype(rows.indptr.dtype)
    made = Rows(indptr, place[rows.neighbors[entries]], rows.weight[entries])
    return made, None if turn is None else turn[entries]
