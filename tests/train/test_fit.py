"""The loop: which parameters come back, what is refused, and that the seed is all that chance hangs on."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.encode.graphs import graph_of, phone_case_graph, weighted_graph
from tests.worlds import one_way_communities, phone_case_log
from torch import Tensor, nn

from thence.base.errors import ConfigError, FitError
from thence.encode import Embeddings
from thence.encode.dual import DualConfig, DualEncoder
from thence.graph import DiGraph
from thence.graph.build import GraphConfig, build_graph
from thence.train import TrainConfig, fit
from thence.train.batches import Batch, BatchSampler
from thence.train.objective import SoftmaxObjective

CONFIG = TrainConfig(steps=10, batch_size=4, validate_every=2, patience=2)


def encoder(graph: DiGraph, dim: int = 4, seed: int = 0) -> DualEncoder:
    return DualEncoder(graph, DualConfig(dim=dim), seed=seed)


def train(config: TrainConfig = CONFIG, *, seed: int = 0, **options) -> Embeddings:
    graph = weighted_graph()
    return fit(graph, config, encoder=encoder(graph, seed=seed), **options)


def same(ours: Embeddings, theirs: Embeddings) -> bool:
    return all(
        np.array_equal(getattr(ours, name), getattr(theirs, name)) for name in ("source", "target", "bias")
    )


class Rigged:
    """A validation with given answers; keeps what it was shown."""

    def __init__(self, *values: float) -> None:
        self.values, self.shown = values, []

    def __call__(self, embeddings: Embeddings) -> float:
        self.shown.append(embeddings)
        return self.values[len(self.shown) - 1]


def test_the_best_step_comes_back_and_training_stops_when_it_is_stale() -> None:
    rigged = Rigged(0.1, 0.5, 0.5, 0.4, 9.9)
    told: list[int] = []
    result = train(validate=rigged, progress=lambda task, done, total: told.append(done))
    assert len(rigged.shown) == 4 and told == list(range(1, 9))  # two validations without a gain
    assert same(result, rigged.shown[1]) and not same(result, rigged.shown[3])
    assert result.info["best_step"] == 4
    assert [(entry["step"], entry["value"]) for entry in result.info["history"]] == [
        (2, 0.1),
        (4, 0.5),
        (6, 0.5),
        (8, 0.4),
    ]


def test_patience_begins_anew_with_each_gain() -> None:
    rigged = Rigged(0.1, 0.0, 0.2, 0.0, 0.3)
    assert same(train(validate=rigged), rigged.shown[-1]) and len(rigged.shown) == 5


def test_the_last_step_is_judged_too() -> None:
    rigged = Rigged(*range(4))
    result = train(replace(CONFIG, steps=7), validate=rigged)
    assert [entry["step"] for entry in result.info["history"]] == [2, 4, 6, 7]
    assert result.info["best_step"] == 7


@pytest.mark.parametrize("best", [0, 1, 3])
def test_stopping_at_the_best_step_gives_what_the_validated_run_gave(best: int) -> None:
    rigged = Rigged(*(float(k == best) for k in range(5)))
    validated = train(replace(CONFIG, patience=9), validate=rigged)
    assert same(train(stop_at=int(validated.info["best_step"])), validated)


def test_validation_only_looks() -> None:
    """The run is the same with and without it: what it sees later cannot reach the parameters."""
    watched = Rigged(*range(5))
    assert same(train(validate=watched), train())
    peeking = np.random.default_rng(0)
    torch.rand(1)
    assert same(train(validate=lambda embeddings: float(peeking.random()), stop_at=2), train(stop_at=2))


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(tmp_path: Path) -> None:
    def saved(name: str, seed: int) -> str:
        train(replace(CONFIG, seed=seed), seed=seed).save(tmp_path / name)
        return hashlib.sha256((tmp_path / name / "embeddings.safetensors").read_bytes()).hexdigest()

    first = saved("a", 1)
    torch.rand(7), np.random.default_rng().random()
    assert saved("b", 1) == first != saved("c", 2)


def test_the_batches_follow_the_seed_too() -> None:
    small = replace(CONFIG, batch_size=1)
    assert not same(train(small), train(replace(small, seed=1)))


class Dropping(nn.Module):
    """An encoder of somebody else: a table, dropout, and batch statistics, which are no parameters."""

    def __init__(self, num_nodes: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.table = nn.Parameter(torch.randn(num_nodes, 6, generator=generator))
        self.drop, self.norm = nn.Dropout(0.5), nn.BatchNorm1d(6)

    def forward(self) -> tuple[Tensor, Tensor, Tensor]:
        x = self.norm(self.drop(self.table))
        return x[:, :3], x[:, 3:], x[:, 0]


def test_layers_that_draw_and_count_are_as_reproducible_and_resumable(tmp_path: Path) -> None:
    graph = weighted_graph()
    config = replace(CONFIG, checkpoint_every=2)
    before = torch.get_rng_state()
    whole = fit(graph, config, encoder=Dropping(7), validate=Rigged(1, 5, 3, 2, 1))
    assert torch.equal(torch.get_rng_state(), before)  # the caller's generator is as it was
    torch.rand(5)
    folder = tmp_path / "c"
    fit(graph, config, encoder=Dropping(7), validate=Rigged(1, 5), stop_at=4, checkpoint=folder)
    resumed = fit(graph, config, encoder=Dropping(7), validate=Rigged(3, 2, 1), checkpoint=folder)
    assert same(resumed, whole) and resumed.info["history"] == whole.info["history"]
    assert np.abs(whole.target.mean(0)).max() > 1e-6  # not the statistics of one batch: the running ones


def test_an_objective_is_any_function_and_may_bring_its_sampler() -> None:
    graph = weighted_graph()
    seen: list[int] = []

    class Spy:
        def batch(self, step: int) -> Batch:
            seen.append(step)
            return BatchSampler(graph.main, batch_size=2, source_power=0.0).batch(step)

    goal = SoftmaxObjective(graph.main, sampler=Spy())
    ours = fit(graph, CONFIG, encoder=encoder(graph), objective=goal)
    assert seen == list(range(10)) and not same(ours, train())

    def pull(source: Tensor, target: Tensor, bias: Tensor, batch: Batch) -> Tensor:
        return (source - 1).square().mean() + target.square().mean()

    pulled = fit(graph, replace(CONFIG, steps=200, learning_rate=0.05), encoder=encoder(graph), objective=pull)
    start = train(stop_at=1)
    assert np.abs(pulled.source[:5] - 1).mean() < np.abs(start.source[:5] - 1).mean() / 2


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_refused(bad: float) -> None:
    def goal(source: Tensor, target: Tensor, bias: Tensor, batch: Batch) -> Tensor:
        calls.append(1)
        return source.sum() * (bad if len(calls) == 3 else 1.0)

    calls: list[int] = []
    with pytest.raises(FitError, match=r"the loss is (nan|-?inf) at step 2"):
        train(objective=goal)


def test_a_validation_that_is_no_number_is_refused() -> None:
    with pytest.raises(FitError, match="NaN at step 2"):
        train(validate=Rigged(math.nan))


@pytest.mark.parametrize("stop_at", [0, -3])
def test_a_stop_before_the_first_step_is_refused(stop_at: int) -> None:
    with pytest.raises(ConfigError, match="stop_at"):
        train(stop_at=stop_at)


def test_a_graph_without_arcs_is_refused_whatever_the_encoder() -> None:
    for model in (None, Dropping(3)):
        with pytest.raises(FitError, match="no arcs"):
            fit(graph_of([], 3), CONFIG, encoder=model)


def test_large_graphs_are_scored_against_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = import_module("thence.train.fit")
    monkeypatch.setattr(loop, "ALL_CANDIDATES", 5)
    monkeypatch.setattr(loop, "SOME_CANDIDATES", 4)
    sizes: list[int] = []

    def goal(source: Tensor, target: Tensor, bias: Tensor, batch: Batch) -> Tensor:
        sizes.append(len(batch.candidates))
        return source.square().sum()

    train(replace(CONFIG, batch_size=1, source_power=0.0, steps=30), objective=goal)
    assert min(sizes) < 7
    sizes.clear()
    train(replace(CONFIG, candidates=7), objective=goal)  # as many as nodes: all of them
    assert set(sizes) == {7}


def test_what_it_says_of_itself() -> None:
    info = train().info
    assert info["encoder"] == "DualEncoder" and info["best_step"] == 10 and info["history"] == []
    assert info["train"]["steps"] == 10


@pytest.mark.parametrize("seed", [0, 1])
def test_from_the_phone_follows_the_case_and_from_the_case_not_the_phone(seed: int) -> None:
    """Every first place, in both directions, is the one that the customers bear out."""
    graph = phone_case_graph()
    trained = fit(graph, TrainConfig(steps=120, seed=seed), encoder=encoder(graph, dim=16, seed=seed))
    following = {"phone": "case", "case": "charger", "charger": "case", "tea": "phone", "cover": None}
    leading = {"phone": "tea", "case": ("phone", "charger"), "charger": ("phone", "case")}
    for node, name in enumerate(graph.ids.decode(np.arange(5))):
        best = graph.ids.decode(ranked(trained.scores([node])[0], node)[:1])[0]
        assert best == following[name] or (name == "cover" and best in ("case", "charger")), name
        before = graph.ids.decode(ranked(trained.scores_into([node])[0], node)[:1])[0]
        assert name not in leading or before in leading[name], name


def test_from_the_log_to_what_follows() -> None:
    """The same from the events on: log, graph, training."""
    config = GraphConfig(relations=("bought_after", "same_basket"), min_count=1, min_support=1)
    graph = build_graph(phone_case_log(), config)
    trained = fit(graph, TrainConfig(steps=120), encoder=encoder(graph, dim=16))
    phone, case = graph.ids.index("phone"), graph.ids.index("case")
    assert ranked(trained.scores([phone])[0], phone)[0] == case
    assert ranked(trained.scores([case])[0], case)[0] != phone
    assert trained.scores([phone])[0, case] > trained.scores([case])[0, phone]


def ranked(scores: np.ndarray, own: int) -> list[int]:
    return [node for node in np.argsort(-scores).tolist() if node != own]


def test_on_one_way_communities_every_arc_stands_above_its_reverse() -> None:
    graph, community = one_way_communities()
    embeddings = fit(graph, TrainConfig(steps=60), encoder=encoder(graph, dim=8))
    scores = embeddings.scores(np.arange(graph.num_nodes))
    source, target = graph.main.pairs
    arcs, reverses = scores[source, target], scores[target, source]
    assert (arcs[:, None] > reverses[None, :]).mean() == 1.0  # direction AUC, all arcs pooled
    for node in np.flatnonzero(community < 2):
        assert set(community[ranked(scores[node], node)[:8]]) == {community[node] + 1}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_trains_to_the_same_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    there = train()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    np.testing.assert_allclose(there.source, train().source, atol=1e-3)
