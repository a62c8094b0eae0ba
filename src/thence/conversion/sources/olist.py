"""Sellers who asked to join a marketplace (Olist): will they be won? Nothing is seen in between.

Contacts have dates and are made at the beginning of their day. No win before December 2017 is on record, so
only contacts from January 2018 are kept; one that was won before its contact is left out. 5,997 contacts until
May 2018, 10.6 % won within 60 days.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.sources.hashing import describe
from thence.conversion.sources.journey import moments
from thence.events.clock import DAY, micros
from thence.events.datasets.registry import dataset_file

WINDOW = 60 * DAY
SINCE = micros("2018-01-01")
BUCKETS = {"landing_page_id": 1024, "origin": 32}


def olist_funnel(folder: str | Path, *, window: int = WINDOW) -> Exposures:
    """Contacts, converting when the seller is won.

    Args:
        folder: where the two files lie.
        window: attribution window in microseconds.

    Raises:
        DataError: a file is absent or another one.
    """
    asked, won = (
        pyarrow.csv.read_csv(dataset_file("olist_funnel", f"olist_{name}_dataset.csv", folder))
        for name in ("marketing_qualified_leads", "closed_deals")
    )
    both = asked.join(won.select(["mql_id", "won_date"]), "mql_id").sort_by(
        [("first_contact_date", "ascending"), ("mql_id", "ascending")]
    )
    time = moments(both["first_contact_date"].cast(pa.timestamp("us")))
    end = moments(both["won_date"].fill_null(pa.scalar(0, both["won_date"].type)))
    end = np.where(end == 0, NEVER, end)
    kept = np.flatnonzero((time >= SINCE) & (end > time))
    time, end = time[kept], end[kept]
    born = both.take(pa.array(kept))
    return Exposures.make(
        time,
        np.where(end > time + window, NEVER, end),
        window=window,
        until=int(time.max()) + window + 1,
        features=describe({name: born[name] for name in BUCKETS}, buckets=BUCKETS),
    )
