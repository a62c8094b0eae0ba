"""Positions that know which way arcs lead: the normalised magnetic Laplacian.

L_q = I - D^-½ (S ⊙ exp(i 2πq (E - Eᵀ))) D^-½ is hermitian; an arc that is passed forwards turns the phase by
2πq, one that is passed backwards by -2πq, and a pair with both arcs does not turn it. q = 0 is the Laplacian
and knows no direction. With q = 1/10, the default, ten arcs in a row are a full turn. q = 1/4 tells most on
single arcs, and a directed path longer than 1 / (2q) arcs is no longer told apart from a shorter one by its
phase alone.

References:
    Fanuel, Alaíz, Fernández & Suykens, "Magnetic eigenmaps for the visualization of directed networks", 2018;
    Geisler et al., ICML 2023 (arXiv 2302.00049), section 3.
"""

from __future__ import annotations

import math

from thence.base.errors import ConfigError
from thence.graph.arcs import Arcs
from thence.graph.position.found import Found
from thence.graph.position.spectrum import Form, Solve, solve


def magnetic(
    arcs: Arcs,
    *,
    k: int = 16,
    q: float = 0.1,
    tolerance: float = 1e-4,
    rounds: int = 40,
    form: Form = "invariant",
    weight: str | None = None,
    seed: int = 0,
) -> Found:
    """The ``k`` eigenvectors with the smallest eigenvalues, told so that phases and bases do not matter.

    Args:
        arcs: the relation.
        k: how many.
        q: turns of the phase along an arc, from 0 to 1/2.
        tolerance: as in :func:`~thence.graph.position.laplacian`.
        rounds: as there.
        form: ``invariant``, or ``vectors``: real parts, then imaginary parts, phases chosen by the vectors' own
            values. Turning all arcs round changes the sign of the imaginary parts.
        weight: the value by which pairs count; all alike when not given.
        seed: of the start.

    Returns:
        ``magnetic.size`` ``[num_nodes, k]``, ``magnetic.out`` and ``magnetic.in`` ``[num_nodes, 2k]``, real
        parts, then imaginary parts (see :mod:`thence.graph.position.invariant`); or ``magnetic.vectors``
        ``[num_nodes, 2k]``. The info is that of :func:`~thence.graph.position.laplacian`.

    Raises:
        ConfigError: a setting is out of range.
        DataError: there is no such value, or it is negative or not finite for some arc.

    Example:
        >>> arc = Arcs.from_pairs([0], [1], num_nodes=2)
        >>> found = magnetic(arc, k=1, q=0.25).blocks["magnetic.out"]  # a quarter turn along the arc
        >>> (found.astype(float).round(3) + 0.0).tolist()
        [[0.0, -0.707], [0.0, 0.0]]
    """
    if not 0 <= q <= 0.5:
        raise ConfigError(f"q is {q}", fix="It lies from 0 to 0.5.")
    how = Solve(k, 2 * math.pi * q, tolerance, rounds, form=form, seed=seed)
    blocks, info = solve(arcs, how, weight, "magnetic")
    return Found(blocks, {"k": k, "q": q, "form": form, "weight": weight, **info})
