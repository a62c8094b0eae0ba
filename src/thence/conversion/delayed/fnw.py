"""FNW, fake negative weighted: every exposure a negative at once, and a positive copy when it converts.

With f the model's own prediction, held back from the gradient,

    as published   w1 = 1 + f,   w0 = (1 - f) (1 + f)
    exact          w1 = 1,       w0 = 1 - f

The expected slope in the logit is (1 - f)(f - p), times 1 + f as published. It has two zeros: f = p, and f = 1,
where negatives weigh nothing and nothing pulls the model back. f = 1 repels only while 1 - f is far from 0, so
a model that over-predicts once, for a new category say, stays there. The guard: the f of w0 is capped at c < 1.
Above c the slope becomes (1 - c) f - p (1 - f), times 1 + c as published, which is positive for all
f > c >= p: so p is the only zero where p <= c, and at f = 1 the slope is at least 1 - c. Where p > c, the zero
is p / (p + 1 - c), between c and p.

FNW is ES-DFM with waiting time 0 and P(y = 1 | x) taken from the model itself.

Reference: Ktena et al., "Addressing delayed feedback for continuous training with neural networks in CTR
prediction", RecSys 2019, equations 6 to 9.
"""

from __future__ import annotations

import torch
from torch import Tensor

from thence.base.errors import ConfigError
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import Exposures
from thence.conversion.lab import weighted
from thence.conversion.learn import Batch
from thence.conversion.rows import Rows, copied


class Fnw(Estimator):
    """Fake negative weighted.

    Args:
        exact: leave out the factor 1 + f, so that the training mass of x stays p(x).
        cap: c, the largest f that negatives are weighted by; 1 leaves the second fixed point open.

    Raises:
        ConfigError: the cap is not in (0, 1].

    Example:
        >>> shown = Exposures.make([0, 10], [4, 30], window=50, until=40)
        >>> rows = Fnw().rows(shown, 0)
        >>> rows.index.tolist(), rows.label.tolist()
        ([0, 1, 0, 1], [0.0, 0.0, 1.0, 1.0])
    """

    def __init__(self, *, exact: bool = False, cap: float = 0.95) -> None:
        if not 0 < cap <= 1:
            raise ConfigError(f"cap is {cap}", fix="Give a probability above 0, such as 0.95.")
        self.exact, self.cap = exact, cap

    def rows(self, known: Exposures, since: int) -> Rows:
        """A negative for each new exposure, and a positive for each new conversion."""
        return copied(known, since, 0)

    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """Cross-entropy weighted by the model's own prediction."""
        return fnw_loss(logits[:, 0], batch["label"], exact=self.exact, cap=self.cap)


def fnw_loss(logit: Tensor, label: Tensor, *, exact: bool = False, cap: float = 0.95) -> Tensor:
    """The loss ``[b]`` of FNW's rows.

    Args:
        logit: ``[b]``.
        label: ``[b]``, 0 for the row at the exposure, 1 for the copy at the conversion.
        exact: as for :class:`Fnw`.
        cap: as for :class:`Fnw`.

    Example:
        >>> fnw_loss(torch.zeros(2), torch.tensor([0.0, 1.0])).numpy().round(4)
        array([0.5199, 1.0397], dtype=float32)
    """
    own = torch.sigmoid(logit).detach().clamp(max=cap)
    factor = torch.ones_like(own) if exact else 1 + own
    return weighted(logit, label * factor, (1 - label) * (1 - own) * factor)
