"""How much more likely is what was seen so far of an exposure if it converts late than if it never does?

An exposure at age a, with engagement g so far and no conversion yet, has the posterior odds

    P(y = 1 | x, a, g, v = 0)     P(y = 1 | x)
    ------------------------- =  -------------- · Λ(a, g),      Λ = P(a, g, v = 0 | y = 1) / P(a, g | y = 0)
    P(y = 0 | x, a, g, v = 0)     P(y = 0 | x)

Λ is learned as what must be added to the logit of a prediction that was made before anything was seen:

    log Λ = u(g) - Σ_k softplus(v_k(g)) φ_k,    φ = t / (t + τ), t the age or the time since a kind's last event

so that, with the engagement given, it falls as the exposure grows older. One ramp more, -log(1 - .99 a / W),
lets Λ go to nothing where the window ends: without it, exposures of which three quarters of the window are over
were given 2.8 times the conversions that still came (first trials of a category). A shift of P(y | x), which is
what drifts from day to day, leaves Λ as it is; that is why it may be learned on what is mature by now.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import expit
from torch import Tensor, nn
from torch.nn.functional import softplus

from thence.base.rng import generator, torch_generator
from thence.conversion.exposures import Exposures

RAMPS = (1 / 2880, 1 / 720, 1 / 180, 1 / 45, 1 / 10, 1 / 3)
"""τ of the ramps, as fractions of the window: a quarter of an hour to ten days of thirty."""
SLOW = RAMPS[2:5]
"""τ for the times of engagement."""
END = 0.99
"""Share of the window that the last ramp is steep at the end of."""
WIDTH, BATCH, PASSES, RATE = 32, 512, 20, 1e-2
FEWEST, STEPS = 300, 2_000
AT_ONCE = 8192
"""Rows whose layers fit into a core's cache."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What was seen of exposures by some moment.

    Args:
        still: ``[r, F]`` float32: a one, and the engagement, which do not change while time passes.
        rising: ``[r, K]`` float32: ramps of the age and of the time since the last event of each kind.
    """

    still: np.ndarray
    rising: np.ndarray

    def __len__(self) -> int:
        """How many rows."""
        return len(self.still)

    def take(self, rows: np.ndarray | slice) -> Seen:
        """Some of the rows."""
        return Seen(self.still[rows], self.rising[rows])

    def blind(self) -> Seen:
        """The same without engagement."""
        still, rising = widths(0)
        return Seen(self.still[:, :still], self.rising[:, :rising])


def seen(known: Exposures, index: np.ndarray, clock: np.ndarray) -> Seen:
    """What was seen of some exposures before a moment of their own.

    Args:
        known: the exposures.
        index: ``[r]`` their places.
        clock: ``[r]`` microseconds UTC, not before the exposure.

    Example:
        >>> shown = Exposures.make([0, 0], [9, 9], window=60)
        >>> found = seen(shown, np.array([0, 1]), np.array([0, 20]))
        >>> found.rising[:, -2].round(2).tolist()  # t / (t + τ) at ages 0 and τ
        [0.0, 0.5]
    """
    window = float(known.window)
    start = known.time[index]
    age = np.minimum((clock - start) / window, 1.0)
    still = [np.ones(len(index))]
    rising = [*(age / (age + tau) for tau in RAMPS), -np.log1p(-END * age)]
    count, last = known.engagement.so_far(np.asarray(clock), index)
    for times, when in zip(count.T, last.T, strict=True):
        ever = times > 0
        lag = np.where(ever, (when - start) / window, 0.0)
        silence = np.where(ever, (clock - when) / window, 0.0)
        still += [ever, np.log1p(times), *(lag / (lag + tau) for tau in SLOW)]
        rising += [silence / (silence + tau) for tau in SLOW]
    return Seen(np.stack(still, 1).astype(np.float32), np.stack(rising, 1).astype(np.float32))


def widths(kinds: int) -> tuple[int, int]:
    """F and K for so many kinds of engagement.

    Example:
        >>> widths(0), widths(2)
        ((1, 7), (11, 13))
    """
    return 1 + kinds * (2 + len(SLOW)), len(RAMPS) + 1 + kinds * len(SLOW)


class Ratio(nn.Module):
    """Values of log Λ of what was seen.

    Args:
        still: numbers that do not change while time passes.
        rising: numbers that rise with it.
        seed: of the weights.

    Example:
        >>> ratio = Ratio(1, 2)
        >>> young, old = ratio(torch.zeros(2, 1), torch.tensor([[0.1, 0.2], [0.3, 0.4]])).tolist()
        >>> young > old
        True
    """

    def __init__(self, still: int, rising: int, seed: int = 0) -> None:
        super().__init__()
        rng = torch_generator(seed, "conversion", "ratio")
        shapes = [(WIDTH, still), (WIDTH, WIDTH), (1 + rising, WIDTH)]
        self.weights = nn.ParameterList(
            nn.Parameter(torch.randn(*shape, generator=rng) * (0.2 if place == 2 else 2**0.5) / shape[1] ** 0.5)
            for place, shape in enumerate(shapes)
        )
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(shape[0])) for shape in shapes)
        with torch.no_grad():
            self.biases[2][1:] = -1.0

    def forward(self, still: Tensor, rising: Tensor) -> Tensor:
        """Values of log Λ ``[r]`` from ``[r, F]`` and ``[r, K]``."""
        hidden = still
        for place in range(2):
            hidden = torch.relu(hidden @ self.weights[place].T + self.biases[place])
        found = hidden @ self.weights[2].T + self.biases[2]
        return found[:, 0] - (softplus(found[:, 1:]) * rising).sum(dim=1)

    def log_ratio(self, of: Seen) -> np.ndarray:
        """Values of log Λ ``[r]`` float32, by numpy: its exponentials are five times as fast on one core."""
        found = [np.empty(0, np.float32)]
        parts = [
            part.numpy(force=True) for pair in zip(self.weights, self.biases, strict=True) for part in pair
        ]
        for first in range(0, len(of), AT_ONCE):
            part = of.take(slice(first, first + AT_ONCE))
            u_v = _layers(parts, _once(part.still))[-1]
            fall = _softplus(u_v[:, 1:])[0] * part.rising
            found.append(u_v[:, 0] - fall.sum(axis=1))
        return np.concatenate(found)


def _layers(parts: list[np.ndarray], still: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both hidden layers, and u and v."""
    w1, b1, w2, b2, w3, b3 = parts
    low = np.maximum(still @ w1.T + b1, 0)
    high = np.maximum(low @ w2.T + b2, 0)
    return low, high, high @ w3.T + b3


def _softplus(v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log(1 + e^v), and e^-|v|."""
    small = np.exp(-np.abs(v))
    return np.maximum(v, 0) + np.log(1 + small), small


def teach(
    ratio: Ratio, of: Seen, prior: np.ndarray, label: np.ndarray, seed: int = 0, *, again: bool = False
) -> None:
    """Learn log Λ by logistic regression with the prior's logit as offset.

    Args:
        ratio: what learns, in place.
        of: what was seen of exposures that had not converted by then.
        prior: ``[r]`` logit of the prior.
        label: ``[r]`` the final label.
        seed: of the order.
        again: it has learned before; a quarter of the steps is enough then.

    Example:
        >>> shown = Exposures.make(np.zeros(4000, int), np.full(4000, 9), window=60)
        >>> early = seen(shown, np.arange(4000), np.full(4000, 20))
        >>> ratio = Ratio(*widths(0))
        >>> teach(ratio, early, np.zeros(4000), np.arange(4000) % 4 == 0)  # a quarter converts: odds 1 : 3
        >>> bool(abs(np.exp(ratio.log_ratio(early)[0]) - 1 / 3) < 0.05)
        True
    """
    most = min(STEPS, FEWEST + PASSES * len(of) // BATCH)
    steps = most // 4 if again else most
    descent = _Descent(ratio)
    offset, y = np.asarray(prior, np.float32), np.asarray(label, np.float32)
    rng = generator(seed, "conversion", "ratio", "order")
    taken = 0
    while taken < steps:
        order = rng.permutation(len(of))
        for first in range(0, len(of), BATCH):
            rows = order[first : first + BATCH]
            rate = RATE * max(1 - taken / steps, 0.01) * steps / most
            descent.step(of.take(rows), offset[rows], y[rows], rate)
            taken += 1
    descent.store(ratio)


class _Descent:
    """Adam on the mean cross-entropy, with the gradient written out: networks of 32 spend most of a step of
    autograd on calling."""

    def __init__(self, ratio: Ratio) -> None:
        parts = [
            part.detach().numpy() for pair in zip(ratio.weights, ratio.biases, strict=True) for part in pair
        ]
        self.value = np.concatenate([part.ravel() for part in parts])
        self.slope, self.mean, self.square = (np.zeros_like(self.value) for _ in range(3))
        ends = np.cumsum([part.size for part in parts])
        self.parts, self.slopes = (
            [flat[end - part.size : end].reshape(part.shape) for end, part in zip(ends, parts, strict=True)]
            for flat in (self.value, self.slope)
        )
        self.taken = 0

    def step(self, of: Seen, offset: np.ndarray, y: np.ndarray, rate: float) -> None:
        """One step on some rows."""
        self.gradient(of, offset, y)
        self.taken += 1
        first, second = np.float32(0.9), np.float32(0.999)
        self.mean += (1 - first) * (self.slope - self.mean)
        self.square *= second
        self.square += (1 - second) * self.slope**2
        size = np.sqrt(self.square) / np.float32((1 - 0.999**self.taken) ** 0.5) + np.float32(1e-8)
        self.value -= np.float32(rate / (1 - 0.9**self.taken)) * self.mean / size

    def gradient(self, of: Seen, offset: np.ndarray, y: np.ndarray) -> None:
        """Of the mean of softplus(z) - y z with z = offset + log Λ, into ``slopes``."""
        w2, w3, still = self.parts[2], self.parts[4], _once(of.still)
        low, high, found = _layers(self.parts, still)
        v = found[:, 1:]
        positive, small = _softplus(v)
        fall = positive * of.rising
        z = np.clip(found[:, 0] - fall.sum(axis=1) + offset, -60, 60)
        error = (1 / (1 + np.exp(-z)) - y) / np.float32(len(y))
        slope = np.where(v > 0, 1, small) / (1 + small)
        back = np.empty_like(found)
        if len(still) == len(of):
            back[:, 0], back[:, 1:] = error, -error[:, None] * slope * of.rising
        else:
            back[:, 0], back[:, 1:] = error.sum(), -slope * (error @ of.rising)
        back_high = (back @ w3) * (high > 0)
        back_low = (back_high @ w2) * (low > 0)
        layers = ((back_low, still), (back_high, low), (back, high))
        for place, (to, source) in enumerate(layers):
            np.matmul(to.T, source, out=self.slopes[2 * place])
            np.sum(to, axis=0, out=self.slopes[2 * place + 1])

    def store(self, ratio: Ratio) -> None:
        """Give the network what was learned."""
        with torch.no_grad():
            for place in range(3):
                ratio.weights[place].copy_(torch.from_numpy(self.parts[2 * place]))
                ratio.biases[place].copy_(torch.from_numpy(self.parts[2 * place + 1]))


def moved(of: Seen, logit: np.ndarray, label: np.ndarray) -> bool:
    """Whether rows that nothing was learned from say that log Λ is off: a score test, at one in a hundred.

    With residuals y - σ(z) the score of what could be added to z, a linear function of what was seen, is

        U = Fᵀ (y - σ(z)),    I = Fᵀ diag(σ (1 - σ)) F,    Uᵀ I⁻¹ U ~ χ²(rank I) where z is right.

    Args:
        of: what was seen of ``r`` exposures.
        logit: ``[r]`` what is believed of them, prior and log Λ together.
        label: ``[r]`` their final labels.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> of = Seen(np.ones((4000, 1), "f"), rng.random((4000, 7), "f"))
        >>> label = rng.random(4000) < 0.25
        >>> moved(of, np.full(4000, np.log(1 / 3)), label), moved(of, np.zeros(4000), label)
        (False, True)

    Reference: C. R. Rao, "Large sample tests of statistical hypotheses", 1948.
    """
    from scipy.stats import chi2

    told = expit(logit)
    f = np.concatenate([of.still, of.rising], axis=1).astype(np.float64)
    score, information = f.T @ (label - told), (f * (told * (1 - told))[:, None]).T @ f
    value = score @ np.linalg.pinv(information, rcond=1e-9, hermitian=True) @ score
    rank = np.linalg.matrix_rank(information, rtol=1e-9, hermitian=True)
    return bool(value > chi2.ppf(0.99, rank))


def _once(still: np.ndarray) -> np.ndarray:
    """One row ``[1, 1]`` for all where there is nothing but the one: u and v are then the same for all."""
    return still[:1] if still.shape[1] == 1 else still


def surprise(logit: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Cross-entropy ``[r]`` of labels under logits."""
    return np.logaddexp(0.0, np.where(label > 0, -logit, logit))
