"""How far a stream's predictions of the last window were off, told from what is known by now.

Of exposures with predicted logits z, made before anything was learned from them, the shift b of

    P(y = 1 | x) = σ(z + b)

has, with q = σ(z + b + log Λ) for what has not converted yet, 0 where that is final, the score and information

    Σ [v + (1 - v) q - σ(z + b)],        Σ [σ' (z + b) - (1 - v) q (1 - q)],

complete less missing information: an exposure that is hardly older than its prediction says next to nothing.
The likelihood is that of what was observed; no label that is still open is taken for a negative.

Before anything is known a level is taken to be right within .05 of a logit: with that normal distribution of b,
its mean afterwards is what was found, drawn towards 0. Where less is known than that, nothing is shifted: what
few exposures tell hangs on Λ, which may have moved since.

Reference: T. A. Louis, "Finding the observed information matrix when using the EM algorithm", Journal of the
Royal Statistical Society B 44, 1982.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit
from scipy.special import logit as log_odds

TURNS, FURTHEST = 8, 0.5
USUAL = 0.05
"""Standard deviation of the shift beforehand."""


def shift(logit: np.ndarray, told: np.ndarray, label: np.ndarray) -> tuple[float, float]:
    """The shift b that fits best, and the information on it.

    Args:
        logit: ``[r]`` predictions of the exposures' own time.
        told: ``[r]`` log Λ of what was seen since; ``-inf`` where the label is final.
        label: ``[r]`` whether it has converted so far.

    Example:
        >>> final = np.full(1000, -np.inf)
        >>> found, information = shift(np.zeros(1000), final, np.arange(1000) % 4 == 0)  # odds 1 : 3, not 1 : 1
        >>> bool(abs(found + np.log(3)) < 1e-6), round(information, 1)
        (True, 187.5)
        >>> shift(np.zeros(1000), np.zeros(1000), np.zeros(1000, bool))  # nothing was seen
        (0.0, 0.0)
    """
    found = information = 0.0
    for _ in range(TURNS):
        p, q = expit(logit + found), np.where(label, 0.0, expit(logit + found + told))
        information = float((p * (1 - p) - q * (1 - q)).sum())
        if information < 1.0:
            return 0.0, max(information, 0.0)
        score = float((np.where(label, 1.0, q) - p).sum())
        found += float(np.clip(score / information, -FURTHEST, FURTHEST))
    return found, information


def drawn_in(found: float, information: float, usual: float = USUAL) -> float:
    """The mean of the shift, given what was found and what is expected beforehand; 0 where little is known.

    Args:
        found: the shift that fits best.
        information: on it; its standard error is 1 / √information.
        usual: standard deviation beforehand; where the standard error is larger, nothing is shifted.

    Example:
        >>> drawn_in(-0.5, 400.0), drawn_in(0.5, 300.0)
        (-0.25, 0.0)
    """
    before = usual**-2
    return found * information / (information + before) if information >= before else 0.0


def platt(logit: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Logits ``[n]`` shifted and scaled so that they fit final labels; flat where they tell nothing."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1e6).fit(logit[:, None], label)
    slope = float(model.coef_[0, 0])
    if slope <= 0:  # with the intercept of a falling line the level of Λ would be wrong
        return np.full(len(logit), float(log_odds(label.mean())))
    return slope * logit + float(model.intercept_[0])
