"""Estimators as artifacts: safetensors and JSON under a manifest of digests; opened, they answer to the bit."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

from torch import nn

from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError, ConfigError, nearest
from thence.decide.uncertainty.believed import UncertaintyEstimator
from thence.decide.uncertainty.kept import Kept, fitting_together

KIND = "uncertainty-estimator"
DESCRIPTION = "estimator.json"
CLASSES = {
    "evidence": ("evidence", "EvidenceCounts"),
    "laplace": ("laplace", "LastLayerLaplace"),
    "posterior": ("posterior", "PosteriorNetwork"),
    "natural": ("natural", "NaturalPosterior"),
    "shared_trunk": ("shared_trunk", "SharedTrunk"),
    "distance": ("distance", "DistanceAware"),
    "ensemble": ("ensemble", "DeepEnsemble"),
    "dropout": ("dropout", "MonteCarloDropout"),
}
"""Module and class by name."""


def save_estimator(estimator: UncertaintyEstimator, folder: str | Path) -> None:
    """Write an estimator as an artifact.

    Args:
        estimator: one of :data:`CLASSES`. Ensembles of scikit-learn's classifiers cannot be kept: only pickle
            knows them, and a pickle runs code.
        folder: where; an artifact that stands there is replaced.

    Raises:
        ArtifactError: it is none of these, or cannot be written.

    Example:
        >>> import tempfile, torch
        >>> from thence.decide.uncertainty.laplace import LastLayerLaplace
        >>> net, x = nn.Linear(2, 1), torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
        >>> sure = LastLayerLaplace.fit(net, x)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_estimator(sure, f"{folder}/sure")
        ...     again = load_estimator(f"{folder}/sure", nn.Linear(2, 1))
        >>> (again.estimate(x).uncertainty == sure.estimate(x).uncertainty).all().item()
        True
    """
    names = {of: name for name, (_, of) in CLASSES.items()}
    name, given = names.get(type(estimator).__name__), estimator
    if name is None or type(estimator) is not _class(name):
        raise ArtifactError(f"an estimator of type {type(estimator).__name__} cannot be kept")
    kept: Kept = given.kept()  # type: ignore[attr-defined]
    with write_artifact(folder, KIND) as draft:
        draft.tensors("arrays", {key: value.reshape(value.shape or 1) for key, value in kept.arrays.items()})
        shapes = {key: list(value.shape) for key, value in kept.arrays.items()}
        text = json.dumps({"is": name, "told": kept.told, "shapes": shapes}, indent=1, sort_keys=True)
        draft.path(DESCRIPTION).write_text(text + "\n", encoding="utf-8")
        draft.config.update(estimator=name)


def load_estimator(folder: str | Path, net: nn.Module | None = None) -> UncertaintyEstimator:
    """Open a saved estimator.

    Args:
        folder: where it lies.
        net: made as the one that the estimator was fitted to; its numbers do not matter and stay as they are.
            None for evidence counts, which have none.

    Raises:
        ArtifactError: it is absent, torn, tampered with, or of another network than this one.
        ConfigError: it stands on a network, and none is given.
    """
    art = open_artifact(folder, KIND)
    with fitting_together("saved estimator"):
        described = json.loads(art.path(DESCRIPTION).read_text("utf-8"))
        name, shapes = described["is"], described["shapes"]
        arrays = art.tensors("arrays")
        kept = Kept(described["told"], {key: value.reshape(shapes[key]) for key, value in arrays.items()})
    if name not in CLASSES:
        raise ArtifactError(f"no estimator is called {name!r}", where=folder, fix=nearest(name, CLASSES))
    if net is None and name != "evidence":
        raise ConfigError(
            f"{name} stands on a network, and none is given", where=folder, fix="Give one made alike."
        )
    with fitting_together(f"saved {name}"):
        return _class(name).of(kept) if net is None else _class(name).of(kept, net)


def _class(name: str) -> Any:
    module, of = CLASSES[name]
    return getattr(importlib.import_module(f"thence.decide.uncertainty.{module}"), of)
