"""Ours: importance weights that know how old an exposure is and what was done about it since.

P(X, Y) is the joint of exposures and matured labels, Q(X, Y) the joint of the rows that the trainer sees: at
each refresh one row for every new exposure, with what is known of it then, and a positive copy of every late
conversion. With q = P(y = 1 | x, a, g, v = 0) for age a and engagement g so far, an unconverted exposure is a
negative of weight 1 - q. Of the conversion that may still come the part λ is paid ahead and the rest when it
comes true:

    new, converted    1 · l1
    new, open         λ q · l1 + (1 - q) · l0,        λ = ahead · max(0, 1 - 1 / Λ)
    late conversion   (1 - λ) n / n' · l1             with the λ of its first row

with n exposures now and n' in a step around the one that converted: it stands for those of now that will
convert as late. These are exact joint weights for any λ that depends on what was seen at the first row.
Averaged over it, l1 has P(v = 1 | x) + E[λ q + (1 - λ) q | x] = p(x), and l0 has E[1 - q | x] = 1 - p(x). The
training mass of x stays p(x); no first row weighs more than 1 and no copy more than 5. What engagement speaks
for is learned at once, the rest when it is known.

Under drift a late conversion tells of the days that it was seen in, an early one of today. Where x does not
foretell how soon a conversion comes (:mod:`.soon`), early ones stand for the share η of the late ones:

    new, converted    (1 + η (1 - S) / S) · l1,          η = min(fresh, 2 S / (1 - S))
    new, open         (1 - η) λ q · l1 + (1 - q) · l0
    late conversion   (1 - η) (1 - λ) n / n' · l1

with S(a) the share of conversions that come by age a. l1 has S p + η (1 - S) p + (1 - η) (1 - S) p = p as
before, for any η that depends on the age of the first row; no early one weighs more than 3.

Λ(a, g) is how much likelier what was seen is of those who convert than of those who never do, and
q = σ(logit f(x) + log Λ(a, g)). The prior f is the model as it stands when the row is made, so that q follows
the drift; log Λ comes from exposures that are mature by now (:mod:`.ratio`). The priors that Λ is learned with
were predicted before their exposures were learned from; those that the stream begins with are cross-fitted.

Where exposures come in bursts (campaigns), late conversions come when there are no negatives beside them and
would teach that everything converts. Then all of q is paid ahead, and older exposures of the window, drawn at
random, are looked at again (``revisit``) with what is known of them now:

    (v + (1 - v) q) · l1 + (1 - v) (1 - q) · l0,      whose mean is that of the final label at every age.

What has matured since the last refresh is learned once more, with its final label and the weight ``settle``:

    settle · l_y,                                 whose mean is settle · (p l1 + (1 - p) l0),

so that the weights of an x stay in the ratio p : 1 - p. A row weighed by the model's own prior corrects an
error of f only in part: to first order the part p S of it is left each time round, S being the share of
conversions that come after the first row. Where they are many, final labels hold the model fast. They are a
window old, and among rows of a bounded number take the place of newer ones; so they are learned where rows
would else be gone through more than once.

Λ with engagement is used where it foretells exposures that neither Λ has seen better than Λ of the age alone,
by more than two standard errors: without signal it costs nothing.

``recalibrate`` shifts the logits that are served, and those that q is computed from, by what is known so far of
the exposures of the last window that the stream itself predicted (:mod:`.recalibrate`): likewise only where x
does not foretell how soon a conversion comes.

Unlike FNW, which also weighs by its own prediction, f = 1 is no resting place: with a share S of the
conversions still to come and f near 1 the expected gradient is (1 - f) (1 - p) / S away from it; and no prior
above .95 is taken at its word, so that a model that was led there comes back soon.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.special import expit, logit
from torch import Tensor

from thence.base.errors import ConfigError
from thence.base.rng import generator
from thence.conversion.delayed.pace import in_bursts, volume
from thence.conversion.delayed.ratio import Ratio, Seen, moved, seen, surprise, teach, widths
from thence.conversion.delayed.recalibrate import drawn_in, platt, shift
from thence.conversion.delayed.soon import delays, foretold, share_by
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import Exposures
from thence.conversion.lab import Lab, Predict
from thence.conversion.rows import Rows, joined, late, settled, standing

COHORT, LEVEL, LOOKS, NEWEST = 50_000, 30_000, 2, 0.2
CAP = 3.0
"""The largest logit of a prior that is taken at its word: .95."""
SETTLE = 0.5
"""Weight of final labels where they are learned."""
HEAVIEST = 3.0
"""Weight of an early conversion that stands for late ones, at most."""
GROWN, TESTED = 1.5, 8_192
"""Growth of the mature exposures at which Λ is fitted anew, and how many new ones it is tested on otherwise."""
ENOUGH = 200
"""Mature exposures below which nothing is learned from them."""


class Engaged(Estimator):
    """Exact joint weights by prior, age and engagement.

    Args:
        ahead: how much of a conversion that engagement speaks for is paid before it comes.
        every: refreshes from one look at Λ to the next; it is fitted again where there are half as many mature
            exposures more, or where those that it has not seen say that it is off. 0 for a single fit, when the
            stream begins.
        revisit: older exposures that are looked at again for each new one, in place of late conversions, or 0;
            None for 1 where exposures came in bursts before the stream began, else 0.
        engagement: whether engagement may be looked at.
        settle: weight with which exposures are learned once more when their label is final; None for .5 or 0 as
            told above.
        recalibrate: whether predictions are shifted by what became of earlier ones, as told above.
        fresh: share of the late conversions that early ones stand for, where x does not foretell how soon.

    Raises:
        ConfigError: ``ahead`` or ``fresh`` is not between 0 and 1, or ``every``, ``revisit`` or ``settle`` is
            negative.

    Example:
        >>> shown = Exposures.make([0, 10, 20], [4, 30, 99], window=50, until=100).before(36)
        >>> Engaged().rows(shown, 5).columns["positive"].tolist()  # two new ones, of which one has converted
        [1.0, 0.0]

    Reference: formulas above; the exact weights on the stream of Yang et al., AAAI 2021, are the special case
    of one age, no engagement and nothing ahead.
    """

    def __init__(
        self,
        ahead: float = 1.0,
        *,
        every: int = 5,
        revisit: float | None = None,
        engagement: bool = True,
        settle: float | None = None,
        recalibrate: bool = True,
        fresh: float = 0.5,
    ) -> None:
        shares_fit = 0 <= ahead <= 1 and 0 <= fresh <= 1
        if not shares_fit or every < 0 or (revisit or 0) < 0 or (settle or 0) < 0:
            raise ConfigError(
                f"ahead {ahead}, every {every}, revisit {revisit}, settle {settle}, fresh {fresh}",
                fix="Give ahead and fresh in [0, 1], every, revisit and settle at least 0.",
            )
        self.ahead, self.every, self.revisit, self.engagement = ahead, every, revisit, engagement
        self.settle, self.recalibrate, self.shift = settle, recalibrate, 0.0
        self.fresh, self.stand_in, self.delays = fresh, False, np.empty(0, np.int64)
        self.repeated = False
        self.again = revisit or 0.0
        self._predict: Predict | None = None
        self.turn, self.seed = 0, 0
        self.prior = np.empty(0, np.float32)
        self.paid = np.empty(0, np.float32)
        self.blind, self.aware = Ratio(*widths(0)), Ratio(*widths(0))
        self.taught, self.looks, self.gain, self.share = False, False, 0.0, 1.0
        self.judged_from, self.learned, self.begun = 0, 0, 0

    def begin(self, known: Exposures, lab: Lab) -> None:
        """Cross-fit priors of the mature exposures, and learn Λ from them."""
        self.seed, self.turn, self.judged_from, self.learned = lab.seed, 0, 0, 0
        self.repeated, self.shift, self.begun = lab.learn.visits > 1, 0.0, len(known)
        if self.revisit is None:
            self.again = float(in_bursts(known))
        still, rising = widths(len(known.engagement.kinds))
        self.blind, self.aware = Ratio(*widths(0), lab.seed), Ratio(still, rising, lab.seed)
        self.taught = self.looks = False
        self.prior = np.full(len(known), np.nan, np.float32)
        self.paid = np.zeros(len(known), np.float32)
        index = np.flatnonzero(known.mature)[-COHORT:]
        come = index[known.converted[index]]
        self.stand_in = not self.again and not foretold(known, come, lab)
        half = generator(lab.seed, "engaged", "halves").integers(0, 2, len(index)) == 0
        for part, name in ((half, "first half"), (~half, "second half")):
            features, label = known.features.take(index[~part]), known.converted[index[~part]]
            found = lab.classifier(features, label, name=name).predict(known.features.take(index[part]))
            self.prior[index[part]] = logit(np.clip(found, 1e-4, 1 - 1e-4))
        self._learn(known)

    def refresh(self, known: Exposures, lab: Lab, predict: Predict) -> None:
        """Predict what is new before it is learned from, and learn Λ again where it is time to."""
        self.make_room(len(known))
        self._predict = predict
        new = np.flatnonzero(np.isnan(self.prior[: len(known)]) & ~known.mature)
        self.prior[new] = predict(new)[:, 0]
        self.turn += 1
        if self.every and self.turn % self.every == 0:
            self._learn(known)
            if self.recalibrate and self.stand_in:
                self.shift = self._shift(known)

    def probability(self, logits: Tensor) -> Tensor:
        """The probability ``[b]`` of a conversion within the window, shifted where that is asked for."""
        return torch.sigmoid(logits[:, 0] + self.shift)

    def rows(self, known: Exposures, since: int) -> Rows:
        """New exposures as they stand, late conversions or some older ones again, and final labels."""
        self.make_room(len(known))
        first = known.since(since)
        found = self._again(known, first) if self.again and self.taught else self._new(known, since, first)
        if weight := self.weight_of_final():
            final = settled(known, since)
            found = joined(found, weighed(final, weight * final.label, weight * (1 - final.label)))
        total = found.columns["positive"] + found.columns["negative"]
        self.share = float(total.sum() ** 2 / (len(found) * (total**2).sum())) if total.any() else 1.0
        return found

    def weight_of_final(self) -> float:
        """The weight of final labels at this refresh."""
        if self.settle is not None or not self.taught:
            return self.settle or 0.0
        return SETTLE * self.repeated

    def _new(self, known: Exposures, since: int, first: int) -> Rows:
        """New exposures as they stand, and late conversions of older ones."""
        new = standing(known, np.arange(first, len(known)))
        later, told = self.belief(known, new.index)
        later[new.label > 0] = 0.0
        ahead = self.ahead * -np.expm1(-np.maximum(told, 0.0)) * (new.label == 0)
        eta, stood = self._stood_for(known.until - known.time[new.index])
        self.paid[new.index] = 1 - (1 - ahead) * (1 - eta)
        positive = new.label * stood + (1 - eta) * ahead * later
        negative = (1 - new.label) * (1 - later)
        copies = late(known, since, 0)
        copies = copies.take(np.flatnonzero(copies.index < first))
        rows = joined(Rows(new.index, new.label), copies)
        rest = (1 - self.paid[copies.index]) * volume(known, copies.index, len(new), known.until - since)
        return weighed(
            rows, np.concatenate([positive, rest]), np.concatenate([negative, np.zeros(len(copies))])
        )

    def _stood_for(self, age: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """η ``[r]`` at each age, µs, and the weight of a conversion that has come by then."""
        if not self.stand_in or not self.taught:
            return np.zeros(len(age)), np.ones(len(age))
        share = share_by(age, self.delays)
        rest = (1 - share) / np.maximum(share, 1e-9)
        eta = np.minimum(self.fresh, (HEAVIEST - 1) / np.maximum(rest, 1e-9)) * (share > 0)
        return eta, 1 + eta * rest

    def _again(self, known: Exposures, first: int) -> Rows:
        """New exposures, and older ones of the window drawn at random, all with their belief of now."""
        start, new = known.since(known.until - known.window), len(known) - first
        count = min(round(self.again * new), first - start)
        rng = generator(self.seed, "engaged", "again", int(known.until))
        drawn = start + np.sort(rng.choice(max(first - start, 1), count, replace=False))
        rows = standing(known, np.concatenate([drawn, np.arange(first, len(known))]))
        prior = self.prior[rows.index]
        if self._predict is not None and count:
            prior[:count] = self._predict(drawn)[:, 0]  # theirs is older, and Λ needs it so
        later = self.belief(known, rows.index, prior)[0]
        positive = rows.label + (1 - rows.label) * later
        return weighed(Rows(rows.index, rows.label), positive, 1 - positive)

    def _shift(self, known: Exposures) -> float:
        """How far the predictions that the stream made within the last window were off."""
        index = np.arange(max(self.begun, known.since(known.until - known.window)), len(known))
        index = index[:: -(-len(index) // LEVEL) or 1]
        index = index[~np.isnan(self.prior[index])]
        if not self.taught or not len(index):
            return 0.0
        told = self.belief(known, index)[1]
        return drawn_in(*shift(self.prior[index].astype(np.float64), told, known.converted[index]))

    def told(self) -> dict[str, float]:
        """Effective sample size over rows at the last refresh; engagement: its worth in nats, and its use."""
        return {
            "effective_share": self.share,
            "weight_of_final": float(self.weight_of_final()),
            "shift": self.shift,
            "engagement_gain": self.gain,
            "engagement_used": float(self.looks),
            "fresh": self.fresh * self.stand_in,
        }

    def make_room(self, count: int) -> None:
        """Remember priors and what was paid of so many exposures."""
        more = max(count - len(self.prior), 0)
        self.prior = np.concatenate([self.prior, np.full(more, np.nan, np.float32)])
        self.paid = np.concatenate([self.paid, np.zeros(more, np.float32)])

    def later(self, known: Exposures, index: np.ndarray) -> np.ndarray:
        """P(y = 1 | x, age, engagement, no conversion yet) ``[r]`` at the clock; 0 where mature.

        Args:
            known: what is known now.
            index: ``[r]`` exposures that have not converted.
        """
        return self.belief(known, index)[0]

    def belief(
        self,
        known: Exposures,
        index: np.ndarray,
        prior: np.ndarray | None = None,
        clock: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """P(y = 1 | x, age, engagement, no conversion yet), and the log Λ that it was moved by.

        Args:
            known: what is known now.
            index: ``[r]`` exposures that have not converted.
            prior: ``[r]`` logits; those of the exposures' own time when None.
            clock: ``[r]`` moments that they are looked at; now when None.

        Returns:
            Probabilities ``[r]``, 0 where mature, and log ratios ``[r]``.
        """
        if not self.taught or not len(index):
            return np.zeros(len(index)), np.zeros(len(index))
        of = seen(known, index, np.full(len(index), known.until) if clock is None else clock)
        told = self.aware.log_ratio(of) if self.looks else self.blind.log_ratio(of.blind())
        logit_f = (self.prior[index] if prior is None else prior).astype(np.float64) + self.shift
        odds = np.minimum(logit_f, CAP) + told
        mature = known.time[index] < known.until - known.window  # of these alone: logs are long
        return np.where(mature, 0.0, expit(odds)), told

    def _learn(self, known: Exposures) -> None:
        """Judge both Λ on exposures that neither has seen, and then learn from those too."""
        index = np.flatnonzero(known.mature & ~np.isnan(self.prior[: len(known)]))[-COHORT:]
        label = known.converted[index]
        if len(index) < ENOUGH or label.all() or not label.any():
            return
        self.delays = delays(known, index[label])
        if self.taught and len(index) < GROWN * self.learned and not self._off(known, index):
            return
        of, offset, row = self._looked_at(known, index, LOOKS)
        y = label[row]
        if self.engagement and len(known.engagement.kinds):
            fresh = index[row] >= (self.judged_from or index[round((1 - NEWEST) * len(index))])
            self._judge(of, y, offset, fresh)
            teach(self.aware, of, offset, y, self.seed, again=self.taught)
        teach(self.blind, of.blind(), offset, y, self.seed, again=self.taught)
        self.taught, self.judged_from, self.learned = True, int(index[-1]) + 1, len(index)

    def _looked_at(
        self, known: Exposures, index: np.ndarray, looks: int
    ) -> tuple[Seen, np.ndarray, np.ndarray]:
        """What was seen of mature exposures at random ages, recalibrated priors, and whose each row is."""
        label = known.converted[index]
        prior = platt(self.prior[index].astype(np.float64), label)
        rng = generator(self.seed, "engaged", "ages", self.turn)
        at = known.time[index] + _ages(rng, looks, len(index), known.window)
        look, row = np.nonzero(~label | (known.conversion_time[index] >= at))
        return seen(known, index[row], at[look, row]), prior[row], row

    def _off(self, known: Exposures, index: np.ndarray) -> bool:
        """Whether mature exposures that Λ has not seen contradict it."""
        new = index[index >= self.judged_from]
        if len(new) < ENOUGH or known.converted[new].all() or not known.converted[new].any():
            return False
        rng = generator(self.seed, "engaged", "tested", self.turn)
        new = np.sort(rng.choice(new, min(len(new), TESTED), replace=False))
        of, offset, row = self._looked_at(known, new, 1)
        told = self.aware.log_ratio(of) if self.looks else self.blind.log_ratio(of.blind())
        return moved(of if self.engagement else of.blind(), offset + told, known.converted[new[row]])

    def _judge(self, of: Seen, label: np.ndarray, offset: np.ndarray, fresh: np.ndarray) -> None:
        """Whether Λ with engagement is better by two standard errors where nothing was learned from."""
        old, new = np.flatnonzero(~fresh), np.flatnonzero(fresh)
        if not len(new) or not len(old):
            return
        if not self.taught:
            for ratio, part in ((self.aware, of), (self.blind, of.blind())):
                teach(ratio, part.take(old), offset[old], label[old], self.seed)
            self.taught = True
        without = surprise(offset[new] + self.blind.log_ratio(of.blind().take(new)), label[new])
        better = without - surprise(offset[new] + self.aware.log_ratio(of.take(new)), label[new])
        self.gain = float(better.mean())
        self.looks = self.gain > 2 * float(better.std()) / len(new) ** 0.5


def weighed(rows: Rows, positive: np.ndarray, negative: np.ndarray) -> Rows:
    """The same rows with the weights of both outcomes."""
    return rows.adding({"positive": positive.astype("f"), "negative": negative.astype("f")})


def _ages(rng: np.random.Generator, looks: int, count: int, window: int) -> np.ndarray:
    """Random ages ``[looks, n]``, µs: half even over a thirtieth of the window, half by the logarithm."""
    size = (looks, count)
    young = rng.random(size) * window / 30
    older = window / 60 * np.exp(rng.random(size) * np.log(60.0))
    return np.where(rng.random(size) < 0.5, young, older).astype(np.int64)
