"""Classes or values of nodes, or of whole graphs, from some that are known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from thence.base.errors import DataError, FitError
from thence.base.rng import torch_generator
from thence.encode.layer.linear import linear
from thence.encode.layer.view import View
from thence.graph.labelled import LabelledGraph
from thence.task.batches import batch_of
from thence.task.inputs import LOG
from thence.task.metric import metrics_of
from thence.task.pool import pooled
from thence.task.task import Task


class LabelTask(Task):
    """Tells the class or the value of each node or, where a graph's labels are of graphs, of each graph.

    The encoder's rows, for graphs their mean, sum or maximum over the nodes, go through one linear map. Classes
    are learned by cross entropy; values by their absolute error, in standard deviations of those to train on.
    Labels that are not known are neither trained on nor judged; classes that no label to train on has are told
    in ``info["unseen_classes"]`` and in the log.

    Args:
        config: settings; the defaults when not given.

    Example:
        >>> from thence.graph import Arcs
        >>> from thence.task import TaskConfig
        >>> arcs = Arcs.from_pairs([0, 1, 3, 4], [1, 2, 4, 5], num_nodes=6)
        >>> x = np.repeat(np.eye(2, dtype=np.float32), 3, axis=0)
        >>> parts = {"train": np.array([0, 3]), "valid": np.array([1, 4]), "test": np.array([2, 5])}
        >>> graph = LabelledGraph(arcs, x, np.repeat([0, 1], 3), parts)
        >>> task = LabelTask(TaskConfig(steps=30)).fit(graph)
        >>> task.evaluate(graph)["accuracy"], task.predict(graph).argmax(axis=1).tolist()
        (1.0, [0, 0, 0, 1, 1, 1])
        >>> task.encode(graph).shape
        (6, 64)
    """

    kind = "labels"
    of_graphs = False
    num_classes = 0
    shift, scale = 0.0, 1.0

    def encode(self, graph: LabelledGraph) -> np.ndarray:
        """``[num_nodes, dim]`` or ``[num_graphs, dim]`` float32: what the net makes of each node or graph.

        Raises:
            DataError: the graph's nodes are described otherwise than those of the fit.
            FitError: the task is not fitted.
        """
        self.net.eval()
        with torch.no_grad():
            return self._rows(*self.prepare(graph)).numpy(force=True)

    def predict(self, graph: LabelledGraph) -> np.ndarray:
        """Probabilities of classes ``[rows, num_classes]``, or values ``[rows]``, of all nodes or graphs.

        Raises:
            DataError: the graph's nodes are described otherwise than those of the fit.
            FitError: the task is not fitted.
        """
        self.net.eval()
        with torch.no_grad():
            out = self._out(*self.prepare(graph))
        if self.num_classes:
            return out.softmax(dim=1).numpy(force=True)
        return self._scores(out)[:, 0]

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the figures that fit, the default first."""
        return metrics_of(self.num_classes)

    @property
    def told(self) -> Mapping[str, float]:
        """What the labels are, and how values are scaled."""
        return {
            "of_graphs": self.of_graphs,
            "num_classes": self.num_classes,
            "shift": self.shift,
            "scale": self.scale,
        }

    def tell(self, told: Mapping[str, float]) -> None:
        """Take up what was kept."""
        self.of_graphs, self.num_classes = bool(told["of_graphs"]), int(told["num_classes"])
        self.shift, self.scale = float(told["shift"]), float(told["scale"])

    def _begin(self, graph: LabelledGraph) -> Mapping[str, np.ndarray]:
        train = graph.part("train")
        if not len(train):
            raise FitError("no label to train on is known")
        self.of_graphs, self.num_classes = graph.told == "graphs", graph.num_classes
        if self.num_classes:
            missing = np.setdiff1d(np.arange(self.num_classes), graph.y[train]).tolist()
            self.info["unseen_classes"] = missing
            if missing:
                LOG.warning("classes without a label to train on: %s", missing)
        else:
            values = graph.y[train].astype(np.float64)
            self.shift, self.scale = float(values.mean()), float(values.std()) or 1.0
        return {"y": graph.y, **graph.splits}

    def _has(self, graph: LabelledGraph, part: str) -> bool:
        return part in graph.splits and len(graph.part(part)) > 0

    def _heads(self, dim: int, seed: int) -> dict[str, nn.Module]:
        return {"head": linear(dim, self.num_classes or 1, torch_generator(seed, "head"))}

    def _rows(self, x: Tensor, view: View) -> Tensor:
        rows = self.net["encoder"](x, view)
        return pooled(rows, view, self.config.pool) if self.of_graphs else rows

    def _out(self, x: Tensor, view: View) -> Tensor:
        return self.net["head"](self._rows(x, view))

    def _scores(self, out: Tensor) -> np.ndarray:
        scores = out.numpy(force=True)
        return scores if self.num_classes else scores * self.scale + self.shift

    def _loss(self, graph: LabelledGraph, step: int) -> Tensor:
        x, view = self.prepare(graph)
        if not self.config.batch:
            rows = graph.part("train")
            return self._error(self._out(x, view)[rows], graph.y[rows])
        batch = batch_of(graph, self.config.batch, self.config.seed, step)
        out = self._out(x[torch.from_numpy(batch.nodes).to(x.device)], batch.view.to(x.device))
        if not len(batch.rows):
            return out.sum() * 0
        return self._error(out[batch.places], graph.y[batch.rows])

    def _error(self, out: Tensor, y: np.ndarray) -> Tensor:
        truth = torch.from_numpy(y).to(out.device)
        if self.num_classes:
            return functional.cross_entropy(out, truth)
        return functional.l1_loss(out[:, 0], (truth - self.shift) / self.scale)

    def _scored(self, graph: LabelledGraph, part: str) -> tuple[np.ndarray, np.ndarray]:
        rows = graph.part(part)
        if self.num_classes and graph.y[rows].max(initial=0) >= self.num_classes:
            raise DataError(f"a class beyond the {self.num_classes} of the fit")
        out = self._out(*self.prepare(graph))[torch.from_numpy(rows).to(self.device)]
        return graph.y[rows], self._scores(out)
