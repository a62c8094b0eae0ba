"""Calibration where labels come late: matured cohorts only.

Of an exposure whose window is still open a conversion may be known and its absence never is. Cases that are
taken as soon as they convert would therefore be too many positives, and those taken as they stand too few.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from thence.base.errors import DataError
from thence.decide.sample import Sample, finite

if TYPE_CHECKING:
    from thence.conversion.exposures import Exposures
    from thence.events.clock import Moment


def matured(exposures: Exposures, at: Moment, score: ArrayLike, uncertainty: ArrayLike | None = None) -> Sample:
    """The exposures whose window was over at a moment, with their final labels and what the model said of them.

    Nothing at or after the moment has any say: of the exposures, conversions and scores of later ones.

    Args:
        exposures: all of them; may reach beyond the moment.
        at: the clock, as a moment or microseconds UTC.
        score: ``[len(exposures)]`` in the order of the exposures, each from a model that never saw its label.
            Only those of matured exposures are looked at.
        uncertainty: likewise; None where the model does not know it.

    Raises:
        DataError: as many scores as exposures are not there, nothing had matured, or a score is not finite.

    Example:
        >>> from thence.conversion.exposures import Exposures
        >>> day = 86_400_000_000
        >>> shown = Exposures.make([0, day, 8 * day], [3 * day, 9 * day, 10 * day], window=7 * day)
        >>> matured(shown, 9 * day, [0.2, 0.3, 0.4])  # the second converts at the clock: nobody knows it yet
        Sample(2 cases, 1 positive)
        >>> matured(shown, 9 * day + 1, [0.2, 0.3, float("nan")])
        Sample(2 cases, 1 positive)
    """
    known = exposures.before(at)
    rows = np.flatnonzero(known.mature)
    for name, values in (("score", score), ("uncertainty", uncertainty)):
        if values is not None and len(np.asarray(values)) != len(exposures):
            raise DataError(
                f"{len(np.asarray(values)):,} values of {len(exposures):,} exposures",
                where=name,
                fix="Give one for each exposure, in their order.",
            )
    if not len(rows):
        raise DataError(_none_yet(known), where="exposures", fix="Wait, or choose a later moment.")
    unsure = None if uncertainty is None else finite(np.asarray(uncertainty)[rows], "uncertainty")
    return Sample.make(finite(np.asarray(score)[rows], "score"), unsure, known.converted[rows])


def final(exposures: Exposures) -> np.ndarray:
    """Final labels ``[n]`` bool of exposures that have all matured.

    Raises:
        DataError: a label is still open.

    Example:
        >>> from thence.conversion.exposures import Exposures
        >>> final(Exposures.make([0], [2], window=5, until=9)).tolist()
        [True]
    """
    from thence.events.clock import iso

    open_ = ~exposures.mature
    if open_.any():
        raise DataError(
            f"{int(open_.sum()):,} of {len(exposures):,} labels are still open at {iso(exposures.until)}",
            where="exposures",
            fix="Calibrate on matured(exposures, at, score), which leaves them out.",
        )
    return exposures.converted


def _none_yet(known: Exposures) -> str:
    from thence.conversion.exposures import NEVER
    from thence.events.clock import DAY, iso

    if not len(known):
        return "nothing was shown before the moment"
    clock = "" if known.until == NEVER else f" at {iso(known.until)}"
    ready = int(known.time[0]) + known.window + 1
    return f"no label is final{clock}: the window is {known.window / DAY:g} d, the first is at {iso(ready)}"
