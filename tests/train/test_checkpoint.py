"""Checkpoints: what is restored, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from tests.encode.graphs import graph_of, weighted_graph
from torch import Tensor, nn

from thence.base.artifact import MANIFEST
from thence.base.errors import ArtifactError, ConfigError
from thence.encode import Embeddings
from thence.encode.dual import DualConfig, DualEncoder
from thence.graph import DiGraph
from thence.train import TrainConfig, fit
from thence.train.batches import Batch, BatchSampler
from thence.train.checkpoint import State, load_checkpoint, save_checkpoint
from thence.train.objective import Objective, SoftmaxObjective

CONFIG = TrainConfig(steps=6, batch_size=4, checkpoint_every=2)


def train(
    folder: Path | None,
    *,
    graph: DiGraph | None = None,
    config: TrainConfig = CONFIG,
    encode: DualConfig | None = None,
    goal: Objective | None = None,
    stop_at: int | None = None,
) -> Embeddings:
    graph = graph or weighted_graph()
    encoder = DualEncoder(graph, encode or DualConfig(dim=4))
    return fit(graph, config, encoder=encoder, objective=goal, stop_at=stop_at, checkpoint=folder)


def same(ours: Embeddings, theirs: Embeddings) -> bool:
    return all(
        np.array_equal(getattr(ours, name), getattr(theirs, name)) for name in ("source", "target", "bias")
    )


def test_all_of_the_state_is_restored(tmp_path: Path) -> None:
    def parts() -> tuple[nn.Module, torch.optim.Optimizer]:
        model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
        return model, torch.optim.AdamW(model.parameters())

    model, optimizer = parts()
    for _ in range(3):
        model(torch.arange(10.0).reshape(5, 2).sin()).square().sum().backward()
        optimizer.step()
    best = {name: value.clone() + 1 for name, value in model.state_dict().items()}
    state = State(3, 2, 0.1 + 0.2, best, [{"step": 2, "loss": 0.7, "value": 0.1 + 0.2}])
    save_checkpoint(tmp_path / "c", model, optimizer, state, "mine")
    other, other_optimizer = parts()
    loaded = load_checkpoint(tmp_path / "c", other, other_optimizer, "mine")
    assert loaded is not None
    assert (loaded.step, loaded.best_step, loaded.best_value) == (3, 2, 0.1 + 0.2)
    assert loaded.history == state.history
    for ours, theirs in ((loaded.best, best), (other.state_dict(), model.state_dict())):
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    slots, expected = other_optimizer.state_dict()["state"], optimizer.state_dict()["state"]
    for index, slot in expected.items():
        assert all(torch.equal(slots[index][name], value) for name, value in slot.items())


def test_where_there_is_none_training_starts_afresh(tmp_path: Path) -> None:
    model = nn.Linear(1, 1)
    for folder in (tmp_path / "c", tmp_path):  # absent, empty
        assert load_checkpoint(folder, model, torch.optim.AdamW(model.parameters()), "") is None


@pytest.mark.parametrize("stop_at", [2, 3, 5])
def test_a_resumed_run_is_the_same_run(tmp_path: Path, stop_at: int) -> None:
    train(tmp_path / "c", stop_at=stop_at)
    steps: list[int] = []
    graph = weighted_graph()
    resumed = fit(
        graph,
        CONFIG,
        encoder=DualEncoder(graph, DualConfig(dim=4)),
        checkpoint=tmp_path / "c",
        progress=lambda task, done, total: steps.append(done),
    )
    assert steps == list(range(stop_at // 2 * 2 + 1, 7))  # from the last checkpoint on
    assert same(resumed, train(None))


@dataclass(frozen=True)
class Halved:
    """Another objective."""

    share: float = 0.5

    def __call__(self, source: Tensor, target: Tensor, bias: Tensor, batch: object) -> Tensor:
        return self.share * (source.square().mean() + target.square().mean() + bias.mean())


def heavier() -> DiGraph:
    graph = weighted_graph()
    return graph.with_relation("bought_after", graph.main.with_value("weight", graph.main.weight * 2))


def with_asymmetry() -> DiGraph:
    graph = weighted_graph()
    return graph.with_relation("bought_after", graph.main.with_value("asymmetry", np.zeros(7)))


def with_a_catalogue() -> DiGraph:
    graph = weighted_graph()
    return DiGraph(graph.ids, graph.relations, pa.table({"brand": ["x"] * 7}))


@pytest.mark.parametrize(
    "other",
    [
        {"config": replace(CONFIG, seed=1)},
        {"config": replace(CONFIG, learning_rate=1e-4)},
        {"encode": DualConfig(dim=5)},
        {"encode": DualConfig(dim=4, fan_out=1)},
        {"encode": DualConfig(dim=4, free_vectors=False)},
        {"graph": graph_of([(0, 1, 5.0)], 7)},
        {"graph": heavier()},
        {"graph": with_asymmetry()},
        {"graph": with_a_catalogue()},
        {"goal": Halved()},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path, other: dict) -> None:
    train(tmp_path / "c", stop_at=2)
    with pytest.raises(ArtifactError, match="another graph or configuration"):
        train(tmp_path / "c", **other)


def test_an_objectives_settings_count(tmp_path: Path) -> None:
    train(tmp_path / "c", goal=Halved(0.25), stop_at=2)
    train(tmp_path / "c", goal=Halved(0.25), stop_at=4)
    with pytest.raises(ArtifactError):
        train(tmp_path / "c", goal=Halved(0.75))


class Plain:
    """A sampler without settings; where it lies in memory differs from run to run."""

    def batch(self, step: int) -> Batch:
        return BatchSampler(weighted_graph().main, batch_size=2).batch(step)


def test_a_sampler_of_ones_own_can_be_resumed(tmp_path: Path) -> None:
    graph = weighted_graph()
    first, again, whole = (SoftmaxObjective(graph.main, sampler=Plain()) for _ in range(3))
    train(tmp_path / "c", goal=first, stop_at=4)
    assert same(train(tmp_path / "c", goal=again), train(None, goal=whole))


def test_a_checkpoint_beyond_the_stop_is_refused(tmp_path: Path) -> None:
    train(tmp_path / "c", stop_at=4)
    with pytest.raises(ArtifactError, match="stands at step 4, beyond 3"):
        train(tmp_path / "c", stop_at=3)


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.safetensors", "best.safetensors", MANIFEST])
@pytest.mark.parametrize("damage", ["cut", "flipped", "gone"])
def test_a_torn_checkpoint_is_refused(tmp_path: Path, name: str, damage: str) -> None:
    train(tmp_path / "c", stop_at=2)
    path = tmp_path / "c" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(bytes(content) if damage == "flipped" else bytes(content[: len(content) // 2]))
    with pytest.raises(ArtifactError):
        train(tmp_path / "c")


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    train(None).save(tmp_path / "c")
    with pytest.raises(ArtifactError, match="'embeddings' stands where a 'checkpoint' was expected"):
        train(tmp_path / "c")


def test_a_folder_without_an_interval_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="checkpoint_every"):
        train(tmp_path / "c", config=replace(CONFIG, checkpoint_every=0))
