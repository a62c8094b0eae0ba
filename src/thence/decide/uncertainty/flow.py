"""Normalising flows: densities of a few numbers, made of radial maps to a standard normal.

    f(x) = x + β h (x - c),   h = 1 / (α + r),   r = |x - c|,   α = softplus(a),   β = softplus(b) - α
    ln |det| = (d - 1) ln(1 + β h) + ln(1 + α β h²),   ln p(x) = ln N(f_K … f_1 (x); 0, I) + Σ ln |det|

β > -α keeps each map one to one, and so each density sums to 1.

Reference: Rezende, Mohamed, "Variational inference with normalizing flows", ICML 2015, appendix A.2.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.decide.uncertainty.flow_kernel import log_densities


class RadialFlows(nn.Module):
    """Log densities ``[b, classes]`` of rows ``[b, dim]``, one flow for each class.

    Args:
        classes: how many densities.
        dim: numbers a row.
        layers: radial maps of each.
        rng: of their centres; every map begins as the identity.

    Raises:
        ConfigError: a number below 1.

    Example:
        >>> flows = RadialFlows(1, 2, 3, torch.Generator().manual_seed(0))
        >>> round(flows(torch.zeros(1, 2)).item(), 3)  # the standard normal at its middle: -ln 2π
        -1.838
    """

    def __init__(self, classes: int, dim: int, layers: int, rng: torch.Generator) -> None:
        super().__init__()
        if min(classes, dim, layers) < 1:
            raise ConfigError("classes, dim and layers of flows must be at least 1")
        self.centre = nn.Parameter(torch.randn(classes, layers, dim, generator=rng))
        self.raw_alpha = nn.Parameter(torch.full((classes, layers), math.log(math.expm1(1.0))))
        self.raw_beta = nn.Parameter(torch.full((classes, layers), math.log(math.expm1(1.0))))

    def forward(self, rows: Tensor) -> Tensor:
        """Log densities."""
        at, dim = rows[:, None, :], rows.shape[1]
        alpha = nn.functional.softplus(self.raw_alpha)
        beta = nn.functional.softplus(self.raw_beta) - alpha
        total = torch.zeros((), device=rows.device)
        for layer in range(alpha.shape[1]):
            a, b = alpha[:, layer], beta[:, layer]
            away = at - self.centre[:, layer]
            h = 1 / (a + (away.square().sum(dim=2) + 1e-24).sqrt())
            total = total + (dim - 1) * torch.log1p(b * h) + torch.log1p(a * b * h.square())
            at = at + (b * h)[:, :, None] * away
        return total - at.square().sum(dim=2) / 2 - dim / 2 * math.log(2 * math.pi)

    def log_density(self, rows: np.ndarray) -> np.ndarray:
        """The same of ``[n, dim]`` outside of torch, in one loop over the rows; ``[n, classes]`` float64."""
        return log_densities(np.ascontiguousarray(rows), self.maps())

    def maps(self) -> np.ndarray:
        """Centre, α and β of each map, ``[classes, layers, dim + 2]`` float64."""
        alpha = nn.functional.softplus(self.raw_alpha.detach().double())
        beta = nn.functional.softplus(self.raw_beta.detach().double()) - alpha
        parts = [self.centre.detach().double(), alpha[:, :, None], beta[:, :, None]]
        return torch.cat(parts, dim=2).numpy(force=True)
