"""Labelled cases for ``thence decide``: from a table of scores, or from exposures that a model scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from thence.cli.console import fail, say
from thence.cli.ingest import REJECTED

if TYPE_CHECKING:
    import numpy as np

    from thence.decide.exposed import Sure
    from thence.decide.policy import Policy
    from thence.decide.sample import Sample
    from thence.decide.table import Refused

USUAL = {"score": "score", "uncertainty": "uncertainty", "label": "label"}


@dataclass(frozen=True)
class Cases:
    """Labelled cases, and where they come from.

    Args:
        sample: the cases.
        segments: by name, values ``[len(sample)]`` of further columns.
        told: what a policy keeps of them: of a table, which columns hold what; of exposures, their model.
        sure: of exposures, how sure the model is of them.
    """

    sample: Sample
    segments: Mapping[str, np.ndarray]
    told: Mapping[str, Any]
    sure: Sure | None = None


def cases_of(
    source: Path,
    asked: Mapping[str, str | None],
    max_reject: float | None,
    policy: Policy | None = None,
    segments: Sequence[str] = (),
) -> Cases:
    """Cases of a table; what was refused is told."""
    from thence.decide.table import Columns, read_names, read_scores

    names = known(policy, asked)
    if policy is None and asked["uncertainty"] is None and names["uncertainty"] not in read_names(source):
        say(f"{source} has no column 'uncertainty': one threshold of the score is all that can be had")
        names["uncertainty"] = None
    columns = Columns(names["score"], names["uncertainty"], names["label"])
    found = read_scores(source, columns, segments)
    if found.refused.count:
        say(f"{source}: {found.refused}")
    check_refused(found.refused, max_reject)
    told = {"columns": {name: getattr(columns, name) for name in USUAL}}
    return Cases(found.sample, found.segments, told)


def check_refused(refused: Refused, max_reject: float | None) -> None:
    """End with code 3 where a larger share of the rows was refused than is allowed."""
    if max_reject is not None and refused.share > max_reject:
        fail(f"{refused.share:.2%} of the rows were refused, more than --max-reject {max_reject} allows")
        raise typer.Exit(REJECTED)


def known(policy: Policy | None, asked: Mapping[str, str | None]) -> dict[str, Any]:
    """Names of columns: as asked for, or as the policy was fitted on, or the usual ones."""
    kept = (policy.told.get("columns") if policy is not None else None) or USUAL
    return {name: asked.get(name) or kept.get(name) for name in USUAL}


def exposed(
    source: Path,
    model: Path,
    at: str | None,
    events: tuple[str, str],
    policy: Policy | None = None,
    *,
    kind: str = "evidence",
    columns: list[str] | None = None,
    segments: Sequence[str] = (),
) -> Cases:
    """Exposures that the model never saw (nor the policy, where there is one), with final labels."""
    from thence.base.errors import ConfigError, nearest
    from thence.cli.exposures import numeric_of, opened_exposures
    from thence.decide.exposed import matured_sample
    from thence.events.clock import DAY, iso

    opened = model_of(model, policy)
    exposures = opened_exposures(source, opened.window / DAY, None, numeric_of(opened, source), events)
    after = policy.told["model"]["until"] if policy is not None else None
    sure = policy.sure if policy is not None else None
    found = matured_sample(opened, exposures, at, after=after, sure=sure, kind=kind, columns=columns)
    names = exposures.features.names[: len(exposures.features.buckets)]
    for name in segments:
        if name not in names:
            raise ConfigError(f"no column of categories is called {name!r}", fix=nearest(name, names))
    codes = exposures.features.codes[found.rows]
    shown = {name: codes[:, names.index(name)] for name in segments}
    first = iso(int(exposures.time[found.rows[0]]))
    say(f"{source}: {found.sample!r} from {first} on, never seen by {opened!r}")
    about = {"version": opened.version, "estimator": opened.estimator, "until": found.until}
    return Cases(found.sample, shown, {"model": about}, found.sure)


def model_of(path: Path, policy: Policy | None) -> Any:
    """A conversion model; told where the policy was fitted to another one, or to none."""
    from thence.base.errors import ConfigError
    from thence.conversion.model import ConversionModel

    opened = ConversionModel.load(path)
    if policy is None:
        return opened
    fitted = policy.told.get("model")
    if fitted is None:
        raise ConfigError(
            "the policy was not fitted to a conversion model", fix="Leave --model, or fit it anew."
        )
    if fitted.get("version") != opened.version:
        say(f"the policy was fitted to version {fitted.get('version')} of the model, this is {opened.version}")
    return opened
