"""What a sparsifier lost: arcs and weight, cuts, the Laplacian, direction, and connection, in figures.

Every error is relative, |after − before| / before, the mean over what was tried and the worst of it.
``scaled.`` stands before those of ``after`` with all weights multiplied so that they add up to what they did
before: what is left when only the size of weights was lost, as in any top-k.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import eigsh

from thence.base.errors import ConfigError, DataError
from thence.base.rng import generator
from thence.graph.arcs import Arcs
from thence.graph.partition.symmetric import symmetrised
from thence.graph.sparsify.check import weights_of

DENSE = 64
"""Components of fewer nodes have their eigenvectors computed densely."""


def loss_of(before: Arcs, after: Arcs, seed: int = 0, *, probes: int = 32, low: int = 8) -> dict[str, float]:
    """Compare a sparsified relation with the whole.

    Args:
        before: the whole.
        after: what was kept of it, and possibly added to it.
        seed: of the random cuts and vectors.
        probes: how many cuts and vectors are tried.
        low: how many low eigenvectors are tried; 0 spares the time to compute them.

    Returns:
        * ``kept_share``, ``kept_weight``: of the arcs, and the weight after over the weight before;
          ``added_share``: arcs that were not there before, over the arcs before.
        * ``cut_error`` and ``cut_error.max``: of the weight that leads from a random half of the nodes to the
          other, Σ w over source in S, target not in S.
        * ``quadratic_error``, ``.max``: of xᵀLx = Σ w (x_source − x_target)² for normal random x.
        * ``low_error``, ``.max``: the same for the smoothest x: eigenvectors of the smallest positive
          eigenvalues of the normalised Laplacian of the largest component before.
        * ``scaled.…``: all of these after scaling to the weight before.
        * ``one_way_kept``, ``two_way_kept``: of the arcs that had no reverse, and of those that had one.
        * ``false_one_way``: share of kept arcs that had a reverse before and have none after.
        * ``new_components``: weakly connected components more than before; ``lost_out``, ``lost_into``: share
          of nodes with arcs on that side that have none left there.

    Raises:
        DataError: node counts differ, or a weight is negative or not finite.
        ConfigError: ``probes`` is below 1 or ``low`` negative.

    Example:
        >>> before = Arcs.from_pairs([0, 1, 1, 2], [1, 0, 2, 0], num_nodes=3)
        >>> loss = loss_of(before, before.select(np.array([True, False, True, True])))
        >>> loss["kept_share"], loss["one_way_kept"], loss["two_way_kept"], round(loss["false_one_way"], 2)
        (0.75, 1.0, 0.5, 0.33)
    """
    if before.num_nodes != after.num_nodes:
        raise DataError(f"{after.num_nodes:,} nodes after, {before.num_nodes:,} before")
    if probes < 1 or low < 0:
        raise ConfigError(f"probes={probes}, low={low}", fix="Give at least one probe and no negative number.")
    heavy, light = float(weights_of(before).sum()), float(weights_of(after).sum())
    figures = (
        {"kept_weight": light / heavy if heavy else 1.0} | _direction(before, after) | _pieces(before, after)
    )
    scale = heavy / light if light else 1.0
    vectors = {"quadratic": generator(seed, "loss", "vectors").standard_normal((before.num_nodes, probes))}
    if low:
        vectors["low"] = _smoothest(before, low, seed)
    half = generator(seed, "loss", "cuts").integers(0, 2, (before.num_nodes, probes)).astype(np.float64)
    pairs = {"cut": (_cut(before, half), _cut(after, half))}
    pairs |= {name: (_quadratic(before, x), _quadratic(after, x)) for name, x in vectors.items()}
    for name, (old, new) in pairs.items():
        figures |= _errors(f"{name}_error", old, new) | _errors(f"scaled.{name}_error", old, new * scale)
    return figures


def _errors(name: str, old: np.ndarray, new: np.ndarray) -> dict[str, float]:
    known = old > 0
    error = np.abs(new[known] - old[known]) / old[known]
    return {name: float(error.mean()) if len(error) else 0.0, f"{name}.max": float(error.max(initial=0.0))}


def _matrix(arcs: Arcs) -> sp.csr_matrix:
    weight = arcs.weight.astype(np.float64)
    return sp.csr_matrix((weight, arcs.targets, arcs.indptr), shape=(arcs.num_nodes, arcs.num_nodes))


def _cut(arcs: Arcs, half: np.ndarray) -> np.ndarray:
    """``[probes]``: weight of the arcs that lead out of each set, xᵀA(1 − x)."""
    return np.einsum("np,np->p", half, _matrix(arcs) @ (1.0 - half))


def _quadratic(arcs: Arcs, x: np.ndarray) -> np.ndarray:
    """``[probes]``: Σ w (x_source − x_target)², by way of degrees and xᵀAx."""
    matrix = _matrix(arcs)
    degree = np.asarray(matrix.sum(axis=1)).ravel() + np.asarray(matrix.sum(axis=0)).ravel()
    return np.maximum(degree @ (x * x) - 2 * np.einsum("np,np->p", x, matrix @ x), 0.0)


def _smoothest(arcs: Arcs, low: int, seed: int) -> np.ndarray:
    """``[num_nodes, up to low]`` vectors D^-½ v, 0 outside the largest component, the constant one left out."""
    pairs = symmetrised(arcs, arcs.weight.astype(np.float64))
    pairs.eliminate_zeros()
    _, label = connected_components(pairs, directed=False)
    nodes = np.flatnonzero(label == np.bincount(label).argmax()) if len(label) else np.empty(0, np.int64)
    count = min(low, len(nodes) - 1)
    if count < 1:
        return np.zeros((arcs.num_nodes, 0))
    inside = pairs[nodes][:, nodes]
    root = 1.0 / np.sqrt(np.asarray(inside.sum(axis=1)).ravel())
    normal = sp.diags(root) @ inside @ sp.diags(root)
    if len(nodes) < max(DENSE, 2 * low + 2):
        _, found = np.linalg.eigh(normal.toarray())
        found = found[:, ::-1][:, 1 : count + 1]
    else:
        start = generator(seed, "loss", "start").standard_normal(len(nodes))
        values, found = eigsh(normal, k=count + 1, which="LA", v0=start, tol=1e-4)  # type: ignore[arg-type]
        found = found[:, np.argsort(-values)][:, 1:]
    vectors = np.zeros((arcs.num_nodes, count))
    vectors[nodes] = root[:, None] * found
    return vectors


def _direction(before: Arcs, after: Arcs) -> dict[str, float]:
    at = before.positions(*after.pairs)
    kept, single = at[at >= 0], before.one_way
    now_single = after.one_way[at >= 0]
    one, two = int(single.sum()), int((~single).sum())
    return {
        "kept_share": len(kept) / max(before.num_arcs, 1),
        "added_share": (after.num_arcs - len(kept)) / max(before.num_arcs, 1),
        "one_way_kept": float(single[kept].sum() / one) if one else 1.0,
        "two_way_kept": float((~single[kept]).sum() / two) if two else 1.0,
        "false_one_way": float((~single[kept] & now_single).mean()) if len(kept) else 0.0,
    }


def _pieces(before: Arcs, after: Arcs) -> dict[str, float]:
    counts = [connected_components(symmetrised(arcs), directed=False)[0] for arcs in (before, after)]
    had = {"out": before.out_degree > 0, "into": before.in_degree > 0}
    has = {"out": after.out_degree > 0, "into": after.in_degree > 0}
    lost = {f"lost_{side}": float((~has[side])[had[side]].mean()) if had[side].any() else 0.0 for side in had}
    return {"new_components": float(counts[1] - counts[0])} | lost
