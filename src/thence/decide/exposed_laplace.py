"""How sure a conversion model's last layer is of exposures: Laplace, kept apart from its model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from thence.base.errors import ArtifactError, DataError

if TYPE_CHECKING:
    from thence.conversion.exposures import Exposures
    from thence.conversion.features import Features
    from thence.conversion.model import ConversionModel
    from thence.decide.uncertainty.laplace import LastLayerLaplace


@dataclass(frozen=True, eq=False, repr=False)
class ExposureLaplace:
    """Variance of a model's logit by last-layer Laplace; make it with :meth:`fit`.

    It is of one version of the model: another one's last layer reads other features.

    Args:
        version: of the model.
        layer: name of its last layer.
        prior: precision of the layer's weights.
        projections: ``[r, d]`` float32, see :attr:`LastLayerLaplace.projections`.

    Example:
        >>> from thence.conversion.exposures import NEVER, Exposures
        >>> from thence.conversion.features import Features
        >>> from thence.conversion.model import ConversionModel, NetConfig
        >>> codes = np.repeat([0, 1], [300, 20])[:, None]
        >>> features = Features(codes, np.zeros((320, 0)), (2,), ("shop",))
        >>> bought = np.where(np.arange(320) % 4 == 0, np.arange(320) + 1, NEVER)
        >>> shown = Exposures.make(np.arange(320), bought, window=10, until=10_000, features=features)
        >>> model = ConversionModel("wait", net=NetConfig(hidden=(4,))).fit(shown)
        >>> often, seldom = ExposureLaplace.fit(model, shown).uncertainty(
        ...     features.take(np.array([0, 319])), model)
        >>> bool(0 < often < seldom)
        True
    """

    kind: ClassVar[str] = "laplace"
    version: str
    layer: str
    prior: float
    projections: np.ndarray
    _ready: list[tuple[ConversionModel, LastLayerLaplace]] = field(default_factory=list, init=False)

    @classmethod
    def fit(cls, model: ConversionModel, exposures: Exposures) -> ExposureLaplace:
        """From what the model was trained on; labels do not matter.

        Args:
            model: fitted, whose probability is the sigmoid of one logit.
            exposures: those that it was trained on.

        Raises:
            ConfigError: the model has more heads, another link, or a network without a last layer of its own.
            FitError: the model is not fitted.
        """
        from thence.decide.uncertainty.conversion import laplace_of

        found: Any = laplace_of(model, exposures).inner
        return cls(model.version, found.layer, found.prior, found.projections)

    def check(self, model: ConversionModel) -> None:
        """Look whether it is of a model.

        Raises:
            DataError: it is of another one, or of another version.
        """
        if model.version != self.version:
            raise DataError(
                f"Laplace is of version {self.version} of the model, this is {model.version}",
                fix="Fit the policy anew after each refresh of the model, or with evidence counts.",
            )

    def uncertainty(self, features: Features, model: ConversionModel) -> np.ndarray:
        """Variance of the logit of each row, ``[n]``.

        Raises:
            DataError: it is of another model, or the features do not fit it.
        """
        from thence.decide.uncertainty.conversion import tensors

        self.check(model)
        model.schema.check(features)
        return self._of(model).estimate(tensors(features)).uncertainty

    def told(self) -> dict[str, Any]:
        """Its settings."""
        return {"version": self.version, "layer": self.layer, "prior": self.prior}

    def arrays(self) -> dict[str, np.ndarray]:
        """What to keep."""
        return {"projections": self.projections}

    @classmethod
    def of(cls, told: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> ExposureLaplace:
        """From what :meth:`told` and :meth:`arrays` kept.

        Raises:
            ArtifactError: a part is missing or cannot be used.
        """
        try:
            version, layer, prior = str(told["version"]), str(told["layer"]), float(told["prior"])
            projections = arrays["projections"]
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"Laplace without {error}") from error
        if projections.ndim != 2 or projections.dtype != np.float32 or not np.isfinite(projections).all():
            raise ArtifactError(f"projections {projections.dtype} of shape {projections.shape}")
        return cls(version, layer, prior, projections)

    def _of(self, model: ConversionModel) -> LastLayerLaplace:
        """The estimator on a model's network, made once for it."""
        from thence.decide.uncertainty.laplace import LastLayerLaplace

        ready = self._ready[0] if self._ready else None
        if ready is None or ready[0] is not model:
            made = LastLayerLaplace.spread(model.learner.net, self.layer, self.projections, self.prior)
            ready = model, made
            self._ready[:] = [ready]
        return ready[1]
