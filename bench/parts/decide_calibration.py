"""How well calibrated rates are on the world of clicks: ECE in ten bins of equal mass, on cases unseen."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

from common import over_seeds, say
from thence.decide.calibrate import Beta, Isotonic, Plane, Platt, VennAbers, VennAbersLevels, reliability
from thence.decide.clicks import ClicksConfig, simulate_clicks
from thence.decide.sample import Sample
from thence.decide.surface.smooth import cross_fitted

Rate = Callable[[Sample], np.ndarray]


def calibration(arguments: argparse.Namespace) -> dict[str, float]:
    """``clicks_world_tauT_calibration.METHOD.ECE``, and its worst over three levels of uncertainty."""
    found: dict[str, float] = {}
    for tau in (1, 5):
        runs = []
        for seed in range(1 if arguments.quick else min(arguments.seeds, 3)):
            world = simulate_clicks(ClicksConfig(sampling=tau), seed)
            runs.append(_one(world.fit, world.test))
        told = over_seeds(runs)
        for key in told:
            if key.endswith((".ECE", ".ECE_worst_level")):
                say(f"  tau {tau} {key:<36} {told[key]:.4f}")
        found |= {f"clicks_world_tau{tau}_calibration.{key}": value for key, value in told.items()}
    return found


def _one(fit: Sample, test: Sample) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, rate in _fitted(fit).items():
        table = reliability(rate(test), test.uncertainty, test.label)
        found |= {f"{name}.ECE": table.ece, f"{name}.ECE_worst_level": float(table.level_ece.max())}
    return found


def _fitted(fit: Sample) -> dict[str, Rate]:
    """Rates by method; those of the score alone first."""
    beta, platt = Beta.fit(fit.score, fit.label), Platt.fit(fit.score, fit.label)
    isotonic, venn_abers = Isotonic.fit(fit.score, fit.label), VennAbers.fit(fit.score, fit.label)
    plane = Plane.fit(fit.score, fit.uncertainty, fit.label)
    levels = VennAbersLevels.fit(fit.score, fit.uncertainty, fit.label)
    smooth = cross_fitted(fit)[0]
    return {
        "raw": lambda sample: sample.score,
        "beta": lambda sample: beta.rate(sample.score),
        "platt": lambda sample: platt.rate(sample.score),
        "isotonic": lambda sample: isotonic.rate(sample.score),
        "venn_abers": lambda sample: venn_abers.rate(sample.score),
        "venn_abers_levels": lambda sample: levels.rate(sample.score, sample.uncertainty),
        "plane": lambda sample: plane.rate(sample.score, sample.uncertainty),
        "smooth": lambda sample: smooth.rate(sample.score, sample.uncertainty),
    }
