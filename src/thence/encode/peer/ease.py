"""EASE on out-rows: a closed-form linear autoencoder with a zero diagonal, as dual embeddings.

Each source is a row of what it leads to, x_i, and B is the matrix that restores a row from the row's other
entries best:

    X = [Ã, reverse · Ãᵀ]    ( or Ã alone ),   Ã = w / (W_i^out_power · W_j^in_power),
    B = argmin ‖Ã - X B‖² + λ ‖B‖²   where no entry may restore itself,
    B_kj = -P_kj / P_jj  (k ≠ j) ,   P = (XᵀX + λ I)⁻¹ ,   score(i → j) = x_i B_j.

With X = U S Vᵀ, g = S² / (S² + λ), and the leverage h_j = Σ_k g_k V_jk², this is

    x_i B_j = Σ_k U_ik S_k g_k V_jk / (1 - h_j) - X_ij h_j / (1 - h_j),

whose last term is 0 for every pair that is not an arc yet. Without it the score is an inner product, and
nothing of size n x n is inverted: ``dim`` singular vectors do, exactly so when they are all. It is plain and
has a closed form; nothing is trained. With ``reverse``, a source is also known by what leads to it.

(Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019, equations 7 and 8, for users and items;
sources and targets, reverse rows and the dual form are ours.)
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from thence.base.errors import ConfigError
from thence.encode.embeddings import Embeddings
from thence.encode.known import check_fittable
from thence.encode.peer.low_rank import low_rank
from thence.graph import Arcs, DiGraph

MOST_LEVERAGE = 0.999
ROUNDS = 4


def ease(
    graph: DiGraph,
    dim: int = 512,
    ridge: float = 8.0,
    reverse: float = 0.5,
    out_power: float = 0.3,
    in_power: float = 0.3,
    seed: int = 0,
) -> Embeddings:
    """Dual embeddings whose scores are those of a ridge regression of out-rows on themselves.

    Args:
        graph: the graph.
        dim: how many singular vectors stand for the rows; all there are when it is larger.
        ridge: λ in units of the mean squared length of a row of Ã.
        reverse: how much the rows of what leads to a source count beside its own; 0 leaves them out.
        out_power: how strongly a source's arcs are divided by all the weight that leaves it.
        in_power: how strongly they are divided by all the weight that reaches their targets.
        seed: of the iteration that finds the singular vectors of more than 512 nodes.

    Raises:
        ConfigError: ``ridge`` is not positive, ``reverse`` negative, or ``dim`` below 1.
        FitError: the graph has no arcs.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.graph import Arcs
        >>> arcs = Arcs.from_pairs([0, 1, 1], [2, 2, 3], num_nodes=4)  # 0 is like 1, which leads to 3 as well
        >>> scores = ease(DiGraph(IdMap("abcd"), {"bought_after": arcs}), ridge=1.0).scores([0])[0]
        >>> scores[2:].round(2).tolist()
        [1.5399999618530273, 0.2800000011920929]
    """
    if not ridge > 0 or not reverse >= 0:
        raise ConfigError(
            f"ridge={ridge}, reverse={reverse}", fix="ridge is positive, reverse is not negative."
        )
    check_fittable(graph)
    rows = normalised(graph.main, out_power, in_power)
    penalty = ridge * float((rows.data**2).sum()) / graph.num_nodes
    inputs = sp.csr_matrix(sp.hstack([rows, reverse * rows.T])) if reverse else rows
    u, values, vt = low_rank(inputs, dim, seed, rounds=ROUNDS)
    kept = values**2 / (values**2 + penalty)
    v = vt[:, : graph.num_nodes].T
    leverage = np.minimum(v**2 @ kept, MOST_LEVERAGE)
    root = np.sqrt(kept)
    info = {"encoder": "ease", "ridge": ridge, "reverse": reverse}
    return Embeddings(graph.ids, u * (values * root), v * root / (1 - leverage)[:, None], info=info)


def normalised(arcs: Arcs, out_power: float, in_power: float) -> sp.csr_matrix:
    """Ã ``[num_nodes, num_nodes]`` float32: w_ij / (W_i^out_power · W_j^in_power), W sums of weights.

    Example:
        >>> arcs = Arcs.from_pairs([0, 0], [1, 2], num_nodes=3, weight=[3.0, 1.0])
        >>> normalised(arcs, 0.5, 0.0).toarray()[0].tolist()
        [0.0, 1.5, 0.5]
    """
    matrix = arcs.matrix()
    left = np.maximum(np.asarray(matrix.sum(axis=1)).ravel(), 1e-12) ** -out_power
    right = np.maximum(np.asarray(matrix.sum(axis=0)).ravel(), 1e-12) ** -in_power
    return sp.csr_matrix(sp.diags(left) @ matrix @ sp.diags(right), dtype=np.float32)
