"""Positions from the smoothest functions on the graph without directions: the normalised Laplacian.

The eigenvectors of L = I - D^-½ S D^-½ with the smallest eigenvalues, each component by itself; the first,
which is √degree on a connected component, is left out. S is defined in :mod:`thence.graph.position.operators`.

References:
    Chung, "Spectral graph theory", 1997, section 1.2; Dwivedi et al., "Benchmarking graph neural networks",
    JMLR 2023, section 4 (Laplacian eigenvectors as positions).
"""

from __future__ import annotations

from thence.graph.arcs import Arcs
from thence.graph.position.found import Found
from thence.graph.position.spectrum import Form, Solve, solve


def laplacian(
    arcs: Arcs,
    *,
    k: int = 16,
    tolerance: float = 1e-4,
    rounds: int = 40,
    form: Form = "invariant",
    weight: str | None = None,
    seed: int = 0,
) -> Found:
    """The ``k`` smoothest eigenvectors after the constant one, told so that signs and bases do not matter.

    Args:
        arcs: the relation.
        k: how many.
        tolerance: the largest residual ‖L v - λ v‖ of a component that is too large for a dense solution;
            eigenvalues closer than this are one group (10⁻⁶ where the solution is dense).
        rounds: filters at most. When they do not suffice, what was reached is returned;
            ``info["converged"]``, ``info["residual"]`` and ``info["fallback"]`` tell.
        form: ``invariant``, or ``vectors``: the vectors themselves, signs chosen by their own values.
        weight: the value by which pairs count; all alike when not given.
        seed: of the start.

    Returns:
        ``laplacian.size``, ``laplacian.out`` and ``laplacian.in`` (see
        :mod:`thence.graph.position.invariant`), or ``laplacian.vectors``, each ``[num_nodes, k]``.
        ``info["cut_group"]``: the last group may reach beyond the eigenvalues that were found.

    Raises:
        ConfigError: a setting is out of range.
        DataError: there is no such value, or it is negative or not finite for some arc.

    Example:
        >>> path = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)
        >>> size = laplacian(path, k=2).blocks["laplacian.size"]  # √(3/2) (1, 0, 1), √(3/4) (1, √2, 1)
        >>> size.astype(float).round(3).tolist()
        [[1.225, 0.866], [0.0, 1.225], [1.225, 0.866]]
    """
    how = Solve(k, None, tolerance, rounds, form=form, seed=seed)
    blocks, info = solve(arcs, how, weight, "laplacian")
    return Found(blocks, {"k": k, "form": form, "weight": weight, **info})
