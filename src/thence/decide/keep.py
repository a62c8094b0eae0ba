"""Rules and surfaces as names and arrays, and back: an artifact can hold each of them, and none runs code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from thence.base.errors import ArtifactError, ConfigError, nearest
from thence.decide.calibrate.keep import calibrator_of, kind_of
from thence.decide.rule import Above, Rectangle, Rule, Surface, Thresholds
from thence.decide.surface.posterior import EvidencePosterior
from thence.decide.surface.smooth import SmoothSurface

Arrays = dict[str, np.ndarray]
RULES = ("thresholds", "rectangle", "above")


def kept_rule(rule: Rule) -> tuple[str, Arrays]:
    """The name of a rule's kind, and what to keep of it.

    Raises:
        ArtifactError: it is none of the library's.

    Example:
        >>> kind, arrays = kept_rule(Rectangle(0.5, 2.0))
        >>> kind, rule_of(kind, arrays)
        ('rectangle', Rectangle(score=0.5, uncertainty=2.0, below=True))
    """
    if isinstance(rule, Thresholds):
        return "thresholds", {
            "cuts": np.asarray(rule.cuts, float),
            "threshold": np.asarray(rule.threshold, float),
        }
    if isinstance(rule, Rectangle):
        return "rectangle", {"limits": np.array([rule.score, rule.uncertainty, float(rule.below)])}
    if isinstance(rule, Above):
        kind, arrays = kept_surface(rule.surface)
        return f"above.{kind}", {"threshold": np.array([rule.threshold], float), **arrays}
    raise ArtifactError(f"a rule of type {type(rule).__name__} cannot be kept")


def rule_of(kind: str, arrays: Mapping[str, np.ndarray]) -> Rule:
    """The rule that was kept.

    Raises:
        ArtifactError: the kind is unknown, or an array is missing or of another shape.
    """
    name, _, surface = kind.partition(".")
    with _fitting_together(f"{name} rule"):
        if name == "thresholds":
            cuts, threshold = _rising(arrays["cuts"]), _floats(arrays["threshold"], 1)
            if len(threshold) != len(cuts) + 1:
                raise ArtifactError(f"{len(threshold)} thresholds for {len(cuts)} cuts")
            return Thresholds(cuts, threshold)
        if name == "rectangle":
            score, unsure, below = _floats(arrays["limits"], 1).tolist()
            if below not in (0, 1):
                raise ArtifactError(f"a rectangle of side {below}")
            return Rectangle(score, unsure, bool(below))
        if name == "above":
            (threshold,) = _floats(arrays["threshold"], 1).tolist()
            return Above(surface_of(surface, arrays), threshold)
    raise ArtifactError(f"no rule {kind!r}", fix=nearest(kind, RULES))


def kept_surface(surface: Surface) -> tuple[str, Arrays]:
    """The name of a surface's kind, and what to keep of it.

    Raises:
        ArtifactError: it is none of the library's.
    """
    if isinstance(surface, SmoothSurface):
        return "smooth", {
            "score_knots": surface.score_knots,
            "unsure_knots": surface.unsure_knots,
            "log_odds": surface.log_odds,
        }
    if isinstance(surface, EvidencePosterior):
        return "evidence", {"prior": np.array([surface.positive, surface.negative, surface.sampling], float)}
    kept: Any = surface
    return kind_of(surface), kept.arrays()


def surface_of(kind: str, arrays: Mapping[str, np.ndarray]) -> Surface:
    """The surface that was kept.

    Raises:
        ArtifactError: the kind is unknown, or an array is missing or of another shape.
    """
    with _fitting_together(f"{kind} surface"):
        if kind == "smooth":
            score, unsure = _rising(arrays["score_knots"]), _rising(arrays["unsure_knots"])
            odds = _floats(arrays["log_odds"], 2)
            if odds.shape != (len(score), len(unsure)) or min(odds.shape) < 2:
                raise ArtifactError(f"rates {odds.shape} at {len(score)} × {len(unsure)} knots")
            if not all(np.isfinite(column).all() for column in (score, unsure, odds)):
                raise ArtifactError("knots or rates that are not finite")
            return SmoothSurface(score, unsure, odds)
        if kind == "evidence":
            positive, negative, sampling = _floats(arrays["prior"], 1).tolist()
            return EvidencePosterior(positive, negative, sampling)
    return calibrator_of(kind, arrays)


@contextmanager
def _fitting_together(what: str) -> Iterator[None]:
    """Arrays that are missing or cannot be used, as errors of the artifact that held them."""
    try:
        yield
    except KeyError as error:
        raise ArtifactError(f"array {error.args[0]!r} of a {what} is missing") from error
    except (TypeError, ValueError, ConfigError) as error:
        raise ArtifactError(f"the arrays of a {what} do not fit together: {error}") from error


def _floats(values: np.ndarray, axes: int) -> np.ndarray:
    found = np.asarray(values, np.float64)
    if found.ndim != axes or np.isnan(found).any():
        raise ArtifactError(f"an array of shape {found.shape} with NaN or of other axes than {axes}")
    return found


def _rising(values: np.ndarray) -> np.ndarray:
    found = _floats(values, 1)
    if (np.diff(found) <= 0).any():
        raise ArtifactError("knots or cuts that do not rise")
    return found
