"""The picture of a policy: rates in cells, its boundary, and what other wanted precisions would bring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from thence.base.errors import ArtifactError
from thence.evaluate.wilson import wilson
from thence.serve.schemas_figures import Picture

if TYPE_CHECKING:
    from thence.decide.policy import Policy


def picture(policy: Policy) -> Picture | None:
    """What was kept with a policy, with shares and their intervals.

    Raises:
        ArtifactError: it is no picture.
    """
    kept = policy.picture
    if kept is None:
        return None
    try:
        cases, positives = int(kept["cases"]), int(kept["positives"])
        steps = [
            step | {name: _tally(step[name], cases, positives) for name in ("boundary", "single")}
            for step in kept["steps"]
        ]
        return Picture.model_validate({**kept, "own": _tally(kept["own"], cases, positives), "steps": steps})
    except (ValidationError, KeyError, TypeError, ValueError) as error:
        raise ArtifactError(
            f"the policy's picture is malformed: {type(error).__name__}",
            where=repr(policy),
            fix="Fit it again with thence decide fit.",
        ) from error


def _tally(kept: Mapping[str, Any] | None, cases: int, positives: int) -> dict[str, Any] | None:
    """Counts with their shares."""
    if kept is None:
        return None
    taken, hits = int(kept["taken"]), int(kept["hits"])
    precision = _share(hits, taken) if taken else (None, None, None)
    names = [f"{what}{end}" for what in ("precision", "recall") for end in ("", "_low", "_high")]
    told = dict(zip(names, (*precision, *_share(hits, positives)), strict=True))
    return {**kept, **told, "share": _share(taken, cases)[0]}


def _share(hits: int, of: int) -> tuple[float, float, float]:
    if not 0 <= hits <= of or not of:
        raise ValueError(f"{hits} of {of}")
    low, high = wilson([hits], [of])
    return hits / of, float(low[0]), float(high[0])
