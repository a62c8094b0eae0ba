"""Decisions on exposures: the model's probability as the score, the evidence behind it as the uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from thence.base.errors import ArtifactError, DataError
from thence.conversion.exposures import Exposures
from thence.conversion.features import Features
from thence.decide.sample import Sample
from thence.decide.uncertainty.evidence import EvidenceCounts
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
        from thence.decide.uncertainty.conversion import evidence_of

        counts = evidence_of(exposures, columns).inner
        if not isinstance(counts, EvidenceCounts):
            raise DataError("what was counted is not kept by category")
        names = exposures.features.names[: len(exposures.features.buckets)]
        return cls(tuple(names if columns is None else columns), counts)

    def uncertainty(self, features: Features) -> np.ndarray:
        """``-ln evidence`` of each row, ``[n]``.

        Raises:
            DataError: a column that is counted is not there.
        """
        names = features.names[: len(features.buckets)]
        missing = [name for name in self.columns if name not in names]
        if missing:
            raise DataError(f"no columns of categories {missing}", fix="The policy is of another model.")
        return -np.log(self.counts.evidence(features.codes[:, [names.index(name) for name in self.columns]]))

    def arrays(self) -> dict[str, np.ndarray]:
        """What to keep."""
        counts, kept = self.counts, {"rate": self.counts.rate, "strength": self.counts.strength}
        for place in range(len(self.columns)):
            kept |= {f"seen.{place}": counts.seen[place], f"positive.{place}": counts.positive[place]}
        return kept

    @classmethod
    def of(cls, columns: Sequence[str], arrays: Mapping[str, np.ndarray]) -> ExposureEvidence:
        """From what :meth:`arrays` kept.

        Raises:
            ArtifactError: an array is missing or of another shape.
        """
        try:
            seen, positive = (
                tuple(arrays[f"{name}.{place}"] for place in range(len(columns)))
                for name in ("seen", "positive")
            )
            rate, strength = arrays["rate"], arrays["strength"]
        except KeyError as error:
            raise ArtifactError(f"evidence without {error}") from error
        fits = all(
            n.ndim == 1 and n.shape == k.shape and n.dtype.kind in "iu" and (n >= k).all() and (k >= 0).all()
            for n, k in zip(seen, positive, strict=True)
        )
        if not fits or not rate.shape == strength.shape == (len(columns),) or not (strength > 0).all():
            raise ArtifactError("the evidence does not fit together")
        return cls(tuple(str(name) for name in columns), EvidenceCounts(seen, positive, rate, strength))


@dataclass(frozen=True, eq=False)
class Matured:
    """What became of exposures that a model had not seen.

    Args:
        sample: scores (probabilities), uncertainties and final labels, in the order of time.
        evidence: None where the model knows no categories, so that the uncertainty is the same everywhere.
        rows: places of the cases among the exposures.
        until: all cases were made before it, microseconds UTC.
    """

    sample: Sample
    evidence: ExposureEvidence | None
    rows: np.ndarray
    until: int


def matured_sample(
    model: ConversionModel,
    exposures: Exposures,
    at: Moment | None = None,
    *,
    after: Moment | None = None,
    evidence: ExposureEvidence | None = None,
    columns: Sequence[str] | None = None,
) -> Matured:
    """Exposures that a model never saw and whose labels are final: what decisions are fitted to and judged by.

    Args:
        model: fitted; it saw nothing at or after its clock.
        exposures: from before the model's clock (for the evidence) to long enough after it.
        at: the clock; that of the exposures when None.
        after: exposures made before it are left out; the model's clock when None.
        evidence: counted earlier; when None it is counted here, on what was mature at the model's clock.
        columns: of categories that are counted; all when None.

    Raises:
        DataError: the columns are not the model's, or no exposure since then has a final label.
        ConfigError: there is no such column of categories.
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
    if evidence is None and exposures.features.buckets:
        evidence = ExposureEvidence.fit(exposures.before(model.clock), columns)
    asked = exposures.features[first:stop]
    score, unsure = np.zeros((2, len(exposures)))
    score[first:stop] = model.predict_proba(asked)[:, 1]
    if evidence is not None:
        unsure[first:stop] = evidence.uncertainty(asked)
    sample = matured(exposures, until, score, unsure)[first:]
    return Matured(sample, evidence, np.arange(first, stop), int(exposures.time[stop - 1]) + 1)
