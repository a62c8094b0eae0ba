"""Loading: batches of seeds with their samples, drawn by threads while the last one is computed on.

A batch is a function of the seed of randomness, the epoch and its place: neither the number of threads nor how
fast they are changes what comes or in which order.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Generic, TypeVar

import numpy as np

from thence.base.errors import ConfigError, DataError
from thence.base.rng import generator
from thence.graph.sample.sample import NeighborSampler, Sample, seed_array

T = TypeVar("T")


class Loader(Generic[T]):
    """Goes through seeds in batches, epoch by epoch, and draws ahead.

    Args:
        sampler: what draws.
        seeds: ``[S]`` node ints to go through.
        prepare: what to do with each sample before it is handed over, on the thread that drew it: gather
            features, make tensors. Nothing when not given.
        times: ``[S]`` int64 microseconds UTC, the time of each seed, for a sampler that asks for it.
        batch_size: seeds in a batch; the last one may be smaller.
        threads: how many batches are drawn at once; they run beside the consumer, so 1 is often enough.
        ahead: how many batches may wait for the consumer.
        seed: of the order, another one in each epoch; None keeps the order given.

    Raises:
        ConfigError: a count is below 1.
        DataError: a seed is no node, or times are too few.

    Example:
        >>> from thence.graph import Arcs
        >>> from thence.graph.sample import FanOut
        >>> arcs = Arcs.from_pairs([0, 0, 1], [1, 2, 2], num_nodes=3)
        >>> loader = Loader(FanOut(arcs, [2]), [0, 1, 2], prepare=lambda sample: sample.num_arcs, batch_size=2)
        >>> len(loader), sum(loader.epoch(0))
        (2, 3)
    """

    def __init__(
        self,
        sampler: NeighborSampler,
        seeds: np.ndarray | Sequence[int],
        prepare: Callable[[Sample], T] | None = None,
        *,
        times: np.ndarray | None = None,
        batch_size: int = 1024,
        threads: int = 1,
        ahead: int = 4,
        seed: int | None = 0,
    ) -> None:
        if min(batch_size, threads, ahead) < 1:
            given = f"batch_size {batch_size}, threads {threads}, ahead {ahead}"
            raise ConfigError(given, fix="Each is at least 1.")
        self._sampler, self._prepare = sampler, prepare
        self._seeds = seed_array(seeds, sampler.num_nodes)
        self._times = None if times is None else np.asarray(times)
        if self._times is not None and self._times.shape != self._seeds.shape:
            raise DataError(f"times have shape {self._times.shape} for {len(self._seeds)} seeds")
        self._batch_size, self._threads, self._ahead, self._seed = batch_size, threads, ahead, seed
        self.waited = self.lasted = 0.0

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-len(self._seeds) // self._batch_size)

    @property
    def wait_share(self) -> float:
        """Share of the epochs' time so far in which the consumer waited for a batch, the first included."""
        return self.waited / self.lasted if self.lasted else 0.0

    def epoch(self, number: int = 0) -> Iterator[T]:
        """The batches of one epoch, in order."""
        order = np.arange(len(self._seeds))
        if self._seed is not None:
            order = generator(self._seed, "loader", number).permutation(order)
        pool, pending = ThreadPoolExecutor(self._threads, "thence-loader"), deque[Future[T]]()
        batches, begun = iter(range(len(self))), time.perf_counter()
        try:
            for at in islice(batches, self._ahead):
                pending.append(pool.submit(self._draw, order, number, at))
            while pending:
                asked = time.perf_counter()
                ready = pending.popleft().result()
                self.waited += time.perf_counter() - asked
                for at in islice(batches, 1):
                    pending.append(pool.submit(self._draw, order, number, at))
                yield ready
        finally:
            self.lasted += time.perf_counter() - begun
            pool.shutdown(wait=True, cancel_futures=True)

    def __iter__(self) -> Iterator[T]:
        """The first epoch."""
        return self.epoch(0)

    def _draw(self, order: np.ndarray, epoch: int, at: int) -> T:
        chosen = order[at * self._batch_size : (at + 1) * self._batch_size]
        times = None if self._times is None else self._times[chosen]
        step = epoch * len(self) + at
        sample = self._sampler.sample(self._seeds[chosen], step=step, times=times)
        return sample if self._prepare is None else self._prepare(sample)  # type: ignore[return-value]
