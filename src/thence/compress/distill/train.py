"""Teach a student: a closed-form start, then relational losses around anchors, in both roles of each.

The *cold* branch learns to answer for products as if nobody had bought them: an anchor's vectors come from its
words alone, while those around it have the teacher's. Some products are held out of its lessons; as many steps
are taken as serve these best, none if none does (then the student is its start). The *warm* branch then learns,
from words and position features, what is left between the cold branch and the teacher.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from thence.base.errors import DataError, FitError
from thence.base.progress import Progress, silent
from thence.base.rng import derive_seed, generator, torch_generator
from thence.compress.distill.config import DistillConfig
from thence.compress.distill.context import Context, Contexts, Role
from thence.compress.distill.loss import arc_loss, distribution_loss, likely_loss, matching_loss, ranking_loss
from thence.compress.distill.net import Branch
from thence.compress.distill.start import ANCHORS, K, Start, hit_share, ridge, start
from thence.compress.distill.student import Student, extended, outputs_of
from thence.compress.distill.teacher import factored
from thence.compress.distill.transform import ItemTransform
from thence.encode.embeddings import Embeddings
from thence.encode.known import check_fittable
from thence.encode.peer.low_rank import low_rank
from thence.encode.scorer import Scorer
from thence.graph import DiGraph

WARM_STRENGTH = 0.01


def fit_student(
    graph: DiGraph,
    teacher: Scorer,
    config: DistillConfig | None = None,
    *,
    position: np.ndarray | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Student:
    """Teach a student what a directed teacher knows, so that it answers without the graph.

    Nodes without arcs are never looked at: neither their words nor what the teacher says of them.

    Args:
        graph: the graph that the teacher was fitted to, with a catalogue.
        teacher: embeddings, or any scorer (see :func:`~thence.compress.distill.teacher.factored`).
        config: settings.
        position: ``[num_nodes, num]`` position features, for a warm branch; none without them.
        seed: of all that is random.
        progress: told after each step.

    Raises:
        DataError: the graph has no catalogue, the teacher knows other nodes, or the positions do not fit.
        FitError: the graph has no arcs, or the loss is not a number.

    Example:
        See :class:`~thence.compress.distill.student.Student`.
    """
    config = config or DistillConfig()
    check_fittable(graph)
    vectors = factored(teacher, dim=config.dim, seed=seed)
    _check(graph, vectors, position)
    warm = np.flatnonzero((graph.main.out_degree + graph.main.in_degree) > 0)
    assert graph.nodes is not None
    transform = ItemTransform.fit(graph.nodes.take(warm))
    rows: Any = transform.rows(graph.nodes.take(warm))
    width = min(config.words, len(warm), transform.num_features)
    project = low_rank(rows, width, seed)[2].T
    words = np.zeros((graph.num_nodes, project.shape[1]), np.float32)
    words[warm] = rows @ project
    shared = min(config.shared, words.shape[1])
    lesson = Lesson(graph, warm, words, shared, vectors, config, seed)
    cold, info = lesson.cold_branch(progress)
    near = None if position is None else lesson.warm_branch(cold, np.asarray(position, np.float32), progress)
    info |= {"config": asdict(config), "seed": seed, "teacher": dict(vectors.info)}
    return Student(transform, np.ascontiguousarray(project), cold.arrays(), near, shared, info)


def _check(graph: DiGraph, teacher: Embeddings, position: np.ndarray | None) -> None:
    if graph.nodes is None:
        raise DataError("the graph has no catalogue to teach a student on", where=repr(graph))
    if len(teacher.ids) != graph.num_nodes or teacher.ids != graph.ids:
        raise DataError("the teacher knows other nodes than the graph", where=f"{teacher!r}, {graph!r}")
    if position is not None and (np.ndim(position) != 2 or len(position) != graph.num_nodes):
        raise DataError(f"positions of shape {np.shape(position)} for {graph.num_nodes} nodes")
    if position is not None and not np.isfinite(position).all():
        raise DataError("a position is not finite")


@dataclass(frozen=True, eq=False)
class Lesson:
    """What is taught, and by which settings.

    Args:
        graph: the graph.
        warm: ``[W]`` nodes that have arcs.
        words: ``[num_nodes, words]`` latent words of these; zeros elsewhere.
        shared: of these, in the vectors themselves.
        teacher: its vectors.
        config: settings.
        seed: of all draws.
    """

    graph: DiGraph
    warm: np.ndarray
    words: np.ndarray
    shared: int
    teacher: Embeddings
    config: DistillConfig
    seed: int

    @property
    def arcs(self) -> Any:
        """``[W, W]`` sparse: arcs among the warm nodes, each 1."""
        matrix = sp.csr_matrix(self.graph.main.matrix() > 0)[self.warm][:, self.warm]
        return sp.csr_matrix(matrix, dtype=np.float32)

    def taught(self) -> np.ndarray:
        """``[W, 2 d + 1]``: source, target and bias of the warm nodes."""
        own, bias = self.teacher, self.teacher.bias
        assert bias is not None  # embeddings make zeros
        return np.concatenate([own.source, own.target, bias[:, None]], axis=1)[self.warm]

    def cold_branch(self, progress: Progress) -> tuple[Branch, dict[str, Any]]:
        """The branch that answers from words alone, and how it came about."""
        config, arcs = self.config, self.arcs
        begun = start(self.words[self.warm], self.taught(), arcs, shared=self.shared, seed=self.seed)
        info: dict[str, Any] = {"strength": begun.strength, "share": begun.share, "left_out_HR@10": begun.value}
        steps = 0
        if config.steps and len(self.warm) * config.held >= 1:
            chosen = generator(self.seed, "held").permutation(len(self.warm))
            held = np.zeros(len(self.warm), bool)
            held[chosen[: max(int(config.held * len(self.warm)), 1)]] = True
            steps, values = self._best_step(begun, held, arcs, progress)
            info |= {"held_HR@10": values}
        branch = self._start(begun, np.ones(len(self.warm), bool))
        if steps:
            self._teach(branch, self.words, None, self.warm, steps, "cold", progress)
        return branch, info | {"steps": steps}

    def warm_branch(self, cold: Branch, position: np.ndarray, progress: Progress) -> dict[str, np.ndarray]:
        """Arrays of the branch that adds what words and position tell of products with arcs.

        Of the closed form and what steps make of it, that is kept whose lists are most nearly the teacher's.
        """
        inputs = np.concatenate([self.words, position], axis=1)
        base = outputs_of(cold.arrays(), self.words)
        gap = self._wanted()[self.warm] - base[self.warm]
        weight, offset = ridge(inputs[self.warm], gap, WARM_STRENGTH)
        branch = Branch(weight, offset, hidden=self.config.hidden, seed=derive_seed(self.seed, "warm"))
        best = -1.0, branch.arrays()

        def judge(step: int) -> None:
            nonlocal best
            value = self._likeness(base[self.warm] + outputs_of(branch.arrays(), inputs[self.warm]))
            if value > best[0]:
                best = value, branch.arrays()

        judge(0)
        steps = self.config.steps
        self._teach(branch, inputs, torch.from_numpy(base), self.warm, steps, "warm", progress, judge)
        return best[1]

    def _likeness(self, outputs: np.ndarray) -> float:
        """Share of the teacher's lists that outputs ``[W, 2 (d + shared) + 1]`` find among its targets."""
        wanted = self._wanted()[self.warm]
        dim = wanted.shape[1] // 2
        some = generator(self.seed, "lists").permutation(len(wanted))[:ANCHORS]
        truth = wanted[some, :dim] @ wanted[:, dim:-1].T + wanted[:, -1]
        truth[np.arange(len(some)), some] = -np.inf
        k = min(K, len(wanted) - 1)
        right = np.zeros(truth.shape, bool)
        np.put_along_axis(right, np.argpartition(-truth, k - 1, axis=1)[:, :k], True, 1)
        return hit_share(outputs[some, :dim] @ wanted[:, dim:-1].T + wanted[:, -1], right, some)

    def _wanted(self) -> np.ndarray:
        """``[num_nodes, 2 (d + shared) + 1]``: what the published vectors of warm nodes are."""
        source, target, bias = extended(self.teacher, self.words[:, : self.shared])
        return np.concatenate([source, target, bias[:, None]], axis=1)

    def _start(self, begun: Start, learned: np.ndarray) -> Branch:
        """A branch at its closed form, fitted to some of the warm nodes."""
        words = self.words[self.warm[learned]]
        found = start(words, self.taught()[learned], None, shared=self.shared, fixed=begun)
        dim, inputs = self.teacher.dim, words.shape[1]
        like = np.eye(inputs, self.shared, dtype=np.float32)
        none = np.zeros(self.shared, np.float32)
        parts = np.split(found.weight, [dim, 2 * dim], axis=1)
        weight = np.concatenate([parts[0], found.share * like, parts[1], like, parts[2]], axis=1)
        parts = np.split(found.offset, [dim, 2 * dim])
        offset = np.concatenate([parts[0], none, parts[1], none, parts[2]])
        config = self.config
        return Branch(weight, offset, hidden=config.hidden, dropout=config.dropout, seed=self.seed)

    def _best_step(
        self, begun: Start, held: np.ndarray, arcs: Any, progress: Progress
    ) -> tuple[int, dict[str, float]]:
        """How many steps serve held-out products best, and what each number of steps reached."""
        branch = self._start(begun, ~held)
        wanted = self._wanted()[self.warm]
        dim = wanted.shape[1] // 2
        asked = np.flatnonzero(held & (np.diff(arcs.indptr) > 0))[:ANCHORS]
        right = arcs[asked].toarray() > 0
        values: dict[str, float] = {}

        def judge(step: int) -> None:
            source = outputs_of(branch.arrays(), self.words[self.warm[asked]])[:, :dim]
            scores = source @ wanted[:, dim:-1].T + wanted[:, -1]
            values[str(step)] = hit_share(scores, right, asked)

        judge(0)
        lessons = self.warm[~held]
        self._teach(branch, self.words, None, lessons, self.config.steps, "held", progress, judge)
        return int(max(values, key=lambda step: (values[step], -int(step)))), values

    def _teach(
        self,
        branch: Branch,
        inputs: np.ndarray,
        base: Tensor | None,
        anchors: np.ndarray,
        steps: int,
        name: str,
        progress: Progress,
        judge: Any = None,
    ) -> None:
        """Take some steps on a branch; ``base`` is what is added to what it says."""
        teaching = Teaching(self, branch, inputs, base, anchors, name)
        for step in range(steps):
            teaching.step(step)
            progress(f"{name} branch", step + 1, steps)
            if judge is not None and (step + 1) % self.config.every == 0:
                judge(step + 1)


class Teaching:
    """Steps on one branch; made by :class:`Lesson`."""

    def __init__(
        self,
        lesson: Lesson,
        branch: Branch,
        inputs: np.ndarray,
        base: Tensor | None,
        anchors: np.ndarray,
        name: str,
    ) -> None:
        self.lesson, self.branch, self.anchors, self.name = lesson, branch, anchors, name
        config, arcs = lesson.config, lesson.graph.main
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        branch.to(self.device)
        self.inputs = torch.from_numpy(inputs).to(self.device)
        self.base = None if base is None else base.to(self.device)
        wanted = lesson._wanted()
        dim = wanted.shape[1] // 2
        self.source, self.target, self.bias = (
            torch.from_numpy(np.ascontiguousarray(part)).to(self.device)
            for part in (wanted[:, :dim], wanted[:, dim:-1], wanted[:, -1])
        )
        self.own = lesson.teacher.dim
        self.contexts = Contexts(
            arcs,
            anchors,
            walks=config.walks,
            length=config.length,
            random=config.random,
            seed=derive_seed(lesson.seed, "contexts", name),
        )
        self.leads = {
            "source": anchors[arcs.out_degree[anchors] > 0],
            "target": anchors[arcs.in_degree[anchors] > 0],
        }
        decay = config.weight_decay
        self.optimizer = torch.optim.AdamW(branch.parameters(), lr=config.learning_rate, weight_decay=decay)
        self.temperature = self._temperature()

    def step(self, step: int) -> float:
        """One step over anchors in both roles; returns the loss."""
        total = torch.zeros((), device=self.device)
        for role in ("source", "target"):
            if len(self.leads[role]):
                total = total + self._loss(role, step)
        if not torch.isfinite(total):
            raise FitError(f"the loss is {total.item()} at step {step}", fix="Lower the learning rate.")
        rate = self.lesson.config.learning_rate * min(1.0, (step + 1) / 20)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad()
        total.backward()
        self.optimizer.step()
        return total.item()

    def _loss(self, role: Role, step: int) -> Tensor:
        config, seed = self.lesson.config, self.lesson.seed
        pool = self.leads[role]
        chosen = generator(seed, self.name, role, step).choice(
            pool, min(config.anchors, len(pool)), replace=False
        )
        context = self.contexts.draw(chosen, role, step)
        at = torch.from_numpy(chosen).to(self.device)
        outputs = self.branch(self.inputs[at], torch_generator(seed, self.name, "drop", role, step))
        if self.base is not None:
            outputs = outputs + self.base[at]
        student, teacher = self._scores(outputs, at, role, context)
        mask = torch.from_numpy(context.mask).to(self.device)
        found = torch.from_numpy(context.arcs).to(self.device)
        student, teacher = student / self.temperature, teacher / self.temperature
        loss = config.distribution * distribution_loss(student, teacher, mask)
        if config.ranking:
            loss = loss + config.ranking * ranking_loss(student, teacher, mask)
        if config.arcs and config.arcs_by == "softmax":
            share = found / found.sum(1, keepdim=True).clamp_min(1)
            loss = loss + config.arcs * likely_loss(student, share, mask)
        elif config.arcs:
            loss = loss + config.arcs * arc_loss(student, found, mask)
        return loss + config.matching * self._match(outputs, at, role)

    def _scores(self, outputs: Tensor, at: Tensor, role: Role, context: Context) -> tuple[Tensor, Tensor]:
        """Scores ``[B, C]`` of the arcs between anchors and their contexts: the student's and the teacher's."""
        dim, own = self.source.shape[1], self.own
        nodes = torch.from_numpy(context.nodes).to(self.device)
        if role == "source":
            other, bias = self.target[nodes], self.bias[nodes]
            anchor, truth = outputs[:, :dim], self.source[at]
        else:
            other, bias = self.source[nodes], 0.0
            anchor, truth = outputs[:, dim:-1], self.target[at]
        student = torch.einsum("bd,bcd->bc", anchor, other) + bias
        teacher = torch.einsum("bd,bcd->bc", truth[:, :own], other[..., :own]) + bias
        return student, teacher

    def _match(self, outputs: Tensor, at: Tensor, role: Role) -> Tensor:
        dim, own, cosine = self.source.shape[1], self.own, self.lesson.config.cosine
        if role == "source":
            return matching_loss(outputs[:, :own], self.source[at, :own], cosine=cosine)
        gap = outputs[:, -1] - self.bias[at]
        spread = self.bias.var().clamp_min(1e-6)
        vectors = matching_loss(outputs[:, dim : dim + own], self.target[at, :own], cosine=cosine)
        return vectors + (gap.square() / spread).mean()

    def _temperature(self) -> float:
        """The spread of the teacher's scores over contexts, the unit that losses are taken in."""
        pool = self.leads["source"] if len(self.leads["source"]) else self.anchors
        chosen = pool[: self.lesson.config.anchors]
        context = self.contexts.draw(chosen, "source", 0)
        at = torch.from_numpy(chosen).to(self.device)
        blank = torch.zeros(len(chosen), 2 * self.source.shape[1] + 1, device=self.device)
        teacher = self._scores(blank, at, "source", context)[1]
        scores = teacher[torch.from_numpy(context.mask).to(self.device)]
        return max(float(scores.std()) / 2, 1e-6) if len(scores) > 1 else 1.0
