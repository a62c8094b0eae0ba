"""Training of history methods: batches, what is learned, and both stages together."""

import numpy as np
import pytest
import torch

from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap
from thence.encode.history.encoder import HistoryConfig, HistoryEncoder
from thence.encode.history.sasrec import SasRec, SasRecConfig
from thence.evaluate.next_item import next_cases, rank_next
from thence.events.datasets.sessions import Sessions
from thence.train.config import TrainConfig
from thence.train.history import HistorySampler, fit_history
from thence.train.history_rerank import NextConfig, fit_next

NUM = 30
IDS = IdMap([f"i{n}" for n in range(NUM)])


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def ring(num: int, seed: int = 0) -> Sessions:
    """Sessions that go round the ring of items, by two from an odd item and by one from an even one."""
    rng = np.random.default_rng(seed)
    starts = rng.integers(NUM, size=num)
    return Sessions.of(IDS, [(s + (1 + s % 2) * np.arange(4)) % NUM for s in starts])


def test_batches_hold_every_beginning() -> None:
    sessions = Sessions.of(IDS, [[1, 2, 3], [4, 5], [6]])
    batch = HistorySampler(sessions, batch_size=3).batch(0)
    assert batch.items.tolist() == [[1, 2], [4, 0]] and batch.last.tolist() == [1, 0]
    assert batch.candidates[batch.following].tolist() == [2, 3, 5]


def test_a_step_is_a_function_of_seed_and_number() -> None:
    sessions = ring(50)
    first, second = (HistorySampler(sessions, 8, candidates=5, half_life=0.2).batch(7) for _ in range(2))
    for name in ("items", "following", "candidates", "log_weight"):
        assert (getattr(first, name) == getattr(second, name)).all()


def test_drawn_candidates_stand_for_all() -> None:
    """The mean over batches of Σ exp(log weight) is the number of items: the denominator is unbiased."""
    sampler = HistorySampler(ring(400), batch_size=32, candidates=10, half_life=0.5)
    sums = [np.exp(sampler.batch(step).log_weight).sum() for step in range(400)]
    assert np.mean(sums) == pytest.approx(NUM, rel=0.05)


def test_late_sessions_are_drawn_more_often() -> None:
    sessions = Sessions.of(IDS, [[n % NUM, (n + 1) % NUM] for n in range(NUM)])
    sampler = HistorySampler(sessions, batch_size=1, half_life=0.25)
    drawn = [int(sampler.batch(step).items[0, 0]) for step in range(600)]
    assert np.mean(np.array(drawn) >= NUM // 2) == pytest.approx(0.8, abs=0.06)  # two half-lives: 4 to 1


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(DataError):
        HistorySampler(Sessions.of(IDS, [[1], [2]]))


@pytest.mark.parametrize(
    "model",
    [
        HistoryEncoder(NUM, HistoryConfig(dim=16, heads=2, dropout=0.0)),
        SasRec(NUM, SasRecConfig(dim=16, dropout=0.0)),
    ],
    ids=["ours", "sasrec"],
)
def test_rules_that_need_two_items_are_learned(model) -> None:
    """At an item alone both steps are possible; the item before it tells which."""
    config = TrainConfig(steps=150, batch_size=64, learning_rate=0.02, weight_decay=0.0, candidates=10)
    learned = fit_history(model, ring(600), config, half_life=0.0)
    histories = Sessions.of(IDS, [[3, 5], [4, 5]])
    assert learned.scores(histories).argmax(1).tolist() == [7, 6]


def test_both_stages_together_learn_and_repeat_themselves() -> None:
    sessions, later = ring(300), ring(20, seed=1)
    train = TrainConfig(steps=20, batch_size=64, learning_rate=0.02, weight_decay=0.0)
    judge = TrainConfig(steps=30, batch_size=32, learning_rate=0.02, weight_decay=0.0)
    encoder = HistoryConfig(dim=16, heads=2)
    config = NextConfig(tail=0.2, cases=80, hidden=4, train=train, judge=judge, encoder=encoder)
    first, second = fit_next(sessions, config), fit_next(sessions, config)
    cases = next_cases(later)
    assert (first.scores(cases.histories) == second.scores(cases.histories)).all()
    assert rank_next(first, cases).figures()["HR@5"] > 0.95


@pytest.mark.parametrize("wrong", [{"tail": 0.0}, {"cases": 0}, {"again": 2.0}, {"hidden": -1}])
def test_settings_out_of_range_are_refused(wrong) -> None:
    with pytest.raises(ConfigError):
        NextConfig(**wrong)
