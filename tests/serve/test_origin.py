"""Models are replaced while they answer: checked first, one at a time, and with a way back."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.serve.shop import Client, bundle

from thence.base.errors import ArtifactError, ConfigError
from thence.conversion.exposures import NEVER, Exposures
from thence.conversion.features import Features
from thence.conversion.model import ConversionModel
from thence.conversion.net import NetConfig
from thence.encode.embeddings import Embeddings
from thence.evaluate.conversion.later import judge_later
from thence.events.clock import DAY, HOUR
from thence.serve import Bundle, Origin, Store, create_app
from thence.serve.access import Access
from thence.serve.origin import Reloader
from thence.serve.problems import RefusedError

TOKEN = "0123456789abcdef"
HEADERS = {"authorization": f"Bearer {TOKEN}"}


def other(scale: float = -1.0) -> Bundle:
    """The same shop with another model."""
    whole = bundle()
    model = whole.embeddings
    return Bundle(Embeddings(model.ids, scale * model.source, model.target, model.bias), whole.graph)


class Shop:
    """A service that was started from a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        bundle().save(folder)
        self.store = Store()
        self.reloader = Reloader(self.store, Origin(folder))
        assert self.reloader.reload()
        self.client = Client(create_app(self.store, Access(TOKEN), self.reloader))

    def post(self, path: str) -> Any:
        return self.client.get(f"/v1/admin/{path}", method="POST", headers=HEADERS)

    def first(self) -> tuple[str, str]:
        answer = self.client.json("/v1/related/phone", k=1)
        return answer["model_version"], answer["results"][0]["item_id"]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "b")


def test_what_lies_in_the_folder_is_loaded_and_one_step_leads_back(shop: Shop) -> None:
    before = shop.first()
    unchanged = shop.post("reload").json()
    assert not unchanged["changed"] and [card["state"] for card in unchanged["models"]] == ["live"]
    assert shop.post("rollback").status_code == 409
    other().save(shop.folder)
    cards = shop.post("reload").json()
    after = shop.first()
    assert cards["changed"] and after[0] != before[0] and after[1] != before[1]
    assert [(card["state"], card["model_version"]) for card in cards["models"]] == [
        ("live", after[0]),
        ("before", before[0]),
    ]
    assert shop.client.json("/v1/models")["models"] == cards["models"]
    live = cards["models"][0]
    assert [part["name"] for part in live["parts"]] == ["embeddings", "graph", "index"]
    assert live["parts"][0]["what"] == "Embeddings(8 nodes, dim 8)" and live["fingerprints"] == list(
        shop.store.stamp or ()
    )
    assert "baseline" in [part["name"] for part in cards["models"][1]["parts"]]
    assert cards["models"][0]["items"] == 8 and cards["models"][0]["since"].endswith("Z")
    assert shop.post("rollback").json()["models"][0]["model_version"] == before[0]
    assert shop.first() == before
    assert shop.post("rollback").json()["changed"] and shop.first() == after


def test_what_is_torn_is_refused_and_the_old_one_answers(shop: Shop) -> None:
    before = shop.first()
    other().save(shop.folder)
    for path in sorted(file for file in shop.folder.rglob("*") if file.is_file()):
        kept = path.read_bytes()
        path.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
        answer = shop.post("reload")
        assert answer.status_code == 422, path
        assert str(shop.folder) not in answer.text and "still answers" in answer.json()["fix"]
        assert shop.first() == before
        path.write_bytes(kept)
    assert shop.post("reload").status_code == 200 and shop.first() != before


def test_two_loads_at_once_are_one(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    other().save(shop.folder)
    inside, go_on, loads = threading.Event(), threading.Event(), []

    def slowly(origin: Origin) -> Bundle:
        loads.append(origin)
        inside.set()
        go_on.wait(10)
        return Bundle.load(shop.folder)

    monkeypatch.setattr(Origin, "load", slowly)
    first = threading.Thread(target=shop.reloader.reload)
    first.start()
    assert inside.wait(10)
    answer = shop.post("reload")
    assert answer.status_code == 409 and "under way" in answer.json()["error"]
    go_on.set()
    first.join()
    assert len(loads) == 1 and not shop.post("reload").json()["changed"]


def test_answers_under_way_name_the_model_that_gave_them(shop: Shop) -> None:
    """While models change hands every answer is the whole answer of the version that it names."""
    truth = {shop.first()[0]: shop.client.json("/v1/related/phone", k=7)["results"]}
    shop.store.publish(other())
    truth[shop.first()[0]] = shop.client.json("/v1/related/phone", k=7)["results"]
    assert len(truth) == 2
    stop, wrong, asked = threading.Event(), [], []

    def ask() -> None:
        while not stop.is_set():
            answer = shop.client.json("/v1/related/phone", k=7)
            asked.append(answer["model_version"])
            if truth[answer["model_version"]] != answer["results"]:
                wrong.append(answer)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 60
    while len(set(asked)) < 2 or len(asked) < 60:
        shop.store.rollback()
        assert time.monotonic() < until
        time.sleep(0.01)
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_watched_folder_is_loaded_once_it_has_changed(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    before = shop.first()
    thread = shop.reloader.watch(0.01)
    manifest = shop.folder / "manifest.json"
    kept = manifest.read_bytes()
    manifest.write_bytes(b"{}")
    until = time.monotonic() + 60
    while "refused" not in caplog.text:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert shop.first() == before
    manifest.write_bytes(kept)
    other().save(shop.folder)
    while shop.first() == before:
        assert time.monotonic() < until
        time.sleep(0.01)
    shop.reloader.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_a_service_without_a_folder_has_nothing_to_reload() -> None:
    client = Client(create_app(bundle(), Access(TOKEN)))
    assert client.get("/v1/admin/reload", method="POST", headers=HEADERS).status_code == 409
    with pytest.raises(ConfigError, match="nothing to serve"):
        Origin()
    with pytest.raises(RefusedError, match="nothing was live"):
        Store().rollback()
    assert Client(create_app(Store())).get("/v1/models").status_code == 503


def test_the_first_load_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError):
        Reloader(Store(), Origin(tmp_path / "nothing")).reload()


def test_a_model_that_was_judged_since_is_loaded_again(tmp_path: Path) -> None:
    """The same version, and more to show of it."""
    made = np.arange(500) * HOUR
    ends = np.where(np.arange(500) % 2, made + HOUR, NEVER)
    codes = Features(np.arange(500)[:, None] % 2, np.zeros((500, 0)), (2,), ("kind",))
    shown = Exposures.make(made, ends, window=DAY, features=codes)
    model = ConversionModel("wait", net=NetConfig("logistic")).fit(shown, at=400 * HOUR)
    model.save(tmp_path / "model")
    store = Store()
    reloader = Reloader(store, Origin(conversion=tmp_path / "model"))
    assert reloader.reload() and not reloader.reload()
    model.figures = judge_later(model, shown)
    model.save(tmp_path / "model")
    assert reloader.reload()
    served = store.models().conversion
    assert served is not None and served.figures == model.figures and served.version == model.version
