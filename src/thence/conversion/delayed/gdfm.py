"""GDFM: what was done after an exposure tells of its label, at every query time, through q(action | x, y).

At query times δ_1 < … < δ_J = W after an exposure, the action a_j is "converted", or which kinds of engagement
were seen by then. A model q_φ(a_j | x, y) is fitted on mature exposures, where y is known, and frozen. As soon
as a_j is known, f learns from it by

    - c_j log Σ_y q_φ(a_j | x, y) f(y | x)  +  keep · KL(f_0(· | x) || f(· | x))

where f_0 is the model as it was when the stream began. (The divergence is taken of one exposure in four,
others at each refresh, and counts fourfold: its mean is the same, and f_0 is asked a quarter as often.)
Informative and early actions count for more:

    c_j ∝ exp(-α H_j / max H) exp(-β δ_j / max δ),    H_j = H(y | a_j), the mean of all c_j being 1.

A conversion is impossible for y = 0, and so is anything else at δ_J for y = 1: both are put in as such, so that
a conversion is a label at once, and the last action is the final label. All query times that an exposure
passes between two refreshes are one row.

Reference: Yang and Zhan, "Generalized delayed feedback model with post-click information in recommender
systems", NeurIPS 2022.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import numpy as np
import torch
from scipy.special import entr
from torch import Tensor
from torch.nn.functional import logsigmoid

from thence.base.errors import ConfigError
from thence.conversion.delayed.actions import Actions, passed
from thence.conversion.delayed.draw import draw
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import Exposures
from thence.conversion.features import Features
from thence.conversion.lab import Lab, Predict
from thence.conversion.learn import Batch, Learner
from thence.conversion.rows import Rows
from thence.events.clock import DAY, HOUR, MINUTE

CHUNK = 32_768
TIMES = (6 * MINUTE, 15 * MINUTE, HOUR, DAY, 7 * DAY, 30 * DAY)
"""Query times as published for the Criteo log."""
KEPT = 4
"""One in so many exposures, others at each refresh, has the divergence from f_0, and counts so often for it."""
NO = -1e4
"""The logarithm of a probability of nothing."""


class Gdfm(Estimator):
    """The generalised delayed feedback model.

    Args:
        times: query times after the exposure, microseconds; the window is added, and what is later left out.
        alpha: how much more actions count that tell of the label.
        beta: how much more early actions count.
        keep: weight of the divergence from the model as it was when the stream began.
        every: refreshes between two further passes of q over what has matured since; 0 for never, as published.
        drawn: rows at each refresh as a multiple of the exposures that came; 0 for all that there are: about
            one an exposure for each query time beyond a step of the stream, and one for all within it.

    Raises:
        ConfigError: a setting is out of range.

    Example:
        >>> shown = Exposures.make([0, 10], [4, 30], window=25, until=40)
        >>> model = Gdfm((5,))
        >>> model.begin(shown, Lab())
        >>> rows = model.rows(shown, 12)  # the second passed 5 since then; both passed 25
        >>> rows.index.tolist(), (rows.columns["weight"] > 0).tolist()
        ([0, 1], [[False, True], [True, True]])
    """

    def __init__(
        self,
        times: Sequence[int] = TIMES,
        *,
        alpha: float = 2.0,
        beta: float = 1.0,
        keep: float = 0.01,
        every: int = 0,
        drawn: float = 0.0,
    ) -> None:
        if min(times, default=1) <= 0 or min(alpha, beta, keep, every, drawn) < 0:
            own = f"alpha {alpha}, beta {beta}, keep {keep}, every {every}, drawn {drawn}"
            raise ConfigError(
                f"query times {list(times)}, {own}",
                fix="Give times above 0, and the others at least 0.",
            )
        self.times, self.alpha, self.beta, self.keep = sorted(set(times)), alpha, beta, keep
        self.every, self.drawn = every, drawn
        self.refreshes, self.learned, self.seed = 0, 0, 0
        self.actions = Actions(())
        self.c = np.ones(0)
        self.q: Learner | None = None
        self.start: Learner | None = None

    def begin(self, known: Exposures, lab: Lab) -> None:
        """Fit q(action | x, y) on what is mature, and remember the model as it is."""
        self.seed = lab.seed
        stop = self.learned = known.since(known.until - known.window)
        index = np.arange(stop)
        times = [time for time in self.times if time < known.window] + [known.window]
        self.actions = Actions(tuple(times)).learned(known, index)
        action, y = self.actions.seen(known, index), known.converted[index]
        self.c = gains(action, y, np.array(times), self.actions.size, self.alpha, self.beta)
        rows = Rows(index, y.astype(np.float32), {"action": action.astype(np.float32)})
        bias = np.log(frequencies(action, y, self.actions.size)).ravel()
        self.q = lab.model(known.features, rows, self._q_loss, name="actions", bias=bias)
        if lab.main is not None:
            self.start = Learner(deepcopy(lab.main.net), lab.learn, lab.seed)

    def refresh(self, known: Exposures, lab: Lab, predict: Predict) -> None:
        """Train q further where that is asked for."""
        self.refreshes += 1
        if self.q is not None and self.every and self.refreshes % self.every == 0:
            stop = known.since(known.until - known.window)
            index, self.learned = np.arange(self.learned, stop), stop
            columns = {"action": self.actions.seen(known, index).astype(np.float32)}
            rows = Rows(index, known.converted[index].astype(np.float32), columns)
            self.q.learn(known.features, rows, self._q_loss, "actions", "further", self.refreshes)

    def rows(self, known: Exposures, since: int) -> Rows:
        """A row for each exposure that passed query times since the last refresh, with what they tell."""
        index, new = passed(known, since, np.array(self.actions.times, np.int64))
        count = round(self.drawn * (len(known) - known.since(since))) if self.drawn else None
        some = draw(len(index), count, self.seed, "gdfm", known.until)
        index, new = index[some], new[some]
        label = known.conversion_time[index] - known.time[index] <= known.window
        rows = Rows(index, label.astype(np.float32), {"weight": new * self.c.astype(np.float32)})
        return rows.asking(lambda some: self._columns(known, some))

    def _columns(self, known: Exposures, rows: Rows) -> dict[str, np.ndarray]:
        """What q says of what was seen, and what the model said when the stream began."""
        action = self.actions.seen(known, rows.index, rows.columns["weight"] > 0)
        columns = {"seen": self._told(known.features, rows.index, action)}
        if self.start is not None and self.keep:
            some = np.flatnonzero((rows.index + self.refreshes) % KEPT == 0)
            start, kept = np.zeros((2, len(rows)), np.float32)
            start[some], kept[some] = self.start.logits(known.features, rows.index[some])[:, 0], KEPT
            columns |= {"start": start, "kept": kept}
        return columns

    def loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """The mixture's log-likelihood, and the divergence from the model as it was."""
        total = mixture(logits[:, 0], batch["seen"], batch["weight"])
        if "start" in batch and self.keep:
            kept = batch.get("kept", 1.0)
            total = total + self.keep * kept * divergence(batch["start"], logits[:, 0])
        return total

    def _told(self, features: Features, index: np.ndarray, action: np.ndarray) -> np.ndarray:
        """Logarithms of q(a_j | x, y) of what was seen, ``[r, 2 J]``, y = 0 before y = 1; 0 for others."""
        found = np.zeros((*action.shape, 2), np.float32)
        for first in range(0, len(index) if self.q is not None else 0, CHUNK):
            part = action[first : first + CHUNK]
            row, j = np.nonzero(part >= 0)
            logits = torch.from_numpy(self.q.logits(features, index[first : first + CHUNK]))  # type: ignore[union-attr]
            some = (torch.from_numpy(place) for place in (row, j, part[row, j].astype(np.int64)))
            found[first + row, j] = picked(logits.view(*part.shape, 2, -1), *some).numpy()
        return found.reshape(len(index), 2 * action.shape[1])

    def _q_loss(self, logits: Tensor, batch: Batch) -> Tensor:
        """-Σ_j log q(a_j | x, y) of the y that is known."""
        action = batch["action"].long()
        log_q = possible(logits.view(len(logits), action.shape[1], 2, -1))
        given = batch["label"].long()[:, None, None, None].expand(-1, action.shape[1], 1, log_q.shape[3])
        return -log_q.gather(2, given)[:, :, 0].gather(2, action[:, :, None])[..., 0].sum(1)


def possible(logits: Tensor) -> Tensor:
    """Logarithms of q ``[b, J, 2, A]`` from logits, without what cannot be.

    Action 0 is a conversion: never for y = 0, and at the last query time always for y = 1.

    Example:
        >>> possible(torch.zeros(1, 2, 2, 3)).exp()[0, :, :, 0].numpy().round(2)
        array([[0.  , 0.33],
               [0.  , 1.  ]], dtype=float32)
    """
    return (logits + barred(logits)).log_softmax(dim=-1)


def picked(logits: Tensor, row: Tensor, j: Tensor, action: Tensor) -> Tensor:
    """The entries of :func:`possible` for some rows, query times and actions, ``[m, 2]``.

    Args:
        logits: ``[b, J, 2, A]``.
        row: ``[m]`` places from 0 to b - 1.
        j: ``[m]`` places from 0 to J - 1.
        action: ``[m]`` places from 0 to A - 1.

    Example:
        >>> some = (torch.tensor([0, 0]), torch.tensor([0, 1]), torch.tensor([2, 0]))
        >>> picked(torch.zeros(1, 2, 2, 3), *some).exp().numpy().round(2)
        array([[0.5 , 0.33],
               [0.  , 1.  ]], dtype=float32)
    """
    each = (logits[row, j] + barred(logits)[j]).permute(2, 1, 0).contiguous()  # [A, 2, m]: long rows are fast
    return each.log_softmax(dim=0).gather(0, action.expand(1, 2, -1))[0].T


def barred(logits: Tensor) -> Tensor:
    """What is added to logits ``[b, J, 2, A]`` so that nothing impossible is left, ``[J, 2, A]``.

    Example:
        >>> (barred(torch.zeros(1, 1, 2, 3)) < 0).tolist()
        [[[True, False, False], [False, True, True]]]
    """
    found = torch.zeros_like(logits[0]) if len(logits) else logits.new_zeros(logits.shape[1:])
    found[:, 0, 0] = NO
    found[-1, 1, 1:] = NO
    return found


def mixture(logit_f: Tensor, seen: Tensor, weight: Tensor) -> Tensor:
    """``-Σ_j c_j log Σ_y q(a_j | x, y) f(y | x)``, ``[b]``.

    Args:
        logit_f: ``[b]`` of f(1 | x).
        seen: ``[b, 2 J]`` log q(a_j | x, y), y = 0 before y = 1.
        weight: ``[b, J]`` c_j; 0 where a_j is not known.

    Example:
        >>> q = torch.tensor([[0.2, 0.6]]).log()
        >>> mixture(torch.zeros(1), q, torch.ones(1, 1)).exp().round(decimals=4).numpy()
        array([2.5], dtype=float32)
    """
    each = seen.view(len(seen), -1, 2)
    negative, positive = logsigmoid(-logit_f)[:, None], logsigmoid(logit_f)[:, None]
    return -(weight * torch.logaddexp(each[..., 0] + negative, each[..., 1] + positive)).sum(1)


def divergence(start: Tensor, logit_f: Tensor) -> Tensor:
    """KL(f_0 || f) of two Bernoulli distributions, ``[b]``.

    Args:
        start: ``[b]`` logits of f_0.
        logit_f: ``[b]`` logits of f.

    Example:
        >>> divergence(torch.zeros(1), torch.zeros(1)).item()
        0.0
    """
    p = torch.sigmoid(start)
    positive = p * (logsigmoid(start) - logsigmoid(logit_f))
    return positive + (1 - p) * (logsigmoid(-start) - logsigmoid(-logit_f))


def frequencies(action: np.ndarray, y: np.ndarray, size: int) -> np.ndarray:
    """How often each action was seen, given the label, ``[J, 2, A]``.

    Half a count is added to each, in proportion to how often the label is seen, so that an action that was
    never seen tells nothing of it.

    Args:
        action: ``[r, J]`` actions.
        y: ``[r]`` labels.
        size: A, how many actions there are.

    Example:
        >>> frequencies(np.array([[0], [1], [1], [1]]), np.array([1, 0, 0, 0]), 2).round(2).tolist()
        [[[0.1, 0.9], [0.9, 0.1]]]
    """
    times = action.shape[1]
    place = (np.arange(times) * 2 + y[:, None].astype(np.int64)) * size + action
    count = np.bincount(place.ravel(), minlength=times * 2 * size).reshape(times, 2, size)
    count = count + 0.5 * np.array([1 - y.mean(), y.mean()]).clip(1e-6)[:, None] if len(y) else count + 0.5
    return count / count.sum(axis=2, keepdims=True)


def gains(
    action: np.ndarray, y: np.ndarray, times: np.ndarray, size: int, alpha: float = 2.0, beta: float = 1.0
) -> np.ndarray:
    """c_j ``[J]``.

    Args:
        action: ``[r, J]`` actions.
        y: ``[r]`` labels.
        times: ``[J]`` query times.
        size: how many actions there are.
        alpha: of the entropy.
        beta: of the time.

    Example:
        >>> told = np.array([[1, 0], [1, 1], [1, 0], [1, 1]])
        >>> gains(told, np.array([1, 0, 1, 0]), np.array([1, 10]), 2).round(2).tolist()
        [0.5, 1.5]
    """
    if not len(y):
        return np.ones(len(times))
    entropy = np.zeros(len(times))
    for j, column in enumerate(action.T):
        count = np.bincount(column * 2 + y.astype(np.int64), minlength=2 * size).reshape(size, 2)
        each = count.sum(axis=1)
        p = count[:, 1] / np.maximum(each, 1)
        entropy[j] = each @ (entr(p) + entr(1 - p)) / len(y)
    scaled = entropy / max(float(entropy.max()), 1e-12)
    found = np.exp(-alpha * scaled - beta * times / times.max())
    return found / found.mean()
