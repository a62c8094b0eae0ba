"""What learned history methods share: padded histories in, one unit vector a history out.

    score(history → j) = e^temperature · ⟨ h / ‖h‖, t_j / ‖t_j‖ ⟩ + bias_j

Lengths carry no meaning: an item that was seen often does not score high because its vector is long (Gupta et
al., NISER, 2019); what popularity is worth is in the bias alone.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from thence.base.ids import IdMap
from thence.encode.history.data import HistoryBatch, padded
from thence.events.datasets.sessions import Sessions
from thence.graph import DiGraph

ROWS = 512


class HistoryModel(nn.Module):
    """A module that gives a vector for every beginning of every history at once.

    Args:
        num_items: how many items there are.
        longest: items of a history that are looked at, the latest.
    """

    def __init__(self, num_items: int, longest: int) -> None:
        super().__init__()
        self.longest = longest
        self.bias = nn.Parameter(torch.zeros(num_items))
        self.temperature = nn.Parameter(torch.tensor(2.5))

    @abstractmethod
    def states(self, items: Tensor, inside: Tensor) -> Tensor:
        """Vectors ``[P, dim]`` of the histories that end at each place of a rectangle, row after row.

        Args:
            items: ``[B, T]`` int64.
            inside: ``[B, T]`` bool, true at P places: up to the end of each row.
        """

    @abstractmethod
    def targets(self, nodes: Tensor | None = None) -> Tensor:
        """Vectors ``[n, dim]`` of items as what comes next; of all when no nodes are given."""

    def around(self, batch: HistoryBatch) -> tuple[Tensor, Tensor, Tensor, HistoryBatch]:
        """Source vectors of a batch's histories, target vectors and biases of its candidates."""
        device = self.bias.device
        items, last, nodes = (
            torch.from_numpy(array).to(device) for array in (batch.items, batch.last, batch.candidates)
        )
        source = self.temperature.exp() * normalize(self.states(items, within(items, last)), dim=-1)
        return source, normalize(self.targets(nodes), dim=-1), self.bias[nodes], batch

    def scorer(self, graph: DiGraph, info: dict[str, Any]) -> HistoryVectors:
        """What was learned, as a scorer."""
        return HistoryVectors(graph.ids, self)


def within(items: Tensor, last: Tensor) -> Tensor:
    """``[B, T]`` bool: the places up to each row's last.

    Example:
        >>> within(torch.zeros(2, 3), torch.tensor([0, 2])).tolist()
        [[True, False, False], [True, True, True]]
    """
    return torch.arange(items.shape[1], device=items.device) <= last[:, None]


def spread(packed: Tensor, inside: Tensor, heads: int) -> Tensor:
    """Vectors ``[P, dim]`` of the places inside as ``[B, heads, T, dim / heads]``, 0 elsewhere."""
    whole = packed.new_zeros((*inside.shape, packed.shape[-1]))
    whole[inside] = packed
    return whole.unflatten(-1, (heads, -1)).transpose(1, 2)


@dataclass(frozen=True, eq=False)
class HistoryVectors:
    """A learned model as a scorer: one vector a history, an inner product with every target.

    Args:
        ids: external id of each item.
        model: the model, in its evaluation mode.
    """

    ids: IdMap
    model: HistoryModel

    def sources(self, histories: Sessions) -> np.ndarray:
        """Vectors ``[len(histories), dim]`` float32 that are to be looked up among the targets."""
        found, device = [], self.model.bias.device
        with torch.no_grad():
            for begin in range(0, len(histories), ROWS):
                block = histories.slice(begin, min(begin + ROWS, len(histories)))
                items, last = padded(block, self.model.longest)
                rows, ends = torch.from_numpy(items).to(device), torch.from_numpy(last).to(device)
                states = self.model.states(rows, within(rows, ends))
                own = normalize(states[(ends + 1).cumsum(0) - 1], dim=-1)
                found.append((self.model.temperature.exp() * own).numpy(force=True))
        return np.concatenate([np.zeros((0, self.targets.shape[1]), np.float32), *found])

    @property
    def targets(self) -> np.ndarray:
        """Vectors ``[num_items, dim]`` float32 of the items as what comes next."""
        with torch.no_grad():
            return normalize(self.model.targets(), dim=-1).numpy(force=True)

    @property
    def bias(self) -> np.ndarray:
        """``[num_items]`` float32."""
        return self.model.bias.numpy(force=True)

    def scores(self, histories: Sessions) -> np.ndarray:
        """Scores ``[len(histories), num_items]`` float32."""
        return self.sources(histories) @ self.targets.T + self.bias
