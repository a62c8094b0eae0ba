"""Predictions of streams on disk: by estimator and seed, with the span of the stream that made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError
from thence.conversion.stream import Predictions, StreamConfig

KIND = "conversion-predictions"
COLUMNS = ("estimator", "seed", "exposure", "block", "probability")


@dataclass(frozen=True, eq=False)
class Streamed:
    """What estimators predicted on one stream.

    Args:
        runs: by estimator, the predictions of each seed.
        start: first clock, microseconds UTC.
        step: from one refresh to the next, microseconds.
        of: a digest of the exposures that ``exposure`` counts in.
        window: their attribution window in microseconds, 0 where unknown.

    Example:
        >>> import tempfile
        >>> made = Predictions(np.array([4, 7]), np.array([0.25, 0.5], "f"), np.array([0, 1]), {"rows": 9.0})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Streamed({"wait": [made]}, start=0, step=10).save(f"{folder}/made")
        ...     Streamed.load(f"{folder}/made").runs["wait"][0]
        Predictions(2 exposures in 2 blocks)
    """

    runs: Mapping[str, Sequence[Predictions]]
    start: int
    step: int
    of: str = ""
    window: int = 0

    @property
    def config(self) -> StreamConfig:
        """Start and step as a judge takes them."""
        return StreamConfig(self.start, self.step)

    def table(self) -> pa.Table:
        """One row a prediction: estimator, seed, exposure, block, probability."""
        parts = [
            pa.table(
                {
                    "estimator": pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(one), np.int8)), [name]),
                    "seed": np.full(len(one), seed, np.int32),
                    "exposure": one.index.astype(np.int64),
                    "block": one.block.astype(np.int32),
                    "probability": one.probability.astype(np.float32),
                }
            )
            for name, each in self.runs.items()
            for seed, one in enumerate(each)
        ]
        return pa.concat_tables(parts).unify_dictionaries()

    def save(self, folder: str | Path) -> None:
        """Write them as an artifact; the rows are ``predictions.parquet`` inside."""
        with write_artifact(folder, KIND) as draft:
            draft.table("predictions", self.table())
            told = [[name, [dict(one.told) for one in each]] for name, each in self.runs.items()]
            span = {"start": self.start, "step": self.step, "window": self.window}
            draft.config.update(span, of=self.of, told=told)
            draft.counts["predictions"] = sum(len(one) for each in self.runs.values() for one in each)

    @classmethod
    def load(cls, folder: str | Path) -> Streamed:
        """Open saved predictions.

        Raises:
            ArtifactError: they are absent, torn, or something else.
        """
        art = open_artifact(folder, KIND)
        try:
            table = art.table("predictions")
            column = {name: table[name].to_numpy() for name in COLUMNS[1:]}
            names = np.asarray(table["estimator"].cast(pa.string()).to_pylist(), dtype=str)
            runs: dict[str, list[Predictions]] = {}
            for name, each in art.config["told"]:
                for seed, told in enumerate(each):
                    rows = (names == name) & (column["seed"] == seed)
                    index, p, block = (column[key][rows] for key in ("exposure", "probability", "block"))
                    runs.setdefault(name, []).append(Predictions(index, p, block.astype(np.int64), told))
            span = (art.config[key] for key in ("start", "step", "of", "window"))
            return cls(runs, *span)
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"inconsistent predictions: {error!r}", where=folder) from error
