"""A stream predicts before it learns, predicts nothing that stays open, and has one budget for all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from thence.base.errors import ArtifactError, ConfigError
from thence.conversion.delayed.es_dfm import EsDfm
from thence.conversion.delayed.settle import Naive, Oracle, Pretrained, Wait
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.conversion.keep import kept, lay_over
from thence.conversion.lab import Classifier, Lab
from thence.conversion.learn import LearnConfig
from thence.conversion.net import NetConfig
from thence.conversion.resume import fingerprint
from thence.conversion.rows import Rows
from thence.conversion.stream import Stream, StreamConfig, run_stream
from thence.events.clock import DAY

WINDOW = 4 * DAY
CONFIG = StreamConfig(
    start=10 * DAY, net=NetConfig("logistic"), learn=LearnConfig(32, 0.05, visits=1.0), checkpoint_every=3
)


def shown(until: int = 24 * DAY, seed: int = 0, n: int = 800) -> Exposures:
    rng = np.random.default_rng(seed)
    time = np.sort(rng.integers(0, 20 * DAY, n))
    end = np.where(rng.random(n) < 0.4, time + rng.integers(1, 5 * DAY, n), NEVER)
    features = Features(rng.integers(0, 4, (n, 1)), rng.normal(size=(n, 1)), (4,))
    return Exposures.make(time, end, window=WINDOW, features=features).before(until)


def test_only_blocks_that_are_final_by_the_end_of_the_log_are_predicted() -> None:
    for days, blocks in ((24, 10), (20, 6), (17.5, 3)):
        log = shown(round(days * DAY))
        made = run_stream(log, Wait(), CONFIG)
        assert made.block.tolist() == ((log.time[made.index] - CONFIG.start) // DAY).tolist()
        assert len(np.unique(made.block)) == blocks and log.mature[made.index].all()
        last = CONFIG.start + blocks * DAY
        assert len(made) == ((log.time >= CONFIG.start) & (log.time < last)).sum()
    assert len(np.unique(run_stream(shown(), Wait(), replace(CONFIG, end=12 * DAY)).block)) == 2
    with pytest.raises(ConfigError, match="no block"):
        run_stream(shown(14 * DAY), Wait(), CONFIG)
    with pytest.raises(ConfigError, match="no exposure is mature"):
        run_stream(shown(), Wait(), replace(CONFIG, start=3 * DAY))


def test_where_everything_is_known_the_last_exposure_ends_the_stream() -> None:
    whole = Exposures.make(np.arange(20) * DAY, [NEVER] * 20, window=WINDOW)
    assert len(run_stream(whole, Pretrained(), CONFIG)) == 10


def test_the_model_that_never_moves_says_the_same_of_the_same() -> None:
    made = run_stream(shown(), Pretrained(), CONFIG)
    alone = Stream(shown(), Pretrained(), CONFIG)
    alone.begin()
    assert made.told["rows"] == 0
    for block in np.unique(made.block):
        part = made.index[made.block == block]
        assert np.array_equal(
            alone.probabilities(part[0], part[-1] + 1)[1], made.probability[made.block == block]
        )


def test_every_estimator_has_the_same_number_of_gradient_rows() -> None:
    log = shown()
    rows = {
        type(one).__name__: run_stream(log, one, CONFIG).told["rows"]
        for one in (Naive(DAY // 4), Wait(), Oracle(log), EsDfm(DAY // 4))
    }
    came = ((log.time >= CONFIG.start - WINDOW) & (log.time < 20 * DAY)).sum()  # the open ones at the start too
    assert set(rows.values()) == {came}


def test_a_prediction_depends_on_nothing_that_came_after_it() -> None:
    """Other futures of the same past, from day 15 on, leave all predictions of blocks before it as they are."""
    log, other = shown(), shown()
    later = np.where(
        (log.conversion_time >= 15 * DAY) & (log.conversion_time != NEVER), NEVER, log.conversion_time
    )
    other = Exposures(log.features, log.time, later, WINDOW, log.until)
    for make in (lambda: Naive(DAY // 4), Wait, lambda: EsDfm(DAY // 4)):
        first, second = run_stream(log, make(), CONFIG), run_stream(other, make(), CONFIG)
        early = first.block <= 5
        assert np.array_equal(first.probability[early], second.probability[early])
        assert not np.array_equal(first.probability[~early], second.probability[~early])
    leaking = [run_stream(log, Oracle(truth), CONFIG).probability[early] for truth in (log, other)]
    assert not np.array_equal(*leaking)  # the test sees what looks ahead


def test_a_checkpoint_is_of_one_stream_alone(tmp_path: Path) -> None:
    log, folder = shown(), tmp_path / "checkpoint"
    whole = run_stream(log, EsDfm(DAY // 4), CONFIG, checkpoint=folder)
    again = run_stream(log, EsDfm(DAY // 4), replace(CONFIG, checkpoint_every=1), checkpoint=folder)
    assert np.array_equal(whole.probability, again.probability) and whole.told == again.told
    for stream in (
        (shown(seed=1), EsDfm(DAY // 4), CONFIG),
        (log, EsDfm(DAY // 2), CONFIG),
        (log, EsDfm(DAY // 4, exact=True), CONFIG),
        (log, EsDfm(DAY // 4), replace(CONFIG, seed=1)),
    ):
        with pytest.raises(ArtifactError, match="of other exposures"):
            run_stream(*stream, checkpoint=folder)
    (folder / "block.npy").write_bytes(b"torn")
    with pytest.raises(ArtifactError):
        run_stream(log, EsDfm(DAY // 4), CONFIG, checkpoint=folder)


def test_a_fingerprint_is_of_all_that_is_known() -> None:
    log = shown()
    moved = log.conversion_time.copy()
    moved[np.flatnonzero(moved != NEVER)[0]] += 1
    others = [
        log.before(23 * DAY),
        Exposures(log.features, log.time, moved, WINDOW, log.until),
        Exposures(log.features, log.time, log.conversion_time, WINDOW + 1, log.until),
        log.with_features(Features.none(len(log))),
    ]
    assert len({fingerprint(one) for one in (log, *others)}) == 5


class Owner:
    """Fields of every kind that a checkpoint keeps."""

    def __init__(self, classifier: Classifier, shift: float) -> None:
        self.rate, self.name, self.none, self.log = 0.1 + shift, f"n{shift}", None, shown()
        self.sums, self.scalar = np.arange(3.0) + shift, np.float32(0.3 + shift)
        self.models = {"a": classifier, "b": [Classifier(None, shift), (1, shift)]}
        self.tensor = torch.full((2,), shift)
        self.layer = torch.nn.Linear(1, 1)


def test_what_is_kept_is_laid_over_to_the_byte() -> None:
    log, lab = shown(), Lab(NetConfig("mlp", dim=2, hidden=(4,)), LearnConfig(32, 0.05))
    fit = [lab.classifier(log.features, log.converted, name=name) for name in ("one", "two")]
    old, new = Owner(fit[0], 0.25), Owner(fit[1], 0.5)
    logs = new.log
    lay_over(new, kept(old))
    assert (new.rate, new.name, new.none, new.log) == (old.rate, old.name, None, logs)
    assert np.array_equal(new.sums, old.sums) and new.scalar == old.scalar and new.scalar.dtype == np.float32
    assert np.array_equal(new.models["a"].predict(log.features), fit[0].predict(log.features))
    assert new.models["b"][0].constant == 0.25 and new.models["b"][1] == (1, 0.25)
    assert torch.equal(new.tensor, old.tensor) and torch.equal(new.layer.weight, old.layer.weight)
    rows = Rows(np.arange(len(log)), log.converted.astype("f"))
    for owner in (old, new):  # Adam's moments too: the next step is the same
        owner.models["a"].learner.learn(log.features, rows, lambda z, b: (z[:, 0] - b["label"]) ** 2, "next")
    assert np.array_equal(new.models["a"].predict(log.features), old.models["a"].predict(log.features))
    with pytest.raises(ArtifactError, match="how Owner is laid out"):
        lay_over(new, {})
