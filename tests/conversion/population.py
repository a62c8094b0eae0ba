"""A population without sampling noise: expected rows of each protocol, and what a loss makes of them.

x is one of a few discrete features with mass m(x), conversion probability p(x), and a delay that falls into
cells 0 … K-1 of the window with probabilities d(x, k). The rows that a protocol emits are listed with their
expected mass, so that the minimiser of ``sum mass · loss`` is the one of infinitely much data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields

import numpy as np
import torch
from scipy.optimize import minimize

from thence.base.rng import generator
from thence.conversion.estimator import Estimator

Loss = Callable[[torch.Tensor, dict[str, torch.Tensor]], torch.Tensor]


@dataclass(frozen=True, eq=False)
class ExpectedRows:
    """Rows with their expected mass: feature, label, age cell, kind; all arrays ``[r]``.

    ``age`` counts the cells gone by when the row was emitted. ``kind`` is 0 for a row at its waiting time or
    cut, 1 for a positive copy at the conversion, 2 for a final label at the end of the window.
    ``delay`` is the cell of the conversion, -1 where the row does not tell.
    """

    x: np.ndarray
    label: np.ndarray
    mass: np.ndarray
    age: np.ndarray
    kind: np.ndarray
    delay: np.ndarray

    def take(self, chosen: np.ndarray) -> ExpectedRows:
        """Some of the rows."""
        return ExpectedRows(*(getattr(self, column.name)[chosen] for column in fields(self)))

    def beside(self, x: np.ndarray, mass: np.ndarray) -> ExpectedRows:
        """These rows, and positive ones of given features and masses behind them."""
        none = np.zeros(len(x), int)
        more = ExpectedRows(x, np.ones(len(x)), mass, none, none, none - 1)
        both = ((getattr(self, column.name), getattr(more, column.name)) for column in fields(self))
        return ExpectedRows(*(np.concatenate(pair) for pair in both))

    def batch(self, columns: dict[str, np.ndarray] | None = None) -> dict[str, torch.Tensor]:
        """The columns that a loss is given, float64."""
        return {
            name: torch.from_numpy(np.asarray(column, np.float64))
            for name, column in {"label": self.label, **(columns or {})}.items()
        }


@dataclass(frozen=True, eq=False)
class Population:
    """Mass ``[x]``, conversion probability ``[x]``, delay cell given a conversion ``[x, K]``."""

    mass: np.ndarray
    p: np.ndarray
    delay: np.ndarray = field(repr=False)

    @classmethod
    def random(cls, seed: int = 0, features: int = 8, cells: int = 6) -> Population:
        rng = generator(seed, "population")
        mass, delay = rng.dirichlet(np.full(features, 5.0)), rng.dirichlet(np.ones(cells), features)
        return cls(mass, rng.uniform(0.03, 0.9, features), delay)

    @property
    def cells(self) -> int:
        return self.delay.shape[1]

    def _beside(self, age: np.ndarray | int) -> np.ndarray:
        return self.p[:, None] if isinstance(age, np.ndarray) else self.p

    def by(self, age: np.ndarray | int) -> np.ndarray:
        """P(conversion within the first ``age`` cells | x): ``[x]``, or ``[x, len(age)]``."""
        gone = np.concatenate([np.zeros((len(self.p), 1)), np.cumsum(self.delay, 1)], axis=1)
        found = self.p[:, None] * gone[:, np.atleast_1d(age)]
        return found if isinstance(age, np.ndarray) else found[:, 0]

    def late(self, age: np.ndarray | int) -> np.ndarray:
        """p_dp = P(y = 1, delay beyond the first ``age`` cells | x)."""
        return self._beside(age) - self.by(age)

    def never(self, age: np.ndarray | int) -> np.ndarray:
        """p_rn = P(y = 0 | x, no conversion within the first ``age`` cells)."""
        none = 1 - self._beside(age)
        return none / (none + self.late(age))

    def _rows(self, *parts: tuple[float | int, np.ndarray, int, int, int]) -> ExpectedRows:
        """From (label, P(row | x), age, kind, delay cell) to rows, each for every x."""
        n = len(self.p)
        labels, shares, ages, kinds, delays = zip(*parts, strict=True)

        def each(values: tuple) -> np.ndarray:
            return np.repeat(np.array(values), n)

        mass = np.concatenate([self.mass * share for share in shares])
        x = np.tile(np.arange(n), len(parts))
        return ExpectedRows(x, each(labels).astype(float), mass, each(ages), each(kinds), each(delays))

    def once(self, age: int) -> ExpectedRows:
        """One row when ``age`` cells are gone by, with the label of that moment (naive; age = K: final)."""
        soon = self.by(age)
        return self._rows((1, soon, age, 0, -1), (0, 1 - soon, age, 0, -1))

    def copied(self, wait: int) -> ExpectedRows:
        """The label after ``wait`` cells, and a positive copy of every later conversion (FNW: 0; ES-DFM)."""
        soon = self.by(wait)
        return self._rows((1, soon, wait, 0, -1), (0, 1 - soon, wait, 0, -1), (1, self.late(wait), wait, 1, -1))

    def again(self, wait: int) -> ExpectedRows:
        """The label after ``wait`` cells, and the final label of every exposure (DEFER)."""
        soon, k = self.by(wait), self.cells
        first = ((1, soon, wait, 0, -1), (0, 1 - soon, wait, 0, -1))
        return self._rows(*first, (1, self.p, k, 2, -1), (0, 1 - self.p, k, 2, -1))

    def cut(self) -> ExpectedRows:
        """One row an exposure at a common cut, ages 0 … K equally likely; conversions tell their cell."""
        parts: list[tuple[float | int, np.ndarray, int, int, int]] = []
        share = 1 / (self.cells + 1)
        for age in range(self.cells + 1):
            parts += [(1, share * self.p * self.delay[:, k], age, 0, k) for k in range(age)]
            parts.append((0, share * (1 - self.by(age)), age, 0, -1))
        return self._rows(*parts)


def minimiser(
    rows: ExpectedRows,
    loss: Loss,
    columns: dict[str, np.ndarray] | None = None,
    *,
    heads: int = 1,
    start: float = -1.0,
    steps: int = 300,
) -> torch.Tensor:
    """Logits ``[x, heads]`` float64 where descent of ``sum mass · loss`` ends, free for every x.

    Losses may hold their own prediction back (stop-gradient), so the gradient is followed rather than a value
    compared; its sign alone, with steps that grow while it stays and halve where it turns (Rprop). Losses of
    several logits that hold nothing back go to ``best``.
    """
    logits = torch.full((int(rows.x.max()) + 1, heads), start, dtype=torch.float64, requires_grad=True)
    batch, x, mass = rows.batch(columns), torch.from_numpy(rows.x), torch.from_numpy(rows.mass)
    step, before = torch.full_like(logits, 0.2), torch.zeros_like(logits)
    for _ in range(steps):
        (slope,) = torch.autograd.grad((mass * loss(logits[x], batch)).sum(), logits)
        turned = slope * before
        step = torch.where(turned > 0, step * 1.2, torch.where(turned < 0, step * 0.5, step)).clamp(1e-9, 1.0)
        before = torch.where(turned < 0, 0.0, slope)
        logits = (logits - step * before.sign()).detach().requires_grad_(True)
    return logits.detach()


def best(
    rows: ExpectedRows, loss: Loss, columns: dict[str, np.ndarray] | None = None, *, heads: int = 1
) -> torch.Tensor:
    """Logits ``[x, heads]`` float64 where ``sum mass · loss`` is least, by L-BFGS."""
    shape = (int(rows.x.max()) + 1, heads)
    batch, x, mass = rows.batch(columns), torch.from_numpy(rows.x), torch.from_numpy(rows.mass)

    def total(flat: np.ndarray) -> tuple[float, np.ndarray]:
        logits = torch.from_numpy(flat.copy()).reshape(shape).requires_grad_(True)
        value = (mass * loss(logits[x], batch)).sum()
        (slope,) = torch.autograd.grad(value, logits)
        return value.item(), slope.numpy().ravel()

    options = {"maxiter": 5_000, "maxfun": 10_000, "maxcor": 40, "ftol": 0.0, "gtol": 1e-10}
    found = minimize(total, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options=options)
    return torch.from_numpy(found.x).reshape(shape)


def probability(estimator: Estimator, logits: torch.Tensor) -> np.ndarray:
    """What an estimator serves for logits ``[x, heads]``."""
    return estimator.probability(logits).numpy()


def training_mass(
    rows: ExpectedRows, loss: Loss, logits: torch.Tensor, columns: dict[str, np.ndarray] | None = None
) -> np.ndarray:
    """How much weight each x has in the loss, ``[x]``, for (weighted) cross-entropies of the first logit.

    The curvature of w1·l1 + w0·l0 is (w1 + w0) f (1 - f); weights that are held back count as constants.
    """
    free = logits.clone().requires_grad_(True)
    total = torch.from_numpy(rows.mass) * loss(free[torch.from_numpy(rows.x)], rows.batch(columns))
    (slope,) = torch.autograd.grad(total.sum(), free, create_graph=True)
    curve = torch.autograd.grad(slope[:, 0].sum(), free)[0][:, 0]
    f = torch.sigmoid(logits[:, 0])
    return (curve / (f * (1 - f))).numpy()
