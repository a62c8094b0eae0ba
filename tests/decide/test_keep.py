"""Rules and surfaces through artifacts and back, to the byte; and what of an artifact is refused."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from thence.base.errors import ArtifactError, ThenceError
from thence.base.rng import generator
from thence.decide.calibrate import Plane, ShrunkCells, VennAbersLevels
from thence.decide.keep import kept_rule, kept_surface, rule_of, surface_of
from thence.decide.rule import Above, Rectangle, Thresholds
from thence.decide.sample import Sample
from thence.decide.surface.posterior import EvidencePosterior
from thence.decide.surface.smooth import fit_smooth

RNG = generator(0, "tests", "keep")
SCORE, UNSURE = RNG.random((2, 600)) * 0.98 + 0.01
SAMPLE = Sample.make(SCORE, UNSURE, RNG.random(600) < SCORE * (1 - UNSURE))
COLUMNS = SAMPLE.score, SAMPLE.uncertainty, SAMPLE.label
SURFACES: dict[str, Any] = {
    "smooth": fit_smooth(SAMPLE),
    "evidence": EvidencePosterior(0.3, 4.0, 5.0),
    "plane": Plane.fit(*COLUMNS),
    "cells": ShrunkCells.fit(*COLUMNS),
    "venn_abers_levels": VennAbersLevels.fit(*COLUMNS, levels=2, enough=5),
}
RULES: dict[str, Any] = {
    "thresholds": Thresholds(np.array([0.2, 0.5]), np.array([0.1, np.inf, -np.inf])),
    "whole numbers": Thresholds(np.array([1]), np.array([2, 3])),
    "single": Thresholds(np.empty(0), np.array([0.3])),
    "rectangle": Rectangle(0.3, 0.7, below=False),
    "everything": Rectangle(-np.inf, np.inf),
    "never": Above(SURFACES["smooth"], np.inf),
} | {f"above.{name}": Above(surface, 0.1 + 0.2) for name, surface in SURFACES.items()}
ONE = {"threshold": [0.5], "score_knots": [0, 1], "unsure_knots": [0, 1], "log_odds": [[0, 1]] * 2}
each = pytest.mark.parametrize("name", RULES)


@each
def test_what_was_kept_comes_back_to_the_byte(name: str) -> None:
    kind, arrays = kept_rule(RULES[name])
    back = rule_of(kind, load(save({key: np.asarray(value, order="C") for key, value in arrays.items()})))
    again, same = kept_rule(back)
    assert again == kind and same.keys() == arrays.keys()
    for key, value in arrays.items():
        assert np.asarray(value).tobytes() == np.asarray(same[key]).tobytes(), key
    assert back.margin(SCORE, UNSURE).tobytes() == RULES[name].margin(SCORE, UNSURE).tobytes()


@pytest.mark.parametrize("name", SURFACES)
def test_surfaces_come_back_to_the_byte(name: str) -> None:
    kind, arrays = kept_surface(SURFACES[name])
    assert kind == name
    assert (
        surface_of(kind, arrays).rate(SCORE, UNSURE).tobytes() == SURFACES[name].rate(SCORE, UNSURE).tobytes()
    )


def told_or_sound(kind: str, arrays: Mapping[str, np.ndarray]) -> None:
    """It is refused, or decides, or says why it cannot; nothing else is raised."""
    try:
        rule = rule_of(kind, arrays)
    except ArtifactError:
        return
    with suppress(ThenceError):
        assert rule.act(SCORE, UNSURE).dtype == bool


@each
def test_missing_arrays_are_named(name: str) -> None:
    kind, arrays = kept_rule(RULES[name])
    for key in arrays:
        with pytest.raises(ArtifactError, match=f"{key.rpartition('.')[2]}.*missing|missing"):
            rule_of(kind, {other: value for other, value in arrays.items() if other != key})


@pytest.mark.parametrize(
    "name", [name for name in RULES if "." not in name or name.endswith(("smooth", "evidence"))]
)
def test_arrays_of_nan_of_other_axes_and_of_words_are_refused(name: str) -> None:
    kind, arrays = kept_rule(RULES[name])
    for key, value in arrays.items():
        wrong = [
            value[None],
            np.array(["word"]),
            np.array([None, 1], object),
            np.array(0.5),
            np.zeros(len(value) + 1),
        ]
        if value.size:
            nan = np.array(value, float)
            nan.flat[-1] = np.nan
            wrong += [nan, value[:-1]]
        for other in wrong:
            if name == "single" and key == "cuts" and other.shape == (1,) and other.dtype == float:
                continue  # one cut and one threshold
            with pytest.raises(ArtifactError):
                rule_of(kind, {**arrays, key: other})


@each
def test_random_bytes_are_refused_or_do_no_harm(name: str) -> None:
    kind, arrays = kept_rule(RULES[name])
    rng = generator(1, "bytes", name)
    for _ in range(20):
        for key, value in arrays.items():
            if np.asarray(value).nbytes:
                noise = np.frombuffer(rng.bytes(value.nbytes), value.dtype).reshape(value.shape)
                with np.errstate(all="ignore"):
                    told_or_sound(kind, {**arrays, key: noise})


@pytest.mark.parametrize(
    ("kind", "arrays"),
    [
        ("thresholds", {"cuts": [2.0, 1.0], "threshold": [0.1, 0.2, 0.3]}),
        ("thresholds", {"cuts": [1.0, 1.0], "threshold": [0.1, 0.2, 0.3]}),
        ("thresholds", {"cuts": [1.0], "threshold": [0.1]}),
        ("thresholds", {"cuts": [], "threshold": []}),
        ("rectangle", {"limits": [0.5, 0.5]}),
        ("rectangle", {"limits": [0.5, 0.5, 0.5]}),
        ("above.evidence", {"threshold": [0.5], "prior": [0.0, 1.0, 1.0]}),
        ("above.evidence", {"threshold": [0.5], "prior": [1.0, 1.0]}),
        ("above.evidence", {"threshold": [0.5], "prior": [1.0, 1.0, 0.5]}),
        ("above.evidence", {"threshold": [0.5, 0.6], "prior": [1.0, 1.0, 1.0]}),
        ("above.smooth", ONE | {"score_knots": [0.0], "log_odds": [[0, 1.0]]}),
        ("above.smooth", ONE | {"log_odds": [[0, 1.0]] * 3}),
        ("above.smooth", ONE | {"score_knots": [0, np.inf]}),
        ("above.smooth", ONE | {"log_odds": [[0, np.inf]] * 2}),
    ],
)  # fmt: skip
def test_parts_that_do_not_fit_together_are_refused(kind: str, arrays: dict) -> None:
    with pytest.raises(ArtifactError):
        rule_of(kind, {key: np.array(value, float) for key, value in arrays.items()})


@pytest.mark.parametrize(
    "kind", ["", "threshold", "above", "above.", "above.smoth", "rectangles", "thresholds2"]
)
def test_unknown_kinds_are_refused(kind: str) -> None:
    with pytest.raises(ArtifactError):
        rule_of(kind, {"threshold": np.array([0.5])})


def test_others_are_not_kept() -> None:
    class Own:
        def rate(self, score, uncertainty):
            return np.zeros(len(score))

    with pytest.raises(ArtifactError, match="cannot be kept"):
        kept_rule(Above(Own(), 0.5))
    with pytest.raises(ArtifactError, match="cannot be kept"):
        kept_rule(Own())  # type: ignore[arg-type]


def test_what_is_kept_runs_no_code() -> None:
    """No line of the module loads anything but arrays."""
    import thence.decide.keep as module

    assert module.__file__ is not None
    text = Path(module.__file__).read_text("utf-8")
    assert not any(word in text for word in ("pickle", "eval(", "exec(", "allow_pickle", "torch.load"))
