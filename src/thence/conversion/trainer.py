"""One estimator and its network: begin with what is mature, then learn refresh by refresh what came.

Streams and models that users hold train alike; both do it here.
"""

from __future__ import annotations

from functools import partial

from thence.base.progress import Progress, silent
from thence.conversion.estimator import Estimator
from thence.conversion.exposures import Exposures
from thence.conversion.lab import Lab
from thence.conversion.learn import LearnConfig, Learner
from thence.conversion.net import ConversionNet


class Trainer:
    """Moves a network as an estimator asks for.

    Args:
        estimator: how to learn from open labels; a new one.
        net: the network, with as many heads as the estimator needs; it is trained in place.
        learn: how it is trained.
        seed: of orders, and of the models beside it.

    Example:
        >>> from thence.conversion.delayed.settle import Naive
        >>> from thence.conversion.net import NetConfig, make_net
        >>> shown = Exposures.make([0, 10, 20], [4, 30, 99], window=15)
        >>> trainer = Trainer(Naive(0), make_net(shown.features, NetConfig()))
        >>> trainer.begin(shown.before(16))
        >>> trainer.learn(shown.before(25), since=5)  # gradient rows: the second and the third
        2
    """

    def __init__(
        self, estimator: Estimator, net: ConversionNet, learn: LearnConfig | None = None, seed: int = 0
    ) -> None:
        self.estimator, self.config = estimator, learn or LearnConfig()
        self.learner = Learner(net, self.config, seed)
        self.lab = Lab(net.config, self.config, seed, self.learner)

    def begin(self, known: Exposures, progress: Progress = silent) -> None:
        """Train on the mature exposures with their final labels, then let the estimator prepare.

        Args:
            known: what is known when training begins.
            progress: called after each pass.
        """
        settled = self.estimator.settled_rows(known)
        for turn in range(self.config.passes):
            self.learner.learn(known.features, settled, self.estimator.settled_loss, "begin", turn)
            progress("passes over mature exposures", turn + 1, self.config.passes)
        self.estimator.begin(known, self.lab)

    def learn(self, known: Exposures, since: int, passes: int = 1, progress: Progress = silent) -> int:
        """Learn from the estimator's rows that came in ``[since, clock)``.

        Args:
            known: what is known at the clock.
            since: the clock of the refresh before, microseconds UTC.
            passes: how often.
            progress: called after each pass.

        Returns:
            Gradient rows of one pass.
        """
        self.estimator.refresh(known, self.lab, partial(self.learner.logits, known.features))
        rows = self.estimator.rows(known, since)
        count = self.config.count(len(rows), len(known) - known.since(since))
        if passes > 1 or (count or 0) > len(rows):
            rows = rows.whole()  # what is gone through twice is not computed twice
        for turn in range(passes):
            names = (known.until, turn) if turn else (known.until,)
            self.learner.learn(known.features, rows, self.estimator.loss, *names, count=count)
            progress("passes over open exposures", turn + 1, passes)
        return (count or len(rows)) if len(rows) else 0
