"""What is told of the data: kept in the bundle, counted from the graph, and never more than was kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.serve.shop import AFTER, Client, bundle
from tests.serve.test_decide import policy as policy

from thence.base.artifact import write_artifact
from thence.base.errors import ArtifactError
from thence.decide.policy import Policy
from thence.serve import Bundle, Models, create_app
from thence.serve.data import DataDesk
from thence.serve.schemas_data import LogFacts
from thence.serve.store import Live, Store

FACTS: dict[str, Any] = {
    "events": 90, "users": 12, "items": 7, "catalogue": 8,
    "first": "2026-01-05T10:00:00Z", "last": "2026-01-07T00:00:00Z",
    "kinds": {"purchase": 60, "view": 30}, "bin_days": 1,
    "over_time": [["2026-01-05T00:00:00Z", 50], ["2026-01-06T00:00:00Z", 0], ["2026-01-07T00:00:00Z", 40]],
    "sources": [
        {"name": "clicks.csv", "catalogue": False, "read": 100, "accepted": 90,
         "quarantined": 7, "duplicates": 3},
        {"name": "items.csv", "catalogue": True, "read": 9, "accepted": None,
         "quarantined": 1, "duplicates": None},
    ],
    "refused": [
        {"reason": "no user_id", "rows": 5, "catalogue": False},
        {"reason": "timestamp in the future", "rows": 2, "catalogue": False},
        {"reason": "no item_id", "rows": 1, "catalogue": True},
    ],
}  # fmt: skip


def told() -> Bundle:
    """The small shop with counts of a log."""
    return replace(bundle(), data=LogFacts(**FACTS))


def test_what_the_bundle_keeps_is_told(tmp_path: Path) -> None:
    told().save(tmp_path / "b")
    answer = Client(create_app(Bundle.load(tmp_path / "b"))).json("/v1/data")
    assert answer["log"] == FACTS


def test_a_bundle_from_before_tells_its_graph_alone() -> None:
    answer = Client(create_app(bundle())).json("/v1/data")
    assert answer["log"] is None and answer["graph"]["items"] == 8
    after = next(one for one in answer["graph"]["relations"] if one["relation"] == "bought_after")
    pairs = {(source, target) for source, target, _ in AFTER}
    alone = [pair for pair in pairs if pair[::-1] not in pairs]
    assert after["arcs"] == 8 and after["one_way_share"] == len(alone) / 8
    assert answer["graph"]["isolated"] == 1  # "lone"
    assert after["leaving"]["max"] == 3 and {"low": 2, "high": 3, "items": 2} in after["leaving"]["bins"]
    assert sum(one["items"] for one in after["arriving"]["bins"]) == 8


def test_models_without_items_have_no_data(policy: Policy) -> None:
    answer = Client(create_app(Models(policy=policy))).get("/v1/data")
    assert answer.status_code == 404 and answer.json()["error"] == "no items are served"


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"events": -1}, "1 faults"),
        ({"events": "many"}, "1 faults"),
        ({"more": 1}, "1 faults"),
        ({"kinds": []}, "1"),
    ],
)
def test_other_counts_are_refused(tmp_path: Path, change: dict[str, Any], part: str) -> None:
    told().save(tmp_path / "b")
    (tmp_path / "b" / "data.json").write_text(json.dumps(FACTS | change))
    forged = reseal(tmp_path / "b", tmp_path / "forged")
    with pytest.raises(ArtifactError, match=f"{part}.*data.json"):
        Bundle.load(forged)


def reseal(folder: Path, into: Path) -> Path:
    """The same files under a manifest that fits them."""
    with write_artifact(into, "bundle") as draft:
        for file in folder.rglob("*"):
            if file.is_file() and file != folder / "manifest.json":
                path = draft.path(str(file.relative_to(folder)))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.read_bytes())
    return into


def test_it_is_worked_out_once_and_let_go_with_the_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[object] = []
    from thence.serve import data

    whole = data.graph_facts
    monkeypatch.setattr(data, "graph_facts", lambda graph: counted.append(graph) or whole(graph))
    store, desk = Store(), DataDesk()
    live: Live = store.publish(told())
    assert desk.tell(live) is desk.tell(live) and len(counted) == 1 == len(desk)
    store.publish(bundle())
    store.publish(bundle())  # what was live before is kept in memory, what was before that is not
    del live
    assert len(desk) == 0
