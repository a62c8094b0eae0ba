"""Arcs that are hidden, from those that are seen, in their direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from thence.base.errors import ConfigError, FitError
from thence.base.ids import IdMap
from thence.base.rng import derive_seed, torch_generator
from thence.encode.embeddings import Embeddings
from thence.encode.layer.linear import linear
from thence.graph import Arcs
from thence.graph.labelled import LabelledGraph
from thence.graph.negative import Negatives, ReversedNegatives, UniformNegatives
from thence.graph.split import split_arcs
from thence.task.batches import dealt
from thence.task.metric import OF_ARCS
from thence.task.task import Task


@dataclass(frozen=True, eq=False, repr=False)
class ArcGraph:
    """A graph some of whose arcs are hidden, to be told from pairs that are no arcs.

    Args:
        arcs: the arcs that are seen: messages follow them, and scores are learned from them.
        x: ``[num_nodes, inputs]`` float32 features, dense or sparse.
        hidden: arcs ``[2, m]`` by the name of their split, ``valid`` and ``test``.
        absent: pairs ``[2, m]`` that are no arcs, by the same names.

    Example:
        >>> arcs = Arcs.from_pairs(np.arange(20), np.arange(1, 21), num_nodes=21)
        >>> ArcGraph.hiding(arcs, np.zeros((21, 0), np.float32))
        ArcGraph(21 nodes, 15 arcs seen, 1 of valid, 4 of test hidden)
    """

    arcs: Arcs
    x: Any
    hidden: Mapping[str, np.ndarray]
    absent: Mapping[str, np.ndarray]
    graph_of: None = None

    @classmethod
    def hiding(
        cls, arcs: Arcs, x: Any, fractions: tuple[float, float, float] = (0.75, 0.05, 0.2), *, seed: int = 0
    ) -> ArcGraph:
        """Hide arcs at random, and draw an absent pair from the source of each.

        Args:
            arcs: the whole relation.
            x: features.
            fractions: shares that are seen, to choose on and to test.
            seed: of the draws.

        Raises:
            ConfigError: the fractions do not add up to 1.
        """
        split = split_arcs(arcs, fractions, seed=seed)
        hidden = {"valid": split.valid.pairs, "test": split.test.pairs}
        absent = {}
        for step, (part, pairs) in enumerate(hidden.items()):
            drawn = UniformNegatives(arcs, 1, seed=derive_seed(seed, "absent"))
            absent[part] = _filled(drawn.draw(*pairs, step=step))
        return cls(split.train, x, hidden, absent)

    def __repr__(self) -> str:
        """One line with the counts."""
        hidden = ", ".join(f"{pairs.shape[1]:,} of {part}" for part, pairs in self.hidden.items())
        return f"ArcGraph({self.arcs.num_nodes:,} nodes, {self.arcs.num_arcs:,} arcs seen, {hidden} hidden)"


class ArcTask(Task):
    """Tells which ordered pairs are arcs.

    The encoder's rows go through two linear maps, one for each role of a node, and the score of an arc i → j is
    ⟨source[i], target[j]⟩. Each arc that is seen is set against a pair with another target and, where it leads
    one way, against its reverse.

    Args:
        config: settings; the defaults when not given.

    Example:
        >>> from thence.task import TaskConfig
        >>> ring = Arcs.from_pairs(np.arange(12), np.roll(np.arange(12), -1), num_nodes=12)
        >>> x = np.eye(12, dtype=np.float32)
        >>> graph = ArcGraph(ring, x, {"test": ring.pairs}, {"test": ring.pairs[::-1]})
        >>> task = ArcTask(TaskConfig(steps=100, settings={"dropout": 0.0})).fit(graph)
        >>> task.evaluate(graph)["auc"]
        1.0
        >>> task.encode(graph)
        Embeddings(12 nodes, dim 64)
    """

    kind = "arcs"

    def encode(self, graph: ArcGraph | LabelledGraph, ids: IdMap | None = None) -> Embeddings:
        """A source and a target vector of each node.

        Args:
            graph: the graph.
            ids: external ids of its nodes; their numbers when not given.

        Raises:
            DataError: the graph's nodes are described otherwise than those of the fit.
            FitError: the task is not fitted.
        """
        self.net.eval()
        with torch.no_grad():
            source, target = (rows.numpy(force=True) for rows in self._roles(graph))
        named = ids or IdMap([str(node) for node in range(graph.arcs.num_nodes)])
        return Embeddings(named, source, target, info={"encoder": self.config.encoder})

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the figures that fit, the default first."""
        return OF_ARCS

    @property
    def told(self) -> Mapping[str, float]:
        """Nothing."""
        return {}

    def tell(self, told: Mapping[str, float]) -> None:
        """Nothing is kept beside the net."""

    def _begin(self, graph: ArcGraph) -> Mapping[str, np.ndarray]:
        if not graph.arcs.num_arcs:
            raise FitError("no arc to train on is seen")
        self._drawn = (
            UniformNegatives(graph.arcs, 1, seed=derive_seed(self.config.seed, "absent")),
            ReversedNegatives(graph.arcs),
        )
        pairs = [*graph.hidden.values(), *graph.absent.values()]
        return {str(place): part for place, part in enumerate(pairs)}

    def _has(self, graph: ArcGraph, part: str) -> bool:
        return part in graph.hidden and graph.hidden[part].shape[1] > 0

    def _heads(self, dim: int, seed: int) -> dict[str, nn.Module]:
        return {role: linear(dim, dim, torch_generator(seed, role)) for role in ("source", "target")}

    def _roles(self, graph: Any) -> tuple[Tensor, Tensor]:
        rows = self.net["encoder"](*self.prepare(graph))
        return self.net["source"](rows), self.net["target"](rows)

    def _loss(self, graph: ArcGraph, step: int) -> Tensor:
        sources, targets = self._roles(graph)
        arcs = graph.arcs.pairs[:, dealt(graph.arcs.num_arcs, self.config.batch, self.config.seed, step)]
        present = _products(sources, targets, arcs)
        absent = [_products(sources, targets, _filled(drawn.draw(*arcs, step=step))) for drawn in self._drawn]
        return softplus(-present).mean() + sum(softplus(part).sum() for part in absent) / len(present)

    def _scored(self, graph: ArcGraph, part: str) -> tuple[np.ndarray, np.ndarray]:
        if part not in graph.hidden or part not in graph.absent:
            raise ConfigError(f"no split {part!r}; there are: {', '.join(graph.hidden) or 'none'}")
        pairs = np.concatenate([graph.hidden[part], graph.absent[part]], axis=1)
        y = np.repeat([1, 0], [graph.hidden[part].shape[1], graph.absent[part].shape[1]])
        sources, targets = self._roles(graph)
        scores = _products(sources, targets, pairs).numpy(force=True)
        return y, np.stack([np.zeros_like(scores), scores], axis=1)


def _products(sources: Tensor, targets: Tensor, pairs: np.ndarray) -> Tensor:
    source, target = torch.from_numpy(np.ascontiguousarray(pairs)).to(sources.device)
    return (sources[source] * targets[target]).sum(dim=1)


def _filled(found: Negatives) -> np.ndarray:
    """Pairs ``[2, m]`` of those that were found."""
    return np.stack([found.source, found.nodes[:, 0]])[:, found.filled[:, 0]]
