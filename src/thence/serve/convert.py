"""Whether exposures will convert: columns by name in, probabilities out, with what there is to know of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from thence.base.errors import ArtifactError, DataError, ThenceError
from thence.conversion.delays import still
from thence.conversion.features import Features
from thence.events.clock import SECOND, iso
from thence.serve.problems import RefusedError
from thence.serve.schemas_convert import Column, Converted, ConvertedMany, ConvertModel
from thence.serve.schemas_figures import HeldOut

if TYPE_CHECKING:
    from thence.conversion.model import ConversionModel
    from thence.serve.models import Models


def converted(models: Models, columns: dict[str, Any], elapsed: float | None = None) -> Converted:
    """The answer to one exposure: its columns by name, one value each.

    Args:
        models: what is served.
        columns: of the exposure.
        elapsed: seconds since it was made, in which nothing has come; None where that is not asked.

    Raises:
        RefusedError: the columns do not fit, or the model does not know how late conversions come (422).
    """
    model = asked(models)
    features = features_of(model, {name: [value] for name, value in columns.items()})
    (chance,) = model.predict_proba(features)[:, 1].tolist()
    answer = Converted(probability=round(chance, 9), **said(model))
    if elapsed is None:
        return answer
    try:
        (come,) = model.delay_by(features, elapsed * SECOND).tolist()
    except DataError as error:
        raise RefusedError(422, error.what, fix=error.fix, model_version=model.version) from error
    answer.elapsed, answer.come = elapsed, round(come, 9)
    answer.later = round(float(still(chance, come)), 9)
    return answer


def converted_many(models: Models, columns: dict[str, list[Any]]) -> ConvertedMany:
    """The answer to several exposures: columns by name, one value an exposure."""
    model = asked(models)
    return ConvertedMany(probability=_chances(model, columns), **said(model))


def described(models: Models) -> ConvertModel:
    """What the conversion model is and which columns it asks for."""
    model = asked(models)
    columns = [Column(**column) for column in model.schema.described()]
    return ConvertModel(network=model.net.kind, columns=columns, **said(model))


def asked(models: Models) -> ConversionModel:
    """The conversion model that is served.

    Raises:
        RefusedError: the bundle has none (404).
    """
    model = models.conversion
    if model is None:
        raise RefusedError(
            404,
            "no conversion model is served",
            fix="Start the service with: thence serve --conversion MODEL",
            model_version=models.version or None,
        )
    return model


def try_model(model: ConversionModel) -> None:
    """Ask a conversion model two questions before it is published.

    Raises:
        ArtifactError: it does not answer with probabilities, or its figures are none.
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
    held_out(model)


def held_out(model: ConversionModel) -> HeldOut | None:
    """The judgement that was kept with the model.

    Raises:
        ArtifactError: it is none.
    """
    if model.figures is None:
        return None
    try:
        return HeldOut.model_validate(model.figures)
    except ValidationError as error:
        what = error.errors()[0]
        where = ".".join(map(str, what["loc"]))
        raise ArtifactError(
            f"the model's figures are malformed: {where}: {what['msg']}",
            where=repr(model),
            fix="Judge it again with thence conversion judge.",
        ) from error


def _chances(model: ConversionModel, columns: dict[str, list[Any]]) -> list[float]:
    return [round(chance, 9) for chance in model.predict_proba(features_of(model, columns))[:, 1].tolist()]


def features_of(model: ConversionModel, columns: dict[str, list[Any]]) -> Features:
    """The columns as the model takes them.

    Raises:
        RefusedError: a column is unknown or missing, or a value is of another type (422).
    """
    try:
        return model.schema.features(columns)
    except DataError as error:
        where = "See GET /v1/convert for the columns."
        fix = f"{error.fix} {where}" if error.fix else where
        raise RefusedError(422, error.what, fix=fix, model_version=model.version) from error


def said(model: ConversionModel) -> dict[str, Any]:
    """What every answer carries."""
    return {
        "model_version": model.version,
        "estimator": model.estimator,
        "label_horizon": model.window // SECOND,
        "label_age": model.label_age // SECOND,
        "known_until": iso(model.clock),
    }
