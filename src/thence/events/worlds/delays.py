"""How long after a view the purchase comes: a mixture of exponentials, cut at the attribution window.

With weights π_k, mean scales θ_k (days), a customer's own pace s and the window W,

    S(h) = P(delay > h | the customer buys) = Σ_k π_k (e^(-h / sθ_k) - e^(-W / sθ_k)) / (1 - e^(-W / sθ_k)).

A mixture of exponentials can come as near as wished to any delay with a falling hazard (Weibull shapes below 1,
log-normal tails), and its survival function stays in closed form, which is what makes it a *known* truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.base.errors import ConfigError

SHARE_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Delay:
    """Mixture of exponential delays.

    Args:
        shares: π_k, positive, adding up to 1.
        scales: θ_k, the mean of each part in days before it is cut at the window.
        spread: standard deviation of the logarithm of a customer's pace s; 0 when all wait alike.

    Raises:
        ConfigError: shares and scales differ in length, are not positive, or the shares do not add up to 1.

    Example:
        >>> day = Delay(shares=(1.0,), scales=(1.0,))
        >>> round(float(day.survival(1.0, window=1000.0)), 4)  # e^-1
        0.3679
    """

    shares: tuple[float, ...] = (0.34, 0.44, 0.22)
    scales: tuple[float, ...] = (0.01, 2.24, 1000.0)
    spread: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "shares", tuple(float(share) for share in self.shares))
        object.__setattr__(self, "scales", tuple(float(scale) for scale in self.scales))
        if not self.shares or len(self.shares) != len(self.scales):
            raise ConfigError(
                f"a delay has {len(self.shares)} shares but {len(self.scales)} scales",
                fix="Give one scale for each share.",
            )
        if not all(share > 0 for share in self.shares) or abs(sum(self.shares) - 1) > SHARE_TOLERANCE:
            raise ConfigError(
                f"the shares {self.shares} of a delay do not add up to 1", fix="Give positive shares."
            )
        if not all(0 < scale < np.inf for scale in self.scales) or not 0 <= self.spread <= 3:
            raise ConfigError("a delay's scale or spread is out of range", fix="Scales > 0, spread in 0 … 3.")

    @classmethod
    def criteo(cls, spread: float = 0.0) -> Delay:
        """Near the public Criteo conversion log: 35 % within an hour, half within a day, 18 % after a week.

        Reference: O. Chapelle, "Modeling delayed feedback in display advertising", KDD 2014.
        """
        return cls(spread=spread)

    def survival(self, days: np.ndarray | float, window: float, pace: np.ndarray | float = 1.0) -> np.ndarray:
        """S(days): the share of purchases that are still to come ``days`` after the view.

        Args:
            days: elapsed time in days, any shape.
            window: attribution window W in days.
            pace: the customer's pace s, broadcast against ``days``.
        """
        age = np.clip(np.asarray(days, np.float64), 0.0, window)
        total = np.zeros(np.broadcast(age, pace).shape)
        for share, scale in zip(self.shares, self.scales, strict=True):
            theta = scale * np.asarray(pace)
            kept = -np.expm1(-(window - age) / theta) * np.exp(-age / theta)
            total += share * kept / -np.expm1(-window / theta)
        return total

    def draw(self, part: np.ndarray, uniform: np.ndarray, window: float, pace: np.ndarray) -> np.ndarray:
        """Delays ``[n]`` in days, by the inverse of each part's distribution function.

        Args:
            part: ``[n]`` uniform numbers that choose the part of the mixture.
            uniform: ``[n]`` uniform numbers that choose the place inside it.
            window: attribution window W in days.
            pace: ``[n]`` the customers' paces.
        """
        chosen = np.searchsorted(np.cumsum(self.shares)[:-1], part, side="right")
        theta = np.asarray(self.scales)[chosen] * pace
        return -theta * np.log1p(uniform * np.expm1(-window / theta))
