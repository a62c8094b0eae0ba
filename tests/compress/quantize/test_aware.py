"""Training through the codes: it wins lists back, is taught by exact scores alone, and never makes it worse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.compress.quantize.vectors import clustered

from thence.base.errors import ConfigError, FitError
from thence.compress.quantize import AwareConfig, quantize, quantize_aware, recall
from thence.compress.quantize import aware as module
from thence.graph import Arcs

GIVEN = clustered(400, 24)
SHORT = AwareConfig(steps=60, batch=64, drawn=128, learning_rate=0.01)


@pytest.mark.parametrize("kind", ["rabitq", "int2"])
def test_it_wins_lists_back(kind: str) -> None:
    trained = quantize_aware(GIVEN, kind, SHORT)
    assert trained.metrics["recall@20"] > trained.metrics["recall@20_untrained"] + 0.01
    assert (
        recall(trained, GIVEN, queries=400)
        > recall(quantize(GIVEN, kind, queries=0), GIVEN, queries=400) + 0.01
    )
    assert trained.bytes == quantize(GIVEN, kind, queries=0).bytes


def test_the_same_seed_gives_the_same_codes() -> None:
    config = AwareConfig(steps=3, batch=32, drawn=32)
    one, two = (quantize_aware(GIVEN, "int2", config, seed=1).scores([0]) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_what_became_worse_is_not_returned() -> None:
    wild = AwareConfig(steps=5, learning_rate=50.0)
    trained, plain = quantize_aware(GIVEN, "int4", wild), quantize(GIVEN, "int4")
    np.testing.assert_array_equal(trained.scores([0, 1]), plain.scores([0, 1]))
    assert trained.metrics["recall@20"] == trained.metrics["recall@20_untrained"] == plain.metrics["recall@20"]


def test_validation_decides_where_it_is_given() -> None:
    asked = []

    def validate(scorer) -> float:
        asked.append(scorer)
        return 0.1 * len(asked)  # the later, the better

    trained = quantize_aware(GIVEN, "int4", AwareConfig(steps=2), validate=validate)
    assert trained.metrics["HitRate@10"] == pytest.approx(0.3)
    assert (trained.scores([0]) != quantize(GIVEN, "int4", queries=0).scores([0])).any()


def test_the_loss_is_the_divergence_by_hand() -> None:
    random = np.random.default_rng(0)
    teacher, ours = random.normal(size=(2, 5, 9))
    teacher[2, 3] = -np.inf
    total = 0.0
    for row in range(5):
        known = np.flatnonzero(np.isfinite(teacher[row]))
        spread = np.sort(np.where(np.isfinite(teacher[row]), teacher[row], np.inf)[known])[-4:].std(ddof=1)
        p, q = (np.exp(side[row][known] / spread) for side in (teacher, ours))
        p, q = p / p.sum(), q / q.sum()
        total += float((p * np.log(p / q)).sum())
    found = module._loss(torch.from_numpy(teacher), torch.from_numpy(ours), 2)
    assert float(found) == pytest.approx(total / 5, rel=1e-6)


def test_the_gradient_passes_through_the_codes() -> None:
    x = torch.randn(4, 8, generator=torch.Generator().manual_seed(0), requires_grad=True)
    weight = torch.arange(32.0).reshape(4, 8)
    (module._coder("rabitq", 0)(x) * weight).sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, weight)


def test_arcs_may_teach_and_wrong_settings_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    arcs = Arcs.from_pairs([0, 1, 2], [3, 4, 5], num_nodes=400)
    assert quantize_aware(GIVEN, "rabitq", AwareConfig(steps=2), arcs=arcs).kind == "rabitq"
    with pytest.raises(ConfigError, match="cannot be trained through"):
        quantize_aware(GIVEN, "pq16")
    with pytest.raises(ConfigError, match="cannot be taught"):
        AwareConfig(steps=0)
    monkeypatch.setattr(module, "_loss", lambda *given: torch.tensor(torch.nan, requires_grad=True))
    with pytest.raises(FitError, match="loss is nan"):
        quantize_aware(GIVEN, "rabitq", AwareConfig(steps=2))
