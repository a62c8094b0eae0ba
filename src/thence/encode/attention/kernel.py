"""Linear attention: every node sees every node of its graph, at a cost that grows with the nodes alone.

With a feature map φ, the weight of j in the answer to i is ⟨φ(q_i), φ(k_j)⟩, and sums
over j are taken once for all i:

    z_i = φ(q_i) · M,    M = Σ_j φ(k_j)ᵀ v_j,    divided by  φ(q_i) · Σ_j φ(k_j)

Forms, whose weights sum to one over j:

- ``cosine``: 1 + cos(q_i, k_j), rows of length one each. The published SGFormer scales q and k by the norm of
  the whole matrix instead; its all-pair term is then at most 1/N of a node's own, whatever is learned
  (Cauchy-Schwarz), and nothing global is left on a large graph. That one is ``frobenius``, kept to be measured;
  ``rows`` is the same with rows of length one: cos(q_i, k_j) beside N times a node's own value. The weights of
  these two may be negative.
- ``sigmoid``: Σ_c σ(q_ic) σ(k_jc), as in Polynormer.
- ``slots``: nodes meet in slots c, Σ_c φ_c(q_i) φ_c(k_j) / Σ_j' φ_c(k_j') with φ a softmax over slots. A slot
  is an average of those that chose it, however many there are, so that few nodes can be found among millions.

References:
    Katharopoulos et al., "Transformers are RNNs", ICML 2020, equations 4 to 6. Wu et al., "SGFormer", NeurIPS
    2023, equation 2. Deng et al., "Polynormer", ICLR 2024, section 3.3. Shen et al., "Efficient attention",
    WACV 2021, for softmax features.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Form = Literal["cosine", "frobenius", "rows", "sigmoid", "slots"]
FORMS: tuple[Form, ...] = ("cosine", "frobenius", "rows", "sigmoid", "slots")
OWN: tuple[Form, ...] = ("frobenius", "rows")
"""Forms that add a node's own value N times."""
TINY = 1e-6


def mapped(q: Tensor, form: Form) -> Tensor:
    """φ of queries or keys, of their shape ``[..., nodes, width]``."""
    if form in ("cosine", "rows"):
        return torch.nn.functional.normalize(q, dim=-1)
    if form == "slots":
        return torch.softmax(q, -1)
    return torch.sigmoid(q) if form == "sigmoid" else q


class Sums:
    """What attention needs of all nodes together, added up a block of nodes at a time.

    Args:
        mixed: ``[..., width, values]``, M.
        total: ``[..., width]``, Σ_j φ(k_j).
        values: ``[..., values]``, Σ_j v_j.
        squares: ``[..., 2]``, squared norms of all queries and keys; 0 for other forms than ``frobenius``.
    """

    def __init__(self, mixed: Tensor, total: Tensor, values: Tensor, squares: Tensor) -> None:
        self.parts = (mixed, total, values, squares)

    @classmethod
    def of(cls, q: Tensor | None, k: Tensor, v: Tensor, form: Form, real: Tensor | None = None) -> Sums:
        """The sums over one block: q, k ``[..., nodes, width]``, v ``[..., nodes, values]``.

        Only ``frobenius`` asks for q. Where ``real``, ``[..., nodes, 1]`` bool, is given, only nodes for which
        it is True count; q and v of others are 0.
        """
        keys = mapped(k, form) if real is None else mapped(k, form) * real
        squares = k.new_zeros(*k.shape[:-2], 2)
        if form == "frobenius":
            assert q is not None
            squares = torch.stack([each.square().sum((-1, -2)) for each in (q, k)], -1)
        return cls(keys.transpose(-1, -2) @ v, keys.sum(-2), v.sum(-2), squares)

    def __add__(self, other: Sums) -> Sums:
        """Sums over both blocks."""
        return Sums(*(a + b for a, b in zip(self.parts, other.parts, strict=True)))


def answer(q: Tensor, v: Tensor | None, sums: Sums, nodes: int | Tensor, form: Form) -> Tensor:
    """What a block of nodes is told, z ``[..., block, values]``.

    Args:
        q: ``[..., block, width]`` its queries.
        v: ``[..., block, values]`` its own values, which the forms in :data:`OWN` ask for.
        sums: over all nodes.
        nodes: how many those are, N; a tensor where graphs differ.
        form: which attention.

    Example:
        >>> q = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> v = torch.tensor([[3.0], [6.0]])
        >>> answer(q, v, Sums.of(q, q, v, "cosine"), 2, "cosine").tolist()  # weights 2 and 1 of 3
        [[3.99...], [4.99...]]
    """
    mixed, total, values, squares = sums.parts
    queries = mapped(q, form)
    if form == "slots":
        return queries @ (mixed / (total + TINY)[..., None])
    above, below = queries @ mixed, queries @ total[..., None]
    if form in OWN:
        assert v is not None
        if form == "frobenius":
            scale = squares.prod(-1).clamp_min(TINY * TINY).rsqrt()[..., None, None]
            above, below = above * scale, below * scale
        return (above + nodes * v) / (below + nodes)
    if form == "cosine":
        above, below = above + values[..., None, :], below + nodes
    return above / (below + TINY)
