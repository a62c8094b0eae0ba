"""Spectral positions of very large graphs at the cost of a few passes over the arcs.

A few Chebyshev filters of a fixed degree are applied to a random block, each followed by a turn to the best
eigenvectors in its span. The cost is about rounds · degree + 1 passes over the arcs whatever the spectrum; the
residual that is reached stands in the info. Eigenvalues that lie close together are told apart as a group
before they are told apart one by one; the last of the ``k`` is the least exact.
"""

from __future__ import annotations

import math

from thence.base.errors import ConfigError
from thence.graph.arcs import Arcs
from thence.graph.position.found import Found
from thence.graph.position.spectrum import Form, Solve, solve


def approximate_laplacian(
    arcs: Arcs,
    *,
    k: int = 8,
    degree: int = 4,
    rounds: int = 3,
    tolerance: float = 1e-3,
    form: Form = "invariant",
    weight: str | None = None,
    seed: int = 0,
) -> Found:
    """:func:`~thence.graph.position.laplacian` at a fixed cost.

    Args:
        arcs: the relation.
        k: how many vectors.
        degree: passes over the arcs in a filter.
        rounds: filters.
        tolerance: when the residual is below this before, it ends; eigenvalues closer than this are one group.
        form: ``invariant`` or ``vectors``.
        weight: the value by which pairs count; all alike when not given.
        seed: of the start.

    Returns:
        ``approximate_laplacian.size``, ``.out``, ``.in`` or ``.vectors``, and ``info["residual"]``.

    Raises:
        ConfigError: a setting is out of range.
        DataError: there is no such value, or it is negative or not finite for some arc.
    """
    how = Solve(k, None, tolerance, rounds, degree, form, seed)
    blocks, info = solve(arcs, how, weight, "approximate_laplacian")
    return Found(blocks, {"k": k, "degree": degree, "form": form, "weight": weight, **info})


def approximate_magnetic(
    arcs: Arcs,
    *,
    k: int = 8,
    q: float = 0.1,
    degree: int = 4,
    rounds: int = 3,
    form: Form = "invariant",
    weight: str | None = None,
    seed: int = 0,
) -> Found:
    """:func:`~thence.graph.position.magnetic` at a fixed cost.

    Args:
        arcs: the relation.
        k: how many vectors.
        q: turns of the phase along an arc, from 0 to 1/2.
        degree: passes over the arcs in a filter.
        rounds: filters.
        form: ``invariant`` or ``vectors``.
        weight: the value by which pairs count; all alike when not given.
        seed: of the start.

    Returns:
        ``approximate_magnetic.size``, ``.out``, ``.in`` or ``.vectors``, and ``info["residual"]``.

    Raises:
        ConfigError: a setting is out of range.
        DataError: there is no such value, or it is negative or not finite for some arc.
    """
    if not 0 <= q <= 0.5:
        raise ConfigError(f"q is {q}", fix="It lies from 0 to 0.5.")
    how = Solve(k, 2 * math.pi * q, 1e-3, rounds, degree, form, seed)
    blocks, info = solve(arcs, how, weight, "approximate_magnetic")
    return Found(blocks, {"k": k, "q": q, "degree": degree, "form": form, "weight": weight, **info})
