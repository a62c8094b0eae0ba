"""Any calibrator as a name and arrays, and back: an artifact can hold each of them, and none runs code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from thence.base.errors import ArtifactError, nearest


class Calibrator(Protocol):
    """A fitted curve from scores to rates."""

    def rate(self, score: ArrayLike) -> np.ndarray:
        """Rates ``[n]`` in [0, 1] of scores ``[n]``."""
        ...

    def arrays(self) -> dict[str, np.ndarray]:
        """What to keep."""
        ...


def kinds() -> dict[str, Any]:
    """Every calibrator by its name; ``plane``, ``cells`` and ``venn_abers_levels`` take the uncertainty too."""
    from thence.decide import calibrate as room

    return {
        "temperature": room.Temperature,
        "platt": room.Platt,
        "beta": room.Beta,
        "isotonic": room.Isotonic,
        "venn_abers": room.VennAbers,
        "prior": room.PriorShift,
        "plane": room.Plane,
        "cells": room.ShrunkCells,
        "venn_abers_levels": room.VennAbersLevels,
    }


def kind_of(calibrator: object) -> str:
    """The name to keep beside ``calibrator.arrays()``.

    Raises:
        ArtifactError: it is none of this room's.

    Example:
        >>> from thence.decide.calibrate import PriorShift
        >>> kept = kind_of(PriorShift(3.0)), PriorShift(3.0).arrays()
        >>> calibrator_of(*kept)
        PriorShift(tau=3.0, scale='probability')
    """
    for name, kind in kinds().items():
        if type(calibrator) is kind:
            return name
    raise ArtifactError(f"a calibrator of type {type(calibrator).__name__} cannot be kept")


def calibrator_of(kind: str, arrays: Mapping[str, np.ndarray]) -> Any:
    """The calibrator that was kept under a name as arrays.

    Raises:
        ArtifactError: the name is unknown, or an array is missing or of another shape.
    """
    known = kinds()
    if kind not in known:
        raise ArtifactError(f"no calibrator {kind!r}", fix=nearest(kind, known))
    try:
        return known[kind].of({name: np.asarray(values) for name, values in arrays.items()})
    except KeyError as error:
        raise ArtifactError(f"array {error.args[0]!r} of a {kind} calibrator is missing") from error
    except (IndexError, TypeError, ValueError) as error:
        raise ArtifactError(f"the arrays of a {kind} calibrator have other shapes than they should") from error
