"""Training asks for the weights of the rows that it trains on, and of no others."""

from __future__ import annotations

import numpy as np
import pytest

from thence.conversion.estimator import Estimator
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.learn import LearnConfig
from thence.conversion.net import NetConfig, make_net
from thence.conversion.rows import Rows, joined, once
from thence.conversion.trainer import Trainer


class Noted(Estimator):
    """Two rows an exposure; notes whose weights were asked for."""

    def __init__(self, *, early: bool) -> None:
        self.early, self.asked = early, np.empty(0, np.int64)

    def rows(self, known: Exposures, since: int) -> Rows:
        rows = joined(once(known, since, 0), once(known, since, 0)).asking(self._weights)
        return rows.whole() if self.early else rows

    def _weights(self, some: Rows) -> dict[str, np.ndarray]:
        self.asked = np.concatenate([self.asked, some.index])
        share = 1 / (1 + some.index % 3)
        return {"positive": some.label, "negative": share.astype("f")}


@pytest.mark.parametrize(
    ("visits", "passes", "asked"), [(1.0, 1, 300), (0.0, 1, 600), (1.0, 2, 600), (3.0, 1, 600)]
)
def test_a_weight_is_computed_once_and_only_where_it_counts(visits: float, passes: int, asked: int) -> None:
    shown = Exposures.make(np.arange(400), [NEVER] * 400, window=50).before(400)
    found = []
    for early in (True, False):
        method = Noted(early=early)
        learn = LearnConfig(64, 0.05, passes=2, visits=visits)
        trainer = Trainer(method, make_net(shown.features, NetConfig("logistic")), learn)
        assert trainer.learn(shown, 100, passes) == (round(300 * visits) or 600)
        found.append(trainer.learner.net.out.bias.detach().numpy(force=True).copy())
        assert len(method.asked) == (600 if early else asked)
    np.testing.assert_array_equal(*found)
