"""What to do with cases: scores and uncertainties in, or the columns of exposures; decisions out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from thence.base.errors import ArtifactError, DataError, ThenceError
from thence.serve import convert
from thence.serve.picture import picture
from thence.serve.problems import RefusedError
from thence.serve.schemas_convert import Converted, ConvertedMany
from thence.serve.schemas_decide import Decided, DecidedMany, DecidePolicy, Decision, ManyCases, OneCase
from thence.serve.schemas_figures import DecideMap

if TYPE_CHECKING:
    from thence.conversion.model import ConversionModel
    from thence.decide.policy import Policy
    from thence.serve.models import Models

TRIED = 3


def decided(models: Models, case: OneCase) -> Decided:
    """The answer to one case."""
    columns = None if case.columns is None else {name: [value] for name, value in case.columns.items()}
    score = None if case.score is None else [case.score]
    unsure = None if case.uncertainty is None else [case.uncertainty]
    many = decided_many(models, ManyCases.model_construct(score=score, uncertainty=unsure, columns=columns))
    converted = None
    if many.converted is not None:
        about = many.converted.model_dump(exclude={"probability"})
        converted = Converted(probability=many.converted.probability[0], **about)
    one = many.decisions[0].model_dump()
    return Decided(policy_version=many.policy_version, converted=converted, **one)


def decided_many(models: Models, cases: ManyCases) -> DecidedMany:
    """The answer to several cases.

    Raises:
        RefusedError: no policy is served, or no model for columns (404); neither scores nor columns are given,
            or both; an uncertainty is missing; columns do not fit the model (422).
    """
    policy = asked(models)
    if (cases.score is None) == (cases.columns is None):
        raise _refused(policy, "give either a score or columns", "See GET /v1/decide.")
    if cases.columns is not None:
        if cases.uncertainty is not None:
            raise _refused(policy, "an uncertainty is given beside columns, of which it is worked out")
        score, unsure, converted = _of_columns(models, policy, cases.columns)
    else:
        score = np.array(cases.score, np.float64)
        unsure = None if cases.uncertainty is None else np.array(cases.uncertainty, np.float64)
        if unsure is not None and len(unsure) != len(score):
            raise _refused(policy, f"{len(score)} scores and {len(unsure)} uncertainties")
        converted = None
    return DecidedMany(
        policy_version=policy.version, decisions=_decisions(policy, score, unsure), converted=converted
    )


def described(models: Models) -> DecidePolicy:
    """What the policy is best in, and what it asks for."""
    policy = asked(models)
    told = policy.told
    return DecidePolicy(
        policy_version=policy.version,
        target=told.get("target"),
        bound=told.get("bound"),
        confidence=told.get("confidence"),
        miss=told.get("miss"),
        asks=policy.ask < 0,
        needs_uncertainty=policy.asks_uncertainty,
        uses_uncertainty=bool(told.get("uses_uncertainty", True)),
        fitted_to=(told.get("model") or {}).get("version"),
        takes_columns=models.conversion is not None and told.get("model") is not None,
    )


def mapped(models: Models) -> DecideMap:
    """The picture of the served policy."""
    policy = asked(models)
    return DecideMap(
        policy_version=policy.version,
        method=policy.told.get("method"),
        unsure="given" if policy.sure is None else policy.sure.kind,  # type: ignore[arg-type]
        picture=picture(policy),
    )


def asked(models: Models) -> Policy:
    """The policy that is served.

    Raises:
        RefusedError: there is none (404).
    """
    if models.policy is None:
        raise RefusedError(
            404,
            "no policy is served",
            fix="Start the service with: thence serve --policy FOLDER",
            model_version=models.version or None,
        )
    return models.policy


def try_policy(policy: Policy, conversion: ConversionModel | None = None) -> None:
    """Ask a policy a few questions before it is published.

    Raises:
        ArtifactError: it does not answer with actions and rates, its picture is none, or what tells it how sure
            the model is does not belong to the model.
    """
    if policy.sure is not None and conversion is not None:
        try:
            policy.sure.check(conversion)
        except DataError as error:
            raise ArtifactError(
                f"policy and model do not belong together: {error.what}", fix=error.fix
            ) from error
    score = np.linspace(*policy.span, TRIED)
    try:
        made = policy.decide(score, np.zeros(TRIED))
    except (ThenceError, ValueError, IndexError) as error:
        raise ArtifactError(f"the policy does not answer: {error}", where=repr(policy)) from error
    rates = np.stack([made.low, made.rate, made.high])
    if not ((rates >= 0) & (rates <= 1)).all() or np.isnan(made.margin).any():
        raise ArtifactError("the policy answers with no rates", where=repr(policy))
    picture(policy)


def _of_columns(
    models: Models, policy: Policy, columns: dict[str, list[Any]]
) -> tuple[np.ndarray, np.ndarray, ConvertedMany]:
    """Scores and uncertainties of exposures, and what /v1/convert answers."""
    model = convert.asked(models)
    if policy.told.get("model") is None:
        raise _refused(policy, "the policy was not fitted to a conversion model", "Send the score instead.")
    features = convert.features_of(model, columns)
    score = model.predict_proba(features)[:, 1]
    try:
        unsure = np.zeros(len(score)) if policy.sure is None else policy.sure.uncertainty(features, model)
    except DataError as error:
        raise _refused(policy, error.what, error.fix) from error
    chances = [round(chance, 9) for chance in score.tolist()]
    return score, unsure, ConvertedMany(probability=chances, **convert.said(model))


def _decisions(policy: Policy, score: np.ndarray, unsure: np.ndarray | None) -> list[Decision]:
    try:
        made = policy.decide(score, unsure)
    except DataError as error:
        raise _refused(policy, error.what, error.fix) from error
    names = made.named()
    given = [None] * len(score) if unsure is None else unsure.tolist()
    return [
        Decision(
            action=names[place],  # type: ignore[arg-type]
            score=float(score[place]),
            uncertainty=given[place],
            rate=float(made.rate[place]),
            low=float(made.low[place]),
            high=float(made.high[place]),
            needed=float(made.needed[place]) if math.isfinite(made.needed[place]) else None,
            why=policy.why(made, place),
        )
        for place in range(len(score))
    ]


def _refused(policy: Policy, what: str, fix: str | None = None) -> RefusedError:
    return RefusedError(422, what, fix=fix or "See GET /v1/decide.", model_version=policy.version)
