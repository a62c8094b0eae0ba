"""Whether exposures will convert: columns by name in, probabilities out, with what there is to know of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from thence.base.errors import ArtifactError, DataError, ThenceError
from thence.conversion.features import Features
from thence.events.clock import SECOND, iso
from thence.serve.problems import RefusedError
from thence.serve.schemas_convert import Column, Converted, ConvertedMany, ConvertModel

if TYPE_CHECKING:
    from thence.conversion.model import ConversionModel
    from thence.serve.store import Live


def converted(live: Live, columns: dict[str, Any]) -> Converted:
    """The answer to one exposure: its columns by name, one value each."""
    model = asked(live)
    (chance,) = _chances(model, {name: [value] for name, value in columns.items()})
    return Converted(probability=chance, **_said(model))


def converted_many(live: Live, columns: dict[str, list[Any]]) -> ConvertedMany:
    """The answer to several exposures: columns by name, one value an exposure."""
    model = asked(live)
    return ConvertedMany(probability=_chances(model, columns), **_said(model))


def described(live: Live) -> ConvertModel:
    """What the conversion model is and which columns it asks for."""
    model = asked(live)
    columns = [Column(**column) for column in model.schema.described()]
    return ConvertModel(network=model.net.kind, columns=columns, **_said(model))


def asked(live: Live) -> ConversionModel:
    """The conversion model that is live.

    Raises:
        RefusedError: the bundle has none (404).
    """
    model = live.bundle.conversion
    if model is None:
        raise RefusedError(
            404,
            "no conversion model is served",
            fix="Start the service with: thence serve RUN --conversion MODEL",
            model_version=live.version,
        )
    return model


def try_model(model: ConversionModel) -> None:
    """Ask a conversion model two questions before it is published.

    Raises:
        ArtifactError: it does not answer with probabilities.
    """
    schema = model.schema
    numbers = np.full((2, len(schema.names) - len(schema.buckets)), np.nan, np.float32)
    blank = Features(np.zeros((2, len(schema.buckets)), np.int32), numbers, schema.buckets, schema.names)
    try:
        found = model.predict_proba(blank)
    except ThenceError as error:
        raise ArtifactError(f"the conversion model does not answer: {error}", where=repr(model)) from error
    if found.shape != (2, 2) or not ((found >= 0) & (found <= 1)).all():
        raise ArtifactError("the conversion model answers with no probabilities", where=repr(model))


def _chances(model: ConversionModel, columns: dict[str, list[Any]]) -> list[float]:
    try:
        features = model.schema.features(columns)
    except DataError as error:
        where = "See GET /convert for the columns."
        fix = f"{error.fix} {where}" if error.fix else where
        raise RefusedError(422, error.what, fix=fix, model_version=model.version) from error
    return [round(chance, 9) for chance in model.predict_proba(features)[:, 1].tolist()]


def _said(model: ConversionModel) -> dict[str, Any]:
    """What every answer carries."""
    return {
        "model_version": model.version,
        "estimator": model.estimator,
        "label_horizon": model.window // SECOND,
        "label_age": model.label_age // SECOND,
        "known_until": iso(model.clock),
    }
