"""Cases of two real process logs: will the case end as hoped, and which steps on the way tell?

hospital_billing    NEW → BILLED within 400 d; every other step is engagement (FIN, RELEASE, CODE OK, CHANGE
                    DIAGN, DELETE, REOPEN, …). 9,999 cases; rows that name no case are left out.
traffic_fines       Create Fine → Payment within 300 d; engagement: Send Fine, Insert Fine Notification, Add
                    penalty, appeals. 10,000 cases, the first payment counts.

Only what stands in a case's first row is a feature; of the hospital's, ``isclosed`` and ``flagd`` are left out,
which stand there but tell how the case ended (3.5 % and 1.9 % of those without are billed).

The fines have dates without times: a fine is made at the beginning of its day, what follows is known at the end
of its own day, a payment last, so that a fine that is paid on its first day converts that day.

The cases of the hospital begin within 136 days while half of the bills come after 171 days, so no label is
final before the last case has begun, and the log as it is cannot be streamed. Its timestamps were shifted by
its publishers, with the gaps within a case kept. ``stretch`` therefore moves the beginnings of cases apart,

    start' = first + stretch · (start - first),        all gaps within a case unchanged,

as if a hospital with a tenth of the patients had been watched for ten times as long. Order of cases, labels,
delays and engagement are the log's own; what moves with the calendar (season, closing of the books) is slowed.

Reference: F. Mannhardt, "Hospital Billing - Event Log", 2017; M. de Leoni and F. Mannhardt, "Road Traffic Fine
Management Process", 2015; 4TU.ResearchData.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from thence.base.arrow import pc
from thence.base.errors import ConfigError, DataError
from thence.conversion.engagement import Engagement
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.sources.hashing import describe
from thence.events.clock import DAY
from thence.events.columns import plain
from thence.events.datasets.registry import dataset_file

BILLING_WINDOW, FINES_WINDOW = 400 * DAY, 300 * DAY
STRETCH = 10
SMALL = 64


def hospital_billing(folder: str | Path, *, window: int = BILLING_WINDOW, stretch: int = STRETCH) -> Exposures:
    """Cases of a hospital, converting when they are billed.

    Args:
        folder: where ``hospital_billing.csv.gz`` lies.
        window: attribution window in microseconds.
        stretch: how far the beginnings of cases are moved apart; 1 leaves them where they are.

    Raises:
        DataError: the file is absent or another one.
        ConfigError: the stretch is below 1.
    """
    if stretch < 1:
        raise ConfigError(f"stretch is {stretch}", fix="Give 1 or more.")
    raw = _read(folder, "hospital_billing", "hospital_billing.csv.gz")
    time = np.asarray(plain(raw["timestamp"]).cast(pa.timestamp("us")).cast(pa.int64()))
    categories = ("casetype", "diagnosis", "speciality", "resource")
    return _cases(raw, time, ("NEW", "BILLED"), categories, (), window, stretch)


def traffic_fines(folder: str | Path, *, window: int = FINES_WINDOW) -> Exposures:
    """Fines, converting when they are paid for the first time.

    Args:
        folder: where ``traffic_fines.csv.gz`` lies.
        window: attribution window in microseconds.

    Raises:
        DataError: the file is absent or another one.
    """
    raw = _read(folder, "traffic_fines", "traffic_fines.csv.gz")
    day = np.asarray(plain(raw["timestamp"]).cast(pa.timestamp("us")).cast(pa.int64()))
    activity = raw["activity"]
    paid = np.asarray(plain(pc.equal(activity, "Payment")))
    made = np.asarray(plain(pc.equal(activity, "Create Fine")))
    time = np.where(made, day, day + DAY - 2 + paid)
    categories = ("article", "resource", "vehicleclass", "dismissal", "points")
    return _cases(raw, time, ("Create Fine", "Payment"), categories, ("amount",), window, 1)


def _read(folder: str | Path, name: str, file: str) -> pa.Table:
    """All columns as strings, the empty ones null; rows that name no case are left out."""
    path = dataset_file(name, file, folder)
    with pa.input_stream(str(path), compression="gzip") as stream:
        header = stream.read(4096).split(b"\n", 1)[0].decode().strip().split(",")
    convert = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=True, null_values=[""]
    )
    try:
        raw = pyarrow.csv.read_csv(str(path), convert_options=convert)
    except pa.ArrowInvalid as error:
        raise DataError(f"cannot be read: {error}", where=path) from error
    return raw.filter(pc.is_valid(raw["case_id"]))


def _cases(
    raw: pa.Table,
    time: np.ndarray,
    ends: tuple[str, str],
    categories: tuple[str, ...],
    numbers: tuple[str, ...],
    window: int,
    stretch: int,
) -> Exposures:
    """One exposure a case: from its first row to the first row of the converting activity."""
    _, case = np.unique(np.asarray(plain(raw["case_id"]).to_pylist()), return_inverse=True)
    place = np.asarray(plain(raw[".order"]).cast(pa.int64()))
    activity = np.asarray(plain(raw["activity"]).to_pylist())
    rows = np.lexsort((place, time, case))
    case, time, activity = case[rows], time[rows], activity[rows]
    first = np.flatnonzero(np.diff(case, prepend=-1))
    if (activity[first] != ends[0]).any():
        raise DataError(f"a case does not begin with {ends[0]}")
    begin = time[first]
    end = np.full(len(first), NEVER)
    won = np.flatnonzero(activity == ends[1])
    np.minimum.at(end, case[won], time[won])
    shift = (stretch - 1) * (begin - begin.min())
    step = np.setdiff1d(np.arange(len(case)), np.concatenate([first, won]))
    step = step[time[step] <= begin[case[step]] + window]
    kinds, kind = np.unique(activity[step], return_inverse=True)
    born = raw.take(pa.array(rows[first]))
    features = describe(
        {name: born[name] for name in categories},
        {name: plain(born[name]).cast(pa.float64()) for name in numbers},
        buckets=dict.fromkeys(categories, SMALL) | {"diagnosis": 1024, "resource": 1024},
    )
    engagement = Engagement.make(kinds.tolist(), case[step], kind, (time + shift[case])[step])
    begin, end = begin + shift, np.where(end == NEVER, NEVER, end + shift)
    until = int(begin.max()) + window + 1
    late = (end != NEVER) & (end > begin + window)
    end = np.where(late, NEVER, end)
    return Exposures.make(begin, end, window=window, until=until, features=features, engagement=engagement)
