"""A world of clicks with known truth: what is known of an id is what it was seen to do in training.

Each id has a true rate ``r ~ Beta(b₁, b₀)``; impressions fall on ids by Zipf's law, labels are Bernoulli(r),
and of the training negatives one in τ is kept. The model is the simplest that overfits rare ids: its score is
the smoothed training positivity ``(k + 1) / (n + 2)``, its uncertainty the entropy of ``Beta(k + 1, n - k +
1)``. It is the generator of theorem 3.1 of Arora et al. (ICLR 2024), so the best boundary is known in closed
form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thence.base.errors import ConfigError
from thence.base.rng import generator
from thence.decide.sample import Sample
from thence.decide.surface.posterior import EvidencePosterior, expected_rate
from thence.decide.uncertainty.entropies import beta_entropy


@dataclass(frozen=True)
class ClicksConfig:
    """How clicks are made.

    Args:
        ids: how many.
        train: impressions before negatives are left out.
        held: impressions for each of the three samples that follow.
        prior: b₁ and b₀ of the true rates.
        exponent: of Zipf's law over ids.
        sampling: τ; one in τ training negatives is kept.

    Raises:
        ConfigError: a count or rate that cannot be.
    """

    ids: int = 60_000
    train: int = 300_000
    held: int = 300_000
    prior: tuple[float, float] = (0.3, 4.0)
    exponent: float = 0.8
    sampling: float = 1.0

    def __post_init__(self) -> None:
        if min(self.ids, self.train, self.held) < 1 or min(self.prior) <= 0 or self.sampling < 1:
            raise ConfigError(f"{self}", fix="Counts and prior are positive, sampling is at least 1.")


@dataclass(frozen=True, eq=False, repr=False)
class Clicks:
    """Three samples after training, with what the truth is.

    Args:
        fit, hold, test: scores, uncertainties and labels of ``held`` impressions each.
        seen: by sample, training cases ``[held]`` of each impression's id.
        hits: by sample, positive ones among them.
        truth: by sample, true rates.
        config: what it was made with.
    """

    fit: Sample
    hold: Sample
    test: Sample
    seen: dict[str, np.ndarray]
    hits: dict[str, np.ndarray]
    truth: dict[str, np.ndarray]
    config: ClicksConfig

    def bayes(self, part: str) -> np.ndarray:
        """The best rate ``[held]`` that what was seen allows: theorem 3.1 with the world's own prior."""
        return expected_rate(self.hits[part], self.seen[part], *self.config.prior, self.config.sampling)

    @property
    def posterior(self) -> EvidencePosterior:
        """The same as a surface over training positivity and ``1 / (1 + n)``."""
        return EvidencePosterior(*self.config.prior, self.config.sampling)

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"Clicks({self.config.ids:,} ids, {self.fit!r}, τ = {self.config.sampling:g})"


def simulate_clicks(config: ClicksConfig | None = None, seed: int = 0) -> Clicks:
    """Make a world.

    Example:
        >>> simulate_clicks(ClicksConfig(ids=100, train=2_000, held=500))
        Clicks(100 ids, Sample(500 cases, 33 positive), τ = 1)
    """
    made = config or ClicksConfig()
    rng = generator(seed, "clicks")
    rate = rng.beta(*made.prior, made.ids)
    weight = np.arange(1, made.ids + 1) ** -made.exponent
    weight /= weight.sum()
    shown = rng.multinomial(made.train, weight)
    hits = rng.binomial(shown, rate)
    seen = hits + rng.binomial(shown - hits, 1 / made.sampling)
    samples, drawn = {}, {}
    for part in ("fit", "hold", "test"):
        place = drawn[part] = rng.choice(made.ids, made.held, p=weight)
        k, n = hits[place], seen[place]
        label = rng.random(made.held) < rate[place]
        samples[part] = Sample((k + 1) / (n + 2), beta_entropy(k + 1.0, n - k + 1.0), label)
    known = [
        {part: column[place].astype(float) for part, place in drawn.items()} for column in (seen, hits, rate)
    ]
    return Clicks(**samples, seen=known[0], hits=known[1], truth=known[2], config=made)
