"""Splits of labels, where the data name none."""

from __future__ import annotations

import numpy as np

from thence.base.errors import ConfigError
from thence.base.rng import generator

Split = dict[str, np.ndarray]


def random_split(y: np.ndarray, *, train: float = 0.5, valid: float = 0.25, seed: int = 0) -> Split:
    """A split at random, class by class, so that each part holds each class in the same share.

    Args:
        y: ``[n]`` labels, below 0 or NaN where unknown; values are dealt as one class.
        train: share to learn from.
        valid: share to choose on; the rest is to test.
        seed: of the draw.

    Returns:
        Ascending rows of ``train``, ``valid`` and ``test``.

    Raises:
        ConfigError: the shares leave nothing to train on or to test.

    Example:
        >>> split = random_split(np.array([0, 0, 0, 0, 1, 1, 1, 1, -1]))
        >>> [np.bincount(np.array([0] * 4 + [1] * 4)[split[part]]).tolist() for part in split]
        [[2, 2], [1, 1], [1, 1]]
    """
    if train <= 0 or valid < 0 or train + valid >= 1:
        raise ConfigError(f"shares {train} and {valid}", fix="Above 0 and below 1 together.")
    kind = np.where(np.isnan(y), -1, 0) if y.dtype.kind == "f" else np.maximum(y, -1)
    draw = generator(seed, "split")
    parts: list[list[np.ndarray]] = [[], [], []]
    for label in np.unique(kind[kind >= 0]):
        own = draw.permutation(np.flatnonzero(kind == label))
        ends = [round(train * len(own)), round((train + valid) * len(own))]
        for part, rows in zip(parts, np.split(own, ends), strict=True):
            part.append(rows)
    return _named(*(np.concatenate(part or [np.zeros(0, np.int64)]) for part in parts))


def class_split(
    y: np.ndarray, *, per_class: int = 20, valid: int = 500, test: int = 1000, seed: int = 0
) -> Split:
    """A split with few labels: some of each class to learn from, fixed numbers of the others to judge on.

    Args:
        y: ``[n]`` classes, below 0 where unknown.
        per_class: labels of each class to train on.
        valid: labels to choose on.
        test: labels to test on, or as many as are left.
        seed: of the draw.

    Returns:
        Ascending rows of ``train``, ``valid`` and ``test``.

    Raises:
        ConfigError: nothing is left to test on.

    Example:
        >>> split = class_split(np.array([0, 0, 0, 1, 1, 1, -1]), per_class=1, valid=2, test=1)
        >>> {part: len(rows) for part, rows in split.items()}
        {'train': 2, 'valid': 2, 'test': 1}

    References:
        Yang, Cohen, Salakhutdinov, "Revisiting semi-supervised learning with graph embeddings", ICML 2016: 20
        labels of each class, 500 to choose on, 1,000 to test.
    """
    draw = generator(seed, "class split")
    train = np.concatenate(
        [draw.permutation(np.flatnonzero(y == label))[:per_class] for label in np.unique(y[y >= 0])]
        or [np.zeros(0, np.int64)]
    )
    rest = draw.permutation(np.setdiff1d(np.flatnonzero(y >= 0), train))
    if len(rest) <= valid:
        raise ConfigError(f"{len(rest)} labels are left for {valid} to choose on and some to test")
    return _named(train, rest[:valid], rest[valid : valid + test])


def _named(*parts: np.ndarray) -> Split:
    return {name: np.sort(rows) for name, rows in zip(("train", "valid", "test"), parts, strict=True)}
