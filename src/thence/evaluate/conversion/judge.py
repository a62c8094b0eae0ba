"""Judging the predictions of one stream: sums by time block, by age and by segment.

The blocks of a stream are joined, one after the other, until each holds enough exposures. AUC and PRAUC are
means over blocks, weighted by their exposures, as in the streaming evaluations of the literature; a block whose
labels are all alike has neither, and is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from thence.base.errors import DataError
from thence.conversion.exposures import Exposures
from thence.conversion.stream import Predictions, StreamConfig
from thence.evaluate.conversion import ages
from thence.evaluate.conversion.metrics import auc, ece, pr_auc, surprise
from thence.evaluate.tallies import Tally

AT_LEAST = 300
"""Exposures of a block."""
ENOUGH = 1000
"""Conversions of an age bucket, below which its rate is too uncertain (3 % and more) to be compared with."""
SEGMENTS = 12
METRICS = ("AUC", "PRAUC", "NLL")


@dataclass(frozen=True, eq=False)
class Judged:
    """What one estimator's predictions were worth, in sums that can be added up and drawn from again.

    Args:
        start: ``[B]`` first exposure of each block, microseconds UTC.
        count: ``[B]`` exposures.
        converted: ``[B]`` conversions among them.
        predicted: ``[B]`` sum of probabilities.
        surprise: ``[B]`` sum of negative log-likelihoods.
        auc: ``[B]``; NaN where all labels are alike.
        pr_auc: ``[B]``; likewise.
        ece: over all blocks.
        tables: by ``group``, ``model`` and ``segment``: names, and count, converted and predicted by bucket;
            for ``group`` and ``model`` each ``[B, buckets]``.
        told: figures of the stream itself: rows, CPU seconds.
    """

    start: np.ndarray
    count: np.ndarray
    converted: np.ndarray
    predicted: np.ndarray
    surprise: np.ndarray
    auc: np.ndarray
    pr_auc: np.ndarray
    ece: float
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    told: Mapping[str, float] = field(default_factory=dict)

    @property
    def one_class(self) -> int:
        """How many blocks have labels that are all alike."""
        return int(np.isnan(self.auc).sum())

    def tally(self, metric: str) -> Tally:
        """AUC, PRAUC or NLL as sums by block."""
        if metric == "NLL":
            return Tally(self.surprise, self.count.astype(np.float64))
        values = self.auc if metric == "AUC" else self.pr_auc
        weight = np.where(np.isnan(values), 0.0, self.count)
        return Tally(np.nan_to_num(values) * weight, weight)

    def figures(self) -> dict[str, float]:
        """Its figures by name; what cannot be told is not there.

        ``AUC``, ``PRAUC``, ``NLL``, ``ECE``, ``calibration`` (mean prediction over mean label),
        ``calibration_by_age`` (see :meth:`worst_age`), and what the stream told.
        """
        found = {name: self.tally(name).value for name in METRICS} | {"ECE": self.ece}
        if self.converted.sum():
            found["calibration"] = float(self.predicted.sum() / self.converted.sum())
        worst = self.worst_age()
        if worst is not None:
            found["calibration_by_age"] = worst[1]
        return {name: value for name, value in found.items() if np.isfinite(value)} | dict(self.told)

    def by(self, what: str) -> list[tuple[str, int, int, float]]:
        """Buckets of a table: name, exposures, conversions, mean prediction over mean label (NaN for 0 / 0)."""
        table = self.tables.get(what)
        if table is None:
            return []
        sums = [np.atleast_2d(table[name]).sum(axis=0) for name in ("count", "converted", "predicted")]
        return [
            (name, int(n), int(y), float(p / y) if y else float("nan"))
            for name, n, y, p in zip(table["names"], *sums, strict=True)
            if n
        ]

    def worst_age(self, enough: int = ENOUGH) -> tuple[str, float] | None:
        """The age bucket whose mean prediction is furthest from its matured rate: its name, |Σp / Σy - 1|.

        Ages are those of the group, or of the model where exposures have no group; buckets with fewer than
        ``enough`` conversions are left out, and where none has as many, all exposures are one bucket.
        """
        found = [row for row in self.by("group") or self.by("model") if row[2] >= enough]
        if not found and self.converted.sum():
            ratio = float(self.predicted.sum() / self.converted.sum())
            found = [("all", int(self.count.sum()), int(self.converted.sum()), ratio)]
        gaps = [(name, abs(ratio - 1.0)) for name, _, _, ratio in found]
        return max(gaps, key=lambda gap: gap[1], default=None)

    @classmethod
    def pooled(cls, judged: Sequence[Judged]) -> Judged:
        """The same estimator's runs with several seeds as one, their blocks one after the other."""
        names = ("start", "count", "converted", "predicted", "surprise", "auc", "pr_auc")
        joined = {name: np.concatenate([getattr(one, name) for one in judged]) for name in names}
        tables = {
            what: {"names": first["names"]}
            | {
                name: np.concatenate([np.atleast_2d(one.tables[what][name]) for one in judged])
                for name in ("count", "converted", "predicted")
            }
            for what, first in judged[0].tables.items()
            if all(one.tables.get(what, {}).get("names") == first["names"] for one in judged)
        }
        ece = float(np.mean([one.ece for one in judged]))
        return replace(judged[0], **joined, ece=ece, tables=tables, told={})

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON knows it; NaN becomes None."""

        def plain(value: Any) -> Any:
            if isinstance(value, np.ndarray):
                return [plain(item) for item in value.tolist()]
            if isinstance(value, Mapping):
                return {key: plain(item) for key, item in value.items()}
            if isinstance(value, list | tuple):
                return [plain(item) for item in value]
            return None if isinstance(value, float) and not np.isfinite(value) else value

        return {entry.name: plain(getattr(self, entry.name)) for entry in fields(self)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Judged:
        """The counterpart of :meth:`to_dict`.

        Raises:
            DataError: something is missing.
        """
        try:
            plain = {entry.name: content[entry.name] for entry in fields(cls)}
        except KeyError as error:
            raise DataError(f"a judgement lacks {error}") from error
        for name in ("start", "count", "converted"):
            plain[name] = np.array(plain[name], np.int64)
        for name in ("predicted", "surprise", "auc", "pr_auc"):
            plain[name] = np.array(plain[name], np.float64)
        return cls(**plain)


def judge(
    exposures: Exposures,
    predictions: Predictions,
    *,
    config: StreamConfig | None = None,
    group: np.ndarray | None = None,
    segment: np.ndarray | None = None,
    at_least: int = AT_LEAST,
) -> Judged:
    """Judge predictions by final labels.

    Args:
        exposures: seen up to the end of the log.
        predictions: of some of them.
        config: of the stream; without it the age of the model is left out.
        group: ``[n]`` group of every exposure of the log, for its age.
        segment: ``[n]`` name or code of every exposure's segment; the most frequent ones are shown.
        at_least: exposures of a block.

    Raises:
        DataError: there is nothing to judge, or an exposure is not mature by the end of the log.

    Example:
        >>> from thence.conversion.exposures import NEVER
        >>> shown = Exposures.make([0, 1, 2, 3], [NEVER, 4, NEVER, 9], window=20, until=50)
        >>> made = Predictions(np.arange(4), np.array([0.1, 0.4, 0.4, 0.8], "f"), np.zeros(4, int), {})
        >>> found = judge(shown, made).figures()
        >>> found["AUC"], round(found["calibration"], 3)
        (0.875, 0.85)
    """
    index, p = predictions.index, predictions.probability.astype(np.float64)
    if not len(index):
        raise DataError("there is nothing to judge")
    if not exposures.mature[index].all():
        raise DataError(
            "an exposure is judged whose label is not final", fix="End the stream a window earlier."
        )
    y, time = exposures.converted[index], exposures.time[index]
    block = joined_blocks(predictions.block, at_least)
    size = int(block.max()) + 1
    tables: dict[str, Mapping[str, Any]] = {}
    if group is not None:
        bucket = ages.group_bucket(ages.group_age(exposures.time, group)[index])
        tables["group"] = _table(bucket, ages.GROUP_NAMES, block, y, p)
    if config is not None:
        refreshed = config.start + predictions.block.astype(np.int64) * config.step
        bucket = ages.model_bucket(time - refreshed, config.step)
        tables["model"] = _table(bucket, ages.model_names(config.step), block, y, p)
    if segment is not None:
        names, place = _largest(np.asarray(segment)[index])
        tables["segment"] = _table(place, names, np.zeros_like(block), y, p)
    parts = [np.flatnonzero(block == at) for at in range(size)]
    both = [len(part) > 0 and 0 < y[part].sum() < len(part) for part in parts]
    return Judged(
        start=np.array([time[part].min() for part in parts]),
        count=np.bincount(block, minlength=size),
        converted=np.bincount(block[y], minlength=size),
        predicted=np.bincount(block, p, size),
        surprise=np.bincount(block, surprise(y, p), size),
        auc=np.array([auc(y[q], p[q]) if ok else np.nan for q, ok in zip(parts, both, strict=True)]),
        pr_auc=np.array([pr_auc(y[q], p[q]) if ok else np.nan for q, ok in zip(parts, both, strict=True)]),
        ece=ece(y, p),
        tables=tables,
        told=dict(predictions.told),
    )


def joined_blocks(block: np.ndarray, at_least: int) -> np.ndarray:
    """Blocks numbered from 0, neighbours joined until each has enough exposures.

    Example:
        >>> joined_blocks(np.array([3, 3, 4, 5, 5, 9]), 2).tolist()
        [0, 0, 1, 1, 1, 1]
    """
    names, place, counts = np.unique(block, return_inverse=True, return_counts=True)
    new, number, held = np.zeros(len(names), np.int64), 0, 0
    for at, count in enumerate(counts):
        if held >= at_least:
            number, held = number + 1, 0
        new[at] = number
        held += int(count)
    if held < at_least and number:
        new[new == number] = number - 1  # too few are left over for a block of their own
    return new[place]


def _table(
    bucket: np.ndarray, names: tuple[str, ...], block: np.ndarray, y: np.ndarray, p: np.ndarray
) -> dict[str, Any]:
    rows, width = int(block.max()) + 1, len(names)
    cell = block * width + bucket

    def sums(weight: np.ndarray) -> np.ndarray:
        return np.bincount(cell, weight, rows * width).reshape(rows, width)

    return {
        "names": list(names),
        "count": sums(np.ones(len(y))).astype(np.int64),
        "converted": sums(y.astype(np.float64)).astype(np.int64),
        "predicted": sums(p),
    }


def _largest(segment: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    """Names and places of the largest segments; the others are one."""
    names, place, counts = np.unique(segment, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(names), np.int64)
    rank[order] = np.arange(len(names))
    shown = [str(name) for name in names[order[:SEGMENTS]]]
    if len(names) > SEGMENTS:
        shown.append("all others")
    return tuple(shown), np.minimum(rank[place], SEGMENTS)
