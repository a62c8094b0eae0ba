"""What a student is taught keeps direction; students that lost it do not pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.compress.distill.world import KINDS, shop

from thence.base.progress import silent
from thence.compress import DistillConfig, heuristic_teacher
from thence.compress.distill.context import Context, Contexts, Role
from thence.compress.distill.net import Branch
from thence.compress.distill.train import Lesson

GRAPH, KIND, COLD = shop()
WARM = np.flatnonzero(~COLD)
WORDS = (np.eye(KINDS, dtype=np.float32)[KIND]) * (~COLD[:, None])
TEACHER = heuristic_teacher(GRAPH, "arcs", dim=6)
CONFIG = DistillConfig(words=KINDS, shared=0, steps=80, anchors=64, hidden=16, learning_rate=0.02, dropout=0.0)
LOSSES = ("distribution", "ranking", "matching", "arcs")


def taught(config: DistillConfig) -> tuple[np.ndarray, np.ndarray]:
    """Sources and targets of each kind, learned from nothing by the losses alone."""
    lesson = Lesson(GRAPH, WARM, WORDS, 0, TEACHER, config, 0)
    outputs = 2 * TEACHER.dim + 1
    blank = np.zeros((KINDS, outputs), np.float32), np.zeros(outputs, np.float32)
    branch = Branch(*blank, hidden=config.hidden)
    lesson._teach(branch, WORDS, None, WARM, config.steps, "cold", silent)
    with torch.no_grad():
        found = branch(torch.eye(KINDS)).numpy()
    return found[:, : TEACHER.dim], found[:, TEACHER.dim : -1]


def keeps_direction(source: np.ndarray, target: np.ndarray) -> bool:
    """Each kind leads to the next more than to the one before: among known products, and among new ones."""
    kinds = np.arange(KINDS)
    after, before = (kinds + 1) % KINDS, (kinds - 1) % KINDS
    known = np.stack([TEACHER.target[WARM][KIND[WARM] == k].mean(0) for k in kinds])
    origin = np.stack([TEACHER.source[WARM][KIND[WARM] == k].mean(0) for k in kinds])
    for scores in (source @ known.T, origin @ target.T, source @ target.T):
        if not (scores[kinds, after] > scores[kinds, before] + 0.1 * scores.max()).all():
            return False
    return True


@pytest.mark.parametrize("alone", LOSSES)
def test_each_loss_teaches_direction_by_itself(alone: str) -> None:
    weights = {name: float(name == alone) for name in LOSSES}
    assert keeps_direction(*taught(replace(CONFIG, **weights)))


@pytest.mark.parametrize("other", [{"arcs": 1.0, "arcs_by": "logistic"}, {"matching": 1.0, "cosine": True}])
def test_the_other_forms_of_arcs_and_matching_teach_it_too(other: dict[str, Any]) -> None:
    weights: dict[str, Any] = dict.fromkeys(LOSSES, 0.0) | other
    assert keeps_direction(*taught(replace(CONFIG, **weights)))


def tied(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Branch.forward

    def forward(self: Branch, x: torch.Tensor, drop: torch.Generator | None = None) -> torch.Tensor:
        found = own(self, x, drop)
        dim = found.shape[1] // 2
        both = (found[:, :dim] + found[:, dim:-1]) / 2
        return torch.cat([both, both, found[:, -1:]], dim=1)

    monkeypatch.setattr(Branch, "forward", forward)


def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Contexts.draw

    def draw(self: Contexts, anchors: np.ndarray, role: Role, step: int) -> Context:
        one = own(self, anchors, role, step)
        other = own(self, anchors, "target" if role == "source" else "source", step)
        parts = {
            name: np.concatenate([getattr(c, name) for c in (one, other)], 1)
            for name in ("nodes", "mask", "arcs")
        }
        return Context(**parts)

    monkeypatch.setattr(Contexts, "draw", draw)


def turned(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Contexts.draw
    other: dict[Role, Role] = {"source": "target", "target": "source"}
    monkeypatch.setattr(
        Contexts, "draw", lambda self, anchors, role, step: own(self, anchors, other[role], step)
    )


@pytest.mark.parametrize(
    ("mutant", "alone"), [(tied, "matching"), (tied, "distribution"), (forgetful, "arcs"), (turned, "arcs")]
)
def test_students_that_lost_direction_do_not_pass(
    mutant: Callable[[pytest.MonkeyPatch], None], alone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(monkeypatch)
    weights = {name: float(name == alone) for name in LOSSES}
    assert not keeps_direction(*taught(replace(CONFIG, **weights)))
