"""Search: every word must occur, the best known and best matching first, quickly."""

from __future__ import annotations

import time

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.serve.shop import HOSTILE, Client

from thence.base.ids import IdMap
from thence.base.rng import generator
from thence.serve.catalogue import Catalogue, normal


def titles(client: Client, query: str, **more) -> list[str]:
    return [row["title"] for row in client.json("/v1/items/search", q=query, **more)["results"]]


def test_words_in_any_case_and_order_as_beginnings_or_inside(client: Client):
    assert titles(client, "phone") == ["Red Phone", "Phone case"]
    assert titles(client, "PHONE red") == ["Red Phone"]
    assert titles(client, "pho ca") == ["Phone case"]
    assert titles(client, "harge") == ["Fast charger"]  # inside a word
    assert titles(client, "television") == ["Télévision"] == titles(client, "TÉLÉ")
    assert titles(client, "wire") == ["Cable, braided"]  # by its brand
    assert titles(client, "glass tech") == ["Screen glass"]  # title and category
    assert titles(client, "a/b,c", limit=1) == [HOSTILE]  # by its id
    assert titles(client, "phone zebra") == [] == titles(client, "") == titles(client, " ,;-")
    assert titles(client, "script") == [HOSTILE]
    assert len(titles(client, "a", limit=2)) == 2


def test_known_items_come_first_unless_others_match_much_better():
    nodes = pa.table(
        {"title": ["Milk", "Milk chocolate", "Whole milk", "Buttermilk"], "count": [5, 50, 4000, 9000]}
    )
    found = Catalogue.of(IdMap(["a", "b", "c", "milk9"]), nodes)
    assert found.search("milk") == [2, 3, 1, 0]
    assert found.search("milk cho") == [1]
    assert found.search("milk9") == [3]
    even = Catalogue.of(IdMap(["a", "b", "c", "d"]), nodes.drop_columns("count"))
    assert even.search("milk") == [0, 1, 2, 3]  # title, its beginning, its words, inside a word
    assert found.search("MILK9")[0] == 3


def test_an_exact_id_comes_first():
    nodes = pa.table({"title": ["item 12 of many", "other"], "count": [10**9, 0]})
    assert Catalogue.of(IdMap(["x", "12"]), nodes).search("12") == [1, 0]


def test_without_a_table_the_ids_are_the_titles():
    plain = Catalogue.of(IdMap(["alpha", "beta"]), None)
    assert plain.item(1).title == "beta" and plain.item(1).count is None and plain.search("bet") == [1]
    blank = Catalogue.of(IdMap(["alpha"]), pa.table({"title": ["  "]}))
    assert blank.item(0).title == "alpha"


def test_categories_hold_what_is_below_them():
    nodes = pa.table({"category": ["A > B", "A", "AB", None, "A > B > C"]})
    found = Catalogue.of(IdMap("vwxyz"), nodes)
    assert found.in_category("A").tolist() == [True, True, False, False, True]
    assert found.in_category("A > B").tolist() == [True, False, False, False, True]
    assert found.category_paths() == ["A", "A > B", "A > B > C", "AB"]


@settings(max_examples=50, deadline=None)
@given(query=st.text(max_size=40), title=st.text(max_size=40))
def test_any_text_is_searched_without_harm(query, title):
    found = Catalogue.of(
        IdMap(["a"]), pa.table({"title": pa.array([title.encode("utf-8", "ignore").decode()])})
    )
    words = normal(query).split()[:8]
    everything = normal(found.item(0).title) + normal("  a")
    assert found.search(query) == ([0] if words and all(word in everything for word in words) else [])
    found.nearest(query)


def test_it_is_quick_at_100_000_items():
    rng = generator(0, "search test")
    words = [f"word{i}" for i in range(2000)]
    rows = [" ".join(words[i] for i in row) for row in rng.integers(0, 2000, (100_000, 4)).tolist()]
    ids = IdMap([f"sku-{i}" for i in range(100_000)])
    found = Catalogue.of(ids, pa.table({"title": rows, "count": rng.integers(0, 1000, 100_000)}))
    assert found.search("warm up") == []
    started = time.process_time()
    for query in ("word1", "word12 word7", "sku-99999", "wo", "1 2 3"):
        found.search(query)
    assert (
        time.process_time() - started
    ) / 5 < 0.25  # about 0.03 s on two cores; the bound leaves room for load
    assert found.search("sku-99999") == [99_999]
