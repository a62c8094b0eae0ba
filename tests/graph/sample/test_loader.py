"""The loader: what comes and in which order, whatever the threads do."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from tests.samplers import hub_graph

from thence.base.errors import ConfigError, DataError
from thence.graph.arcs import Arcs
from thence.graph.sample import FanOut, Loader, Sample


def drawn(loader: Loader[Sample], epoch: int) -> list[tuple]:
    return [(s.nodes[s.seeds].tolist(), s.nodes.tolist(), s.entry.tolist()) for s in loader.epoch(epoch)]


def test_each_seed_comes_once_an_epoch_in_an_order_of_its_own() -> None:
    loader = Loader(FanOut(hub_graph(), [2]), np.arange(40), batch_size=7)
    first, second = drawn(loader, 0), drawn(loader, 1)
    for epoch in (first, second):
        assert [len(batch[0]) for batch in epoch] == [7] * 5 + [5]
        assert sorted(seed for batch in epoch for seed in batch[0]) == list(range(40))
    assert first != second and len(loader) == 6
    in_order = Loader(FanOut(hub_graph(), [2]), [5, 3, 4], batch_size=2, seed=None)
    assert [batch[0] for batch in drawn(in_order, 9)] == [[5, 3], [4]]


@pytest.mark.parametrize(("threads", "ahead"), [(1, 1), (2, 3), (3, 8)])
def test_threads_change_nothing(threads: int, ahead: int) -> None:
    plain = Loader(FanOut(hub_graph(), [2, 2]), np.arange(40), batch_size=6)
    quick = Loader(FanOut(hub_graph(), [2, 2]), np.arange(40), batch_size=6, threads=threads, ahead=ahead)
    assert drawn(plain, 3) == drawn(quick, 3)


def test_each_step_of_each_epoch_is_a_draw_of_its_own() -> None:
    star = Arcs.from_pairs(np.zeros(64, np.int64), np.arange(1, 65), num_nodes=65)
    loader = Loader(FanOut(star, [4]), [0, 0, 0], batch_size=1)
    entries = [tuple(batch[2]) for epoch in (0, 1) for batch in drawn(loader, epoch)]
    assert len(set(entries)) == 6


def test_what_is_prepared_is_prepared_elsewhere_and_errors_arrive() -> None:
    def where(sample: Sample) -> str:
        return threading.current_thread().name

    names = set(Loader(FanOut(hub_graph(), [1]), [0, 1, 2], where, batch_size=1))
    assert all(name.startswith("thence-loader") for name in names)

    def broken(sample: Sample) -> None:
        raise ValueError("no such column")

    with pytest.raises(ValueError, match="no such column"):
        list(Loader(FanOut(hub_graph(), [1]), [0], broken))


def test_waiting_is_counted_apart_from_working() -> None:
    slow = Loader(
        FanOut(hub_graph(), [1]), np.arange(6), lambda sample: time.sleep(0.03), batch_size=1, ahead=1
    )
    list(slow)
    assert slow.wait_share > 0.5
    quick = Loader(FanOut(hub_graph(), [1]), np.arange(6), batch_size=1)
    for _ in quick:
        time.sleep(0.03)
    assert quick.wait_share < 0.5 and quick.lasted > 0.15


def test_a_loader_that_is_left_early_lets_go_of_its_threads() -> None:
    loader = Loader(FanOut(hub_graph(), [1]), np.arange(40), batch_size=1)
    for _ in loader.epoch(0):
        break
    assert not [t for t in threading.enumerate() if t.name.startswith("thence-loader")]


def test_wrong_settings_are_refused() -> None:
    sampler = FanOut(hub_graph(), [1])
    for settings in ({"batch_size": 0}, {"threads": 0}, {"ahead": 0}):
        with pytest.raises(ConfigError):
            Loader(sampler, [0], **settings)  # type: ignore[arg-type]
    with pytest.raises(DataError):
        Loader(sampler, [40])
    with pytest.raises(DataError, match="times"):
        Loader(sampler, [0], times=np.array([1, 2]))
