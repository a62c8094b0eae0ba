"""Learned history methods: what a state may depend on, and what it must."""

import numpy as np
import pytest
import torch

from thence.base.errors import ConfigError
from thence.base.ids import IdMap
from thence.encode.history.data import padded, session_graph
from thence.encode.history.encoder import HistoryConfig, HistoryEncoder
from thence.encode.history.model import HistoryModel, HistoryVectors, within
from thence.encode.history.sasrec import SasRec, SasRecConfig
from thence.encode.history.softmax import history_softmax
from thence.encode.history.start import nearby_vectors
from thence.events.datasets.sessions import Sessions

IDS = IdMap([f"i{n}" for n in range(9)])


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def models() -> list[HistoryModel]:
    ours = HistoryEncoder(9, HistoryConfig(dim=8, heads=2, longest=5), seed=1)
    roles = HistoryEncoder(9, HistoryConfig(dim=8, heads=2, longest=5, roles=True), seed=1)
    theirs = SasRec(9, SasRecConfig(dim=8, longest=5), seed=1)
    for model in (ours, roles, theirs):
        with torch.no_grad():
            for value in model.parameters():
                value.add_(0.1 * torch.randn(value.shape, generator=torch.Generator().manual_seed(3)))
    return [model.eval() for model in (ours, roles, theirs)]


@pytest.mark.parametrize("model", models(), ids=["ours", "roles", "sasrec"])
class TestModels:
    def test_a_state_depends_on_what_came_before_alone(self, model: HistoryModel) -> None:
        items = torch.tensor([[1, 2, 3, 4]])
        changed = torch.tensor([[1, 2, 3, 8]])
        whole = torch.ones(1, 4, dtype=torch.bool)
        first, second = model.states(items, whole), model.states(changed, whole)
        torch.testing.assert_close(first[:3], second[:3])
        assert not torch.allclose(first[3], second[3], atol=1e-4)

    def test_the_order_of_a_history_matters(self, model: HistoryModel) -> None:
        scorer = HistoryVectors(IDS, model)
        rows = scorer.scores(Sessions.of(IDS, [[1, 2, 3], [3, 2, 1], [2, 1, 3]]))
        assert not np.allclose(rows[0], rows[1], atol=1e-4) and not np.allclose(rows[0], rows[2], atol=1e-4)

    def test_batches_and_padding_change_nothing(self, model: HistoryModel) -> None:
        scorer = HistoryVectors(IDS, model)
        histories = Sessions.of(IDS, [[1], [2, 3, 4, 5, 6, 7], [8, 1]])
        alone = [scorer.scores(histories.slice(n, n + 1))[0] for n in range(3)]
        np.testing.assert_allclose(scorer.scores(histories), alone, atol=1e-5)
        latest = Sessions.of(IDS, [[3, 4, 5, 6, 7]])  # of six items the latest five are looked at
        np.testing.assert_allclose(scorer.scores(latest)[0], alone[1], atol=1e-5)

    def test_an_index_of_targets_serves_it(self, model: HistoryModel) -> None:
        scorer, histories = HistoryVectors(IDS, model), Sessions.of(IDS, [[1, 2], [3]])
        by_hand = scorer.sources(histories) @ scorer.targets.T + scorer.bias
        np.testing.assert_allclose(by_hand, scorer.scores(histories), rtol=1e-6)
        lengths = np.linalg.norm(scorer.sources(histories), axis=1)
        np.testing.assert_allclose(lengths, model.temperature.exp().item(), rtol=1e-4)

    def test_forward_and_back_score_differently(self, model: HistoryModel) -> None:
        rows = HistoryVectors(IDS, model).scores(Sessions.of(IDS, [[n] for n in range(9)]))
        assert np.abs(rows - rows.T).max() > 0.1


def test_vectors_that_take_both_roles_alike_are_not_enough() -> None:
    """With the identity as its maps, nothing is left but likeness, which has no direction."""
    model = HistoryEncoder(9, HistoryConfig(dim=8, heads=2, dropout=0.0)).eval()
    with torch.no_grad():
        model.last.copy_(torch.eye(8))
        for matrix in (model.out, model.narrow):
            matrix.zero_()
    rows = HistoryVectors(IDS, model).scores(Sessions.of(IDS, [[n] for n in range(9)]))
    np.testing.assert_allclose(rows, rows.T, atol=1e-4)


def test_the_fused_softmax_is_cross_entropy() -> None:
    make = torch.Generator().manual_seed(0)
    given = [torch.randn(shape, generator=make).requires_grad_() for shape in ((40, 8), (30, 8), (30,))]
    following = torch.randint(30, (40,), generator=make)
    flat = torch.zeros(30)
    loss = history_softmax(*given, following, flat)
    grads = torch.autograd.grad(loss, given)
    twin = torch.nn.functional.cross_entropy(given[0] @ given[1].T + given[2], following)
    torch.testing.assert_close(loss, twin, rtol=0.02, atol=0.02)  # products of short floats on some machines
    for one, other in zip(grads, torch.autograd.grad(twin, given), strict=True):
        torch.testing.assert_close(one, other, rtol=0.05, atol=2e-3)


def test_log_weights_count_for_others_than_what_followed() -> None:
    source, target = torch.zeros(1, 2), torch.zeros(3, 2)
    weight = torch.tensor([0.0, -torch.inf, 1.0])
    loss = history_softmax(source, target, torch.zeros(3), torch.tensor([1]), weight)
    assert loss.item() == pytest.approx(np.log(1 + 1 + np.e), rel=1e-5)


def test_rectangles_keep_the_latest() -> None:
    items, last = padded(Sessions.of(IDS, [[1, 2, 3], [4], []]), 2)
    assert items.tolist() == [[2, 3], [4, 0], [0, 0]] and last.tolist() == [1, 0, 0]
    assert within(torch.from_numpy(items), torch.from_numpy(last)).sum() == 4


def test_the_graph_of_sessions_counts_steps() -> None:
    graph = session_graph(Sessions.of(IDS, [[0, 1, 1, 0], [5], [0, 1]]))
    assert graph.main.pairs.T.tolist() == [[0, 1], [1, 0]] and graph.main.weight.tolist() == [2.0, 1.0]


def test_start_vectors_are_the_same_each_time_and_of_any_dim() -> None:
    sessions = Sessions.of(IDS, [[0, 1, 2], [3, 4], [0, 2]])
    for dim in (2, 20):
        first, second = nearby_vectors(sessions, dim), nearby_vectors(sessions, dim)
        assert first.shape == (9, dim) and (first == second).all()
        np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1.0, rtol=1e-4)


@pytest.mark.parametrize("wrong", [{"dim": 7, "heads": 2}, {"dropout": 1.0}, {"longest": 0}])
def test_settings_out_of_range_are_refused(wrong) -> None:
    for config in (HistoryConfig, SasRecConfig):
        with pytest.raises(ConfigError):
            config(**wrong)
