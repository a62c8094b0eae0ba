"""How sure a figure is: a bootstrap over clusters, and the paired difference between two methods.

Cases of one household (or of one source node) hang together, so whole groups are drawn with replacement, not
cases. A replicate weighs each group by how often it was drawn; every figure being a ratio of sums over groups,
all figures of all methods come from one matrix product, and from the *same* draws, which pairs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thence.base.errors import ConfigError
from thence.base.rng import generator
from thence.evaluate.tallies import Tally

MAX_BLOCKS = 5_000


@dataclass(frozen=True)
class Interval:
    """A figure and the percentile interval around it.

    Args:
        value: the figure on all the data.
        low: lower end; NaN when there is too little data.
        high: upper end.
    """

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval is on one side of zero."""
        return self.low > 0 or self.high < 0


def bootstrap(tallies: Mapping[str, Tally], resamples: int = 1000, *, seed: int = 0) -> dict[str, np.ndarray]:
    """Replicates of figures, all from the same draws of groups.

    With more than 5,000 groups, groups are first merged at random into 5,000 blocks, which changes nothing in
    expectation and keeps memory small.

    Args:
        tallies: figures by name; all over the same groups.
        resamples: how many replicates.
        seed: same seed, same draws.

    Returns:
        By name, ``[resamples]`` float64; NaN where a replicate drew no group that counts.

    Raises:
        ConfigError: there are fewer than two resamples.

    Example:
        >>> tally = Tally(np.array([0.0, 1.0]), np.array([1.0, 1.0]))
        >>> sorted(set(bootstrap({"HR@10": tally}, 50)["HR@10"].tolist()))  # the draws 00, 01 or 10, and 11
        [0.0, 0.5, 1.0]

    References:
        Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13 (percentile intervals);
        Field and Welsh, "Bootstrapping clustered data", JRSS B 2007 (drawing whole clusters).
    """
    if resamples < 2:
        raise ConfigError(f"resamples is {resamples}", fix="Give at least 2; 1000 is usual.")
    names = list(tallies)
    if not names:
        return {}
    sums = np.stack([part for tally in tallies.values() for part in (tally.numerator, tally.denominator)], 1)
    sums = _blocks(sums, seed)
    rng, num = generator(seed, "bootstrap"), len(sums)
    replicates = np.empty((resamples, sums.shape[1]))
    for at in range(0, resamples, 100):
        count = min(100, resamples - at)
        draws = [np.bincount(rng.integers(0, num, num), minlength=num) for _ in range(count)]
        replicates[at : at + count] = np.stack(draws).astype(np.float64) @ sums if num else np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(replicates[:, 1::2] > 0, replicates[:, ::2] / replicates[:, 1::2], np.nan)
    return {name: ratios[:, i] for i, name in enumerate(names)}


def interval(value: float, replicates: np.ndarray, confidence: float = 0.95) -> Interval:
    """The percentile interval of a figure.

    Args:
        value: the figure on all the data.
        replicates: ``[R]``; NaN entries are left out.
        confidence: share of the replicates inside.

    Raises:
        ConfigError: the confidence is not between 0 and 1.

    Example:
        >>> interval(50.0, np.arange(101.0), confidence=0.5)
        Interval(value=50.0, low=25.0, high=75.0)
    """
    if not 0 < confidence < 1:
        raise ConfigError(f"confidence is {confidence}", fix="Give a share such as 0.95.")
    finite = replicates[np.isfinite(replicates)]
    if not len(finite):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.quantile(finite, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(value, float(low), float(high))


def relative_difference(
    first: float, second: float, a: np.ndarray, b: np.ndarray, confidence: float = 0.95
) -> Interval:
    """How much larger the first figure is than the second, as a share of the second: first / second − 1.

    Args:
        first: figure of one method on all the data.
        second: figure of its rival.
        a: ``[R]`` replicates of the first.
        b: ``[R]`` replicates of the second, from the same draws.
        confidence: share of the replicates inside the interval.

    Example:
        >>> relative_difference(0.3, 0.2, np.array([0.3, 0.3]), np.array([0.2, 0.2])).value.__round__(6)
        0.5
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        value = first / second - 1 if second else float("nan")
        return interval(value, a / b - 1, confidence)


def _blocks(sums: np.ndarray, seed: int) -> np.ndarray:
    if len(sums) <= MAX_BLOCKS:
        return sums
    block = generator(seed, "bootstrap", "blocks").permutation(len(sums)) % MAX_BLOCKS
    merged = np.zeros((MAX_BLOCKS, sums.shape[1]))
    np.add.at(merged, block, sums)
    return merged
