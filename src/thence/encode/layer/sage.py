"""GraphSAGE with means: a node's own row and the mean of the rows it looks at, each by weights of its own.

H = X W_own + mean(A) X W_seen + b          mean(A): rows of A scaled to sum to one, or empty

With ``loops`` it is mean(A + I): the node is one of those of whom the mean is taken, as in public scripts that
add loops to a graph beforehand.
"""

from __future__ import annotations

from torch import Tensor, nn

from thence.base.rng import torch_generator
from thence.encode.layer.linear import linear, mapped
from thence.encode.layer.view import Scale, View, Way


class SAGE(nn.Module):
    """One layer of GraphSAGE.

    Args:
        inputs: width of the rows it takes.
        outputs: width of the rows it gives.
        way: where each node looks, as :class:`~thence.encode.layer.view.View` has it.
        itself: whether a node looks at itself too, by weights of its own.
        loops: whether it is one of those of whom the mean is taken.
        seed: from which the start values are drawn.

    Example:
        >>> import torch
        >>> from thence.graph import Arcs
        >>> view = View(Arcs.from_pairs([0, 1], [1, 2], num_nodes=3))
        >>> SAGE(4, 8)(torch.ones(3, 4), view).shape
        torch.Size([3, 8])

    References:
        Hamilton, Ying, Leskovec, "Inductive Representation Learning on Large Graphs", NIPS 2017, algorithm 1
        with the mean aggregator; the weights of [own, seen] are written as two.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        way: Way = "into",
        itself: bool = True,
        loops: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.way: Way = way
        self.scale: Scale = "mean_loops" if loops else "mean"
        self.seen = linear(inputs, outputs, torch_generator(seed, "sage", "seen"))
        own = torch_generator(seed, "sage", "own")
        self.own = linear(inputs, outputs, own, bias=False) if itself else None

    def forward(self, x: Tensor, view: View) -> Tensor:
        """Rows ``[n, outputs]`` of rows ``[n, inputs]``."""
        seen = mapped(view.matrix(self.scale, self.way), x, self.seen) + self.seen.bias
        return seen if self.own is None else seen + self.own(x)
