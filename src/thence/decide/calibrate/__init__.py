"""From scores to rates of positives: calibration by the score alone, and by score and uncertainty together."""

from thence.decide.calibrate.beta import Beta
from thence.decide.calibrate.cells import ShrunkCells
from thence.decide.calibrate.isotonic import Isotonic
from thence.decide.calibrate.keep import Calibrator, calibrator_of, kind_of
from thence.decide.calibrate.matured import matured
from thence.decide.calibrate.plane import Plane
from thence.decide.calibrate.platt import Platt
from thence.decide.calibrate.prior import PriorShift
from thence.decide.calibrate.reliability import Reliability, reliability
from thence.decide.calibrate.temperature import Temperature
from thence.decide.calibrate.venn_abers import VennAbers
from thence.decide.calibrate.venn_abers_levels import VennAbersLevels

__all__ = [
    "Beta",
    "Calibrator",
    "Isotonic",
    "Plane",
    "Platt",
    "PriorShift",
    "Reliability",
    "ShrunkCells",
    "Temperature",
    "VennAbers",
    "VennAbersLevels",
    "calibrator_of",
    "kind_of",
    "matured",
    "reliability",
]
