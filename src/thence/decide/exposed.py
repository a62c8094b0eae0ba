"""Decisions on exposures: the model's probability as the score, and how sure it is of each.

Either by evidence, how much training saw of an exposure's categories, or by Laplace on the model's last layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from thence.base.errors import ConfigError, DataError, nearest
from thence.conversion.exposures import Exposures
from thence.conversion.features import Features
from thence.decide.exposed_laplace import ExposureLaplace
from thence.decide.sample import Sample
from thence.decide.uncertainty.evidence import EvidenceCounts
from thence.decide.uncertainty.kept import Kept
from thence.events.clock import Moment, iso, micros

if TYPE_CHECKING:
    from thence.conversion.model import ConversionModel


@dataclass(frozen=True, eq=False, repr=False)
class ExposureEvidence:
    """How much training saw of an exposure's categories; make it with :meth:`fit`.

    Args:
        columns: names of the columns of categories that are counted.
        counts: examples and positive ones by bucket of each.

    Example:
        >>> from thence.conversion.exposures import NEVER
        >>> codes = np.repeat([0, 1], [300, 20])[:, None]
        >>> features = Features(codes, np.zeros((320, 0)), (2,), ("shop",))
        >>> bought = np.where(np.arange(320) % 4 == 0, np.arange(320) + 1, NEVER)
        >>> shown = Exposures.make(np.arange(320), bought, window=10, until=10_000, features=features)
        >>> often, seldom = ExposureEvidence.fit(shown).uncertainty(features.take(np.array([0, 319])))
        >>> bool(often < seldom)
        True
    """

    kind: ClassVar[str] = "evidence"
    columns: tuple[str, ...]
    counts: EvidenceCounts

    @classmethod
    def fit(cls, exposures: Exposures, columns: Sequence[str] | None = None) -> ExposureEvidence:
        """Count the mature exposures, with their final labels.

        Args:
            exposures: what the model was trained on, as it was known then.
            columns: of categories; all when None.

        Raises:
            ConfigError: there is no such column of categories.
            DataError: nothing is mature, all labels are the same, or there is no column of categories.
        """
        from thence.decide.uncertainty.conversion import counted

        return cls(*counted(exposures, columns))

    def check(self, model: ConversionModel) -> None:
        """Look whether a model has the categories.

        Raises:
            DataError: it has not.
        """
        self._check(model.schema.names[: len(model.schema.buckets)])

    def uncertainty(self, features: Features, model: ConversionModel | None = None) -> np.ndarray:
        """``-ln evidence`` of each row, ``[n]``; the model, whichever it is, has no say.

        Raises:
            DataError: a column that is counted is not there.
        """
        names = features.names[: len(features.buckets)]
        self._check(names)
        return -np.log(self.counts.evidence(features.codes[:, [names.index(name) for name in self.columns]]))

    def _check(self, names: Sequence[str]) -> None:
        missing = [name for name in self.columns if name not in names]
        if missing:
            raise DataError(f"no columns of categories {missing}", fix="The policy is of another model.")

    def told(self) -> list[str]:
        """Its settings: the columns."""
        return list(self.columns)

    def arrays(self) -> dict[str, np.ndarray]:
        """What to keep."""
        return self.counts.kept().arrays

    @classmethod
    def of(cls, columns: Sequence[str], arrays: Mapping[str, np.ndarray]) -> ExposureEvidence:
        """From what :meth:`arrays` kept.

        Raises:
            ArtifactError: an array is missing or of another shape.
        """
        names = tuple(str(name) for name in columns)
        return cls(names, EvidenceCounts.of(Kept({"columns": len(names)}, dict(arrays))))


Sure = ExposureEvidence | ExposureLaplace
"""How sure a model is of exposures."""
SURE: dict[str, type[ExposureEvidence] | type[ExposureLaplace]] = {
    each.kind: each for each in (ExposureEvidence, ExposureLaplace)
}


@dataclass(frozen=True, eq=False)
class Matured:
    """What became of exposures that a model had not seen.

    Args:
        sample: scores (probabilities), uncertainties and final labels, in the order of time.
        sure: None where evidence was asked for and the model knows no categories: the uncertainty is the same
            everywhere.
        rows: places of the cases among the exposures.
        until: all cases were made before it, microseconds UTC.
    """

    sample: Sample
    sure: Sure | None
    rows: np.ndarray
    until: int


def matured_sample(
    model: ConversionModel,
    exposures: Exposures,
    at: Moment | None = None,
    *,
    after: Moment | None = None,
    sure: Sure | None = None,
    kind: str = "evidence",
    columns: Sequence[str] | None = None,
) -> Matured:
    """Exposures that a model never saw and whose labels are final: what decisions are fitted to and judged by.

    Args:
        model: fitted; it saw nothing at or after its clock.
        exposures: from before the model's clock (what it was trained on) to long enough after it.
        at: the clock; that of the exposures when None.
        after: exposures made before it are left out; the model's clock when None.
        sure: found earlier; when None it is found here, on what the model was trained on.
        kind: ``evidence`` or ``laplace``, where it is found here.
        columns: of categories that are counted as evidence; all when None.

    Raises:
        DataError: the columns are not the model's, or no exposure since then has a final label.
        ConfigError: there is no such column of categories or kind, or Laplace cannot be had of the model.
    """
    from thence.decide.calibrate.matured import matured

    until = exposures.until if at is None else min(micros(at), exposures.until)
    since = max(model.clock, model.clock if after is None else micros(after))
    first, stop = exposures.since(since), int(exposures.before(until).mature.sum())  # they rise: mature first
    if stop <= first:
        raise DataError(
            f"no exposure since {iso(since)}, of which nothing was learned, has a final label yet",
            where="exposures",
            fix="Give a longer log, or a model that was fitted at an earlier --at.",
        )
    if sure is None:
        sure = _found(model, exposures, kind, columns)
    asked = exposures.features[first:stop]
    score, unsure = np.zeros((2, len(exposures)))
    score[first:stop] = model.predict_proba(asked)[:, 1]
    if sure is not None:
        unsure[first:stop] = sure.uncertainty(asked, model)
    sample = matured(exposures, until, score, unsure)[first:]
    return Matured(sample, sure, np.arange(first, stop), int(exposures.time[stop - 1]) + 1)


def _found(
    model: ConversionModel, exposures: Exposures, kind: str, columns: Sequence[str] | None
) -> Sure | None:
    """On what the model was trained on: exposures before its clock, and as they were known then."""
    if kind not in SURE:
        raise ConfigError(f"no uncertainty {kind!r} of a model", fix=nearest(kind, SURE))
    known = exposures.before(model.clock)
    if kind == "laplace":
        if columns is not None:
            raise ConfigError(
                "categories are counted as evidence alone", fix="Leave them, or ask for evidence."
            )
        return ExposureLaplace.fit(model, known)
    return ExposureEvidence.fit(known, columns) if exposures.features.buckets else None
