"""GLNN's public setting: nodes are classified by a student of a graph network, without the graph.

The production setting (Zhang, Liu, Sun, Shah, ICLR 2022, section 5): 20 labelled nodes of each class to learn
from, 30 to choose on, the rest to test; a fifth of the test nodes is not in the graph that is taught on.
Accuracy is .8 of that on the test nodes that are and .2 of that on those that are not. Cora-ML and CiteSeer
here are Bojchevski and Günnemann's, with 2,995 and 3,264 nodes: not the Planetoid graphs of the paper, so its
figures (Cora: teacher 79.29, MLP 58.98, student 78.28; CiteSeer 68.38, 59.81, 69.27) are for orientation, and
what is held to is the gap between student and teacher.
"""

from __future__ import annotations

from argparse import Namespace

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn
from torch.nn import functional

from common import over_seeds, say
from parts.related_data import folder
from thence.base.rng import derive_seed, generator
from thence.compress.distill.loss import label_loss
from thence.encode.propagate import SparseMatrix

DATA = ("cora_ml", "citeseer")
LABELLED, CHOSEN_ON, UNSEEN = 20, 30, 0.2
EPOCHS, PATIENCE, HIDDEN = 200, 40, 128
TEACHERS = (0.6, 5e-4)
STUDENTS = ((0.6, 5e-4), (0.6, 0.0), (0.2, 0.0))
"""Dropout and weight decay; those of models without the graph are chosen on the nodes to choose on."""


def glnn(arguments: Namespace) -> dict[str, float]:
    """Accuracy of the teacher, of an MLP without one, and of the student."""
    torch.set_num_threads(1)
    figures: dict[str, float] = {}
    for name in [name for name in arguments.data or DATA if name in DATA]:
        runs = []
        for seed in range(arguments.seeds):
            runs.append(one_seed(name, seed))
            say(f"  {name} seed {seed}: " + ", ".join(f"{key} {value:.4f}" for key, value in runs[-1].items()))
        figures |= {f"{name}.glnn.{key}": value for key, value in over_seeds(runs).items()}
    return figures


def one_seed(name: str, seed: int) -> dict[str, float]:
    """One division of the nodes."""
    x, y, adjacency = load(name)
    part = divided(y, seed)
    seen = part != 3
    inside = sp.diags(seen.astype(float)) @ adjacency @ sp.diags(seen.astype(float))
    truth = torch.from_numpy(y)
    near, whole = SparseMatrix(normalised(inside)), SparseMatrix(normalised(adjacency))
    features = SparseMatrix(x)
    with torch.random.fork_rng([]):
        torch.manual_seed(derive_seed(seed, "glnn"))
        teacher = Layers(x.shape[1], int(y.max()) + 1, near, TEACHERS[0])
        learn(
            teacher,
            features,
            lambda out: functional.cross_entropy(out[part == 0], truth[part == 0]),
            truth,
            part,
            TEACHERS[1],
        )
        teacher.eval()
        with torch.no_grad():
            soft = teacher(features)
            teacher.near = whole
            answers = {"teacher": teacher(features)}
        taught = torch.from_numpy(seen)
        labelled = torch.from_numpy(part == 0)[taught]
        for method in ("mlp", "student"):
            if method == "mlp":
                loss = lambda out: functional.cross_entropy(out[part == 0], truth[part == 0])  # noqa: E731
            else:
                loss = lambda out: label_loss(out[taught], soft[taught], truth[taught], labelled, 0.0)  # noqa: E731
            best = -1.0
            for dropout, decay in STUDENTS:
                model = Layers(x.shape[1], int(y.max()) + 1, None, dropout)
                reached = learn(model, features, loss, truth, part, decay)
                if reached > best:
                    best = reached
                    with torch.no_grad():
                        answers[method] = model(features)
    found = {}
    for method, out in answers.items():
        right = (out.argmax(1) == truth).numpy()
        found[f"{method}.accuracy"] = (1 - UNSEEN) * right[part == 2].mean() + UNSEEN * right[part == 3].mean()
        found[f"{method}.accuracy_unseen"] = float(right[part == 3].mean())
    return found | {
        "student.points_over_teacher": 100 * (found["student.accuracy"] - found["teacher.accuracy"])
    }


def load(name: str) -> tuple[sp.csr_matrix, np.ndarray, sp.csr_matrix]:
    """Words, classes and the undirected graph of one data set."""
    file = np.load(folder() / f"{name}.npz", allow_pickle=False)
    made = []
    for key in ("attr_matrix", "adj_matrix"):
        parts = tuple(file[f"{key}.{part}"] for part in ("data", "indices", "indptr"))
        made.append(sp.csr_matrix(parts, shape=tuple(file[f"{key}.shape"])))
    words, arcs = made
    words.data[:] = 1.0
    scale = sp.diags(1 / np.maximum(np.asarray(words.sum(axis=1)).ravel(), 1))
    both = ((arcs + arcs.T) > 0).astype(np.float64)
    return sp.csr_matrix(scale @ words), file["labels"].astype(np.int64), sp.csr_matrix(both)


def divided(y: np.ndarray, seed: int) -> np.ndarray:
    """``[n]``: 0 labelled, 1 to choose on, 2 tested and in the graph, 3 tested and not in it."""
    draw = generator(seed, "glnn", "parts")
    part = np.full(len(y), 2)
    for kind in range(int(y.max()) + 1):
        own = draw.permutation(np.flatnonzero(y == kind))
        part[own[:LABELLED]] = 0
        part[own[LABELLED : LABELLED + CHOSEN_ON]] = 1
    rest = draw.permutation(np.flatnonzero(part == 2))
    part[rest[: int(UNSEEN * len(rest))]] = 3
    return part


def normalised(adjacency: sp.csr_matrix) -> sp.csr_matrix:
    """D^-½ (A + I) D^-½ (Kipf and Welling, ICLR 2017)."""
    looped = adjacency + sp.identity(adjacency.shape[0])
    root = sp.diags(1 / np.sqrt(np.asarray(looped.sum(axis=1)).ravel()))
    return sp.csr_matrix(root @ looped @ root)


class Layers(nn.Module):
    """Two layers; over the graph a GCN, without it an MLP."""

    def __init__(self, inputs: int, classes: int, near: SparseMatrix | None, dropout: float) -> None:
        super().__init__()
        self.near, self.dropout = near, dropout
        self.first = nn.Parameter(nn.init.xavier_uniform_(torch.empty(inputs, HIDDEN)))
        self.second = nn.Linear(HIDDEN, classes)

    def forward(self, features: SparseMatrix) -> Tensor:
        """Logits ``[n, classes]``."""
        inner = features(self.first)
        inner = functional.dropout(functional.relu(self._looked(inner)), self.dropout, self.training)
        return self._looked(self.second(inner))

    def _looked(self, x: Tensor) -> Tensor:
        return x if self.near is None else self.near(x)


def learn(
    model: Layers, features: SparseMatrix, loss: object, truth: Tensor, part: np.ndarray, decay: float
) -> float:
    """Adam, stopped and put back by the accuracy on the nodes to choose on, which is returned."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=decay)
    best, kept, waited = -1.0, {}, 0
    chosen = torch.from_numpy(part == 1)
    for _ in range(EPOCHS):
        model.train()
        value = loss(model(features))  # type: ignore[operator]
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        model.eval()
        with torch.no_grad():
            reached = float((model(features)[chosen].argmax(1) == truth[chosen]).float().mean())
        waited += 1
        if reached > best:
            best, waited = reached, 0
            kept = {key: tensor.detach().clone() for key, tensor in model.state_dict().items()}
        if waited >= PATIENCE:
            break
    model.load_state_dict(kept)
    model.eval()
    return best
