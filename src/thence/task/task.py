"""What all tasks are: a net over a graph, fitted, asked and judged in the same way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import torch
from torch import Tensor, nn

from thence.base.errors import DataError, FitError
from thence.base.progress import Progress, silent
from thence.base.rng import derive_seed
from thence.encode.encoders import encoder_settings, make_encoder
from thence.encode.layer.view import View
from thence.graph import Arcs
from thence.task.config import TaskConfig
from thence.task.inputs import node_inputs, sparse_rows
from thence.task.loop import digest_of, learn
from thence.task.metric import LESS_IS_BETTER, METRICS, chosen


class Seen(Protocol):
    """What every task reads of a graph."""

    @property
    def arcs(self) -> Arcs:
        """The arcs that messages follow."""
        ...

    @property
    def x(self) -> Any:
        """``[num_nodes, inputs]`` float32 features, dense or sparse."""
        ...

    @property
    def graph_of(self) -> np.ndarray | None:
        """``[num_nodes]``, which graph each node is of."""
        ...


class Task(ABC):
    """The part of a task that does not depend on what is told.

    Args:
        config: its settings; the defaults when not given.
    """

    kind = ""

    def __init__(self, config: TaskConfig | None = None) -> None:
        self.config = config or TaskConfig()
        self.info: dict[str, Any] = {}
        self.inputs = self.placed = 0
        self._net: nn.ModuleDict | None = None
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._prepared: tuple[Any, Tensor, View] | None = None

    def fit(self, graph: Any, *, checkpoint: str | Path | None = None, progress: Progress = silent) -> Self:
        """Learn from what is to train on; the best step by what is to choose on is kept.

        Args:
            graph: the graph.
            checkpoint: a folder to write checkpoints to and to resume from.
            progress: told after each step.

        Returns:
            Itself.

        Raises:
            ConfigError: a setting does not fit, or there is nothing named to train on.
            FitError: there is nothing to train on, or the loss or the validation figure is not a number.
            ArtifactError: the checkpoint is torn or of another run.
        """
        self._net = None
        known = self._begin(graph)
        metric = chosen(self.config.metric, self.metrics)
        x, placed, told = node_inputs(graph.arcs, graph.x, self.config)
        self.build(x.shape[1], placed)
        self._take(graph, x, told)

        def judge() -> float:
            value = METRICS[metric](*self._scored(graph, "valid"))
            return -value if metric in LESS_IS_BETTER else value

        arrays = (graph.arcs.indptr, graph.arcs.targets, graph.arcs.weight, graph.x, *known.values())
        state = learn(
            self.net,
            self.config,
            lambda step: self._loss(graph, step),
            judge if self._has(graph, "valid") else None,
            signature=digest_of(self.config, arrays) if checkpoint else "",
            checkpoint=checkpoint,
            progress=progress,
        )
        best = state.best_step or state.step
        self.info |= {"metric": metric, "steps": state.step, "best_step": best, "history": state.history}
        return self

    def evaluate(self, graph: Any, part: str = "test") -> dict[str, float]:
        """Every figure that fits this task, on one split of a graph.

        Args:
            graph: the graph.
            part: ``train``, ``valid`` or ``test``.

        Raises:
            ConfigError: there is no such split.
            DataError: the graph's nodes are described otherwise than those of the fit.
            FitError: the task is not fitted.
        """
        self.net.eval()
        with torch.no_grad():
            y, scores = self._scored(graph, part)
        return {name: METRICS[name](y, scores) for name in self.metrics}

    @property
    def net(self) -> nn.ModuleDict:
        """The encoder and what stands on it.

        Raises:
            FitError: the task is not fitted.
        """
        if self._net is None:
            raise FitError(f"the {type(self).__name__} is not fitted", fix="Call fit, or load one.")
        return self._net

    def build(self, inputs: int, placed: int = 0) -> None:
        """Make the net, with start values from the seed.

        Args:
            inputs: width of what is known of a node.
            placed: how many of the last columns are positions; encoders that treat these apart are told.
        """
        config, self.inputs, self.placed = self.config, inputs, placed
        seed, settings = derive_seed(config.seed, "task", self.kind), dict(config.settings)
        if "positions" in encoder_settings(config.encoder):
            settings = {"positions": placed} | settings
        encoder: Any = make_encoder(config.encoder, inputs, settings, seed=seed)
        self._net = nn.ModuleDict({"encoder": encoder, **self._heads(encoder.dim, seed)})
        self._net.to(self.device)

    def prepare(self, graph: Seen) -> tuple[Tensor, View]:
        """Inputs and view of a graph, made once for the graph that was asked about last.

        Raises:
            DataError: the net takes another number of inputs.
        """
        if self._prepared is None or self._prepared[0] is not graph:
            x, _, told = node_inputs(graph.arcs, graph.x, self.config)
            if x.shape[1] != self.inputs:
                raise DataError(f"{x.shape[1]} inputs a node for a task that was fitted with {self.inputs}")
            return self._take(graph, x, told)
        return self._prepared[1:]

    def _take(self, graph: Seen, x: Tensor, told: str) -> tuple[Tensor, View]:
        """Keep inputs and view of a graph for the questions that follow."""
        self.info["inputs"] = told
        if getattr(self.net["encoder"], "sparse_inputs", False) and not self.config.batch:
            x = sparse_rows(x)
        view = View(graph.arcs, graph.graph_of).to(self.device)
        self._prepared = graph, x.to(self.device), view
        return self._prepared[1:]

    def save(self, folder: str | Path) -> None:
        """Write the fitted task as an artifact, which :func:`~thence.task.load_task` reads."""
        from thence.task.keep import save_task

        save_task(self, folder)

    @property
    @abstractmethod
    def metrics(self) -> tuple[str, ...]:
        """Names of the figures that fit, the default first."""

    @property
    @abstractmethod
    def told(self) -> Mapping[str, float]:
        """What is to be kept beside the net's parameters."""

    @abstractmethod
    def tell(self, told: Mapping[str, float]) -> None:
        """Take up what was kept."""

    @abstractmethod
    def _begin(self, graph: Any) -> Mapping[str, np.ndarray]:
        """Check a graph before the fit; returns what is known to learn from and to choose on."""

    @abstractmethod
    def _has(self, graph: Any, part: str) -> bool:
        """Whether there is something to judge on."""

    @abstractmethod
    def _heads(self, dim: int, seed: int) -> dict[str, nn.Module]:
        """What stands on the encoder."""

    @abstractmethod
    def _loss(self, graph: Any, step: int) -> Tensor:
        """The loss of one step."""

    @abstractmethod
    def _scored(self, graph: Any, part: str) -> tuple[np.ndarray, np.ndarray]:
        """Labels ``[m]`` and scores ``[m, outputs]`` of one split."""
