"""Whether the conversion model is right, and how late conversions come: what a model holds of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thence.events.clock import DAY, HOUR, MINUTE, SECOND
from thence.serve.convert import asked, held_out
from thence.serve.schemas_figures import ConvertFigures, Delays, Reading

if TYPE_CHECKING:
    from thence.conversion.delays import DelayCurve
    from thence.serve.models import Models

AGES = (
    *(count * MINUTE for count in (1, 5, 15)),
    *(count * HOUR for count in (1, 3, 6, 12)),
    *(count * DAY for count in (1, 2, 3, 7, 14, 30, 60, 90, 180)),
)
"""Ages at which it is told how much has come."""
LEAST, MOST = 0.02, 0.995
"""What is worth a line: so much more than at the age before, and not all."""


def figures(models: Models) -> ConvertFigures:
    """What the served model holds of itself."""
    model = asked(models)
    return ConvertFigures(
        model_version=model.version,
        own_delays=model.own_delays,
        delays=None if model.delays is None else _delays(model.delays),
        held_out=held_out(model),
    )


def _delays(curve: DelayCurve) -> Delays:
    return Delays(
        ages=(curve.ages / SECOND).tolist(),
        share=[round(share, 6) for share in curve.share.tolist()],
        conversions=curve.conversions,
        exposures=curve.exposures,
        median=curve.age(0.5) / SECOND,
        reading=_reading(curve),
    )


def _reading(curve: DelayCurve) -> list[Reading]:
    """How much has come at ages that people think in, where it is more than at the age before."""
    window, told = int(curve.ages[-1]), []
    for age in AGES:
        share = round(float(curve.by(age)), 4)
        if age < window and share <= MOST and share >= (told[-1].share if told else 0.0) + LEAST:
            told.append(Reading(age=age / SECOND, share=share))
    return told
