"""Spoilt bundles, models, policies, indexes and checkpoints: none is taken for right, none stops a service.

A spoilt artifact is one whose bytes differ from what was written. Where the digests were made right again the
readers are on their own: they refuse, or what they make of it answers every question without an error of ours.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
import torch
from tests.encode.graphs import weighted_graph
from tests.serve import spoil
from tests.serve.shop import Client, bundle
from tests.serve.test_convert import post
from tests.serve.whole import files_of, lay_out, parsed, whole

from thence.base.errors import ArtifactError, ThenceError
from thence.base.ids import IdMap
from thence.conversion.model import ConversionModel
from thence.decide.policy import Policy
from thence.encode.dual import DualConfig, DualEncoder
from thence.encode.embeddings import Embeddings
from thence.graph.arcs import Arcs
from thence.graph.digraph import DiGraph
from thence.index.keep import load_index
from thence.serve import Bundle, Origin, Store, create_app
from thence.serve.access import Access
from thence.serve.origin import Reloader
from thence.train.checkpoint import State, load_checkpoint, save_checkpoint

TOKEN = "0123456789abcdef"
HEADERS = {"authorization": f"Bearer {TOKEN}"}
QUESTIONS = (
    "/v1/related/phone", "/v1/related/phone?direction=before", "/v1/related/lone", "/v1/compare/phone",
    "/v1/neighborhood/phone", "/v1/items/a/b,c", "/v1/items/search?q=phone", "/v1/model", "/v1/models",
    "/v1/place?title=red+phone", "/v1/convert", "/v1/decide", "/report", "/report.json", "/health/ready",
)  # fmt: skip
ASKED = (
    ("/v1/convert", {"columns": {"item": "mug", "price": 2.0}}),
    ("/v1/decide", {"score": 0.9, "uncertainty": 0.1}),
)


class Service:
    """A service over a folder that is spoilt again and again, and mended."""

    def __init__(self, folder: Path, right: Bundle) -> None:
        self.folder = folder
        right.save(folder)
        self.store = Store()
        self.reloader = Reloader(self.store, Origin(folder))
        self.reloader.reload()
        replace(right, report={"another": 1}).save(folder)  # what is spoilt is not what is live
        self.files = files_of(folder)
        self.client = Client(create_app(self.store, Access(TOKEN), self.reloader))
        self.first = self.answer()
        self.told: Counter[str] = Counter()

    def answer(self) -> Any:
        return self.client.json("/v1/related/phone", k=5)

    def spoil(self, name: str, changes: dict[str, bytes | None], *, sealed: bool) -> None:
        """Spoil, reload, look, mend."""
        with spoilt(self.folder, self.files, changes):
            answer = self.client.get("/v1/admin/reload", method="POST", headers=HEADERS)
        body = answer.json()
        self.told[f"{answer.status_code}"] += 1
        assert str(self.folder) not in answer.text and str(self.folder.parent) not in answer.text, (name, body)
        assert answer.status_code == 422 or sealed, (name, body)
        if answer.status_code == 422:
            assert body["error"].startswith("what lies there cannot be served"), (name, body)
            assert "breaks its reader" not in body["error"], name
            assert self.answer() == self.first, name
        else:
            assert answer.status_code == 200, (name, body)
            self.look(name)
            self.store.rollback()
            assert self.answer() == self.first, name

    def look(self, name: str) -> None:
        """What was forged and taken answers everything, in JSON that is JSON."""
        for path in QUESTIONS:
            answer = self.client.get(path)
            assert answer.status_code < 500, (name, path, answer.text)
            if answer.headers["content-type"] == "application/json":
                json.loads(answer.text, parse_constant=strange)
        for path, body in ASKED:
            assert post(self.client, path, body).status_code < 500, (name, path)


def strange(word: str) -> None:
    raise AssertionError(f"{word} in an answer")


class spoilt:  # noqa: N801
    """A folder while it is spoilt."""

    def __init__(self, folder: Path, files: dict[str, bytes], changes: dict[str, bytes | None]) -> None:
        self.folder, self.files, self.changes = folder, files, changes

    def __enter__(self) -> None:
        lay_out(self.folder, {name: content for name, content in self.changes.items() if content is not None})
        for name, content in self.changes.items():
            if content is None:
                (self.folder / name).unlink()

    def __exit__(self, *error: object) -> None:
        lay_out(self.folder, {name: self.files[name] for name in self.changes})


def unlike(files: dict[str, bytes], spoiling: Iterable[spoil.Spoilt]) -> list[spoil.Spoilt]:
    """Those that say something else: a manifest without its last line break says the same."""
    kept = []
    for name, changes in spoiling:
        if any(parsed(content or b"") != parsed(files[file]) or not file.endswith(".json")
               for file, content in changes.items()):  # fmt: skip
            kept.append((name, changes))
    return kept


def some(spoiling: list[spoil.Spoilt], rng: np.random.Generator, most: int | None) -> list[spoil.Spoilt]:
    if most is None or len(spoiling) <= most:
        return spoiling
    return [spoiling[at] for at in np.sort(rng.choice(len(spoiling), most, replace=False))]


def spoil_all(folder: Path, most: int | None) -> Service:
    rng, service = np.random.default_rng(8), Service(folder, whole())
    files = service.files
    read: list[str] = []
    real = faiss.read_index
    faiss.read_index = lambda *parts: read.append(str(parts[0])) or real(*parts)  # type: ignore[assignment]
    try:
        for made in (spoil.torn(files, rng, 1), spoil.fields(files, rng), spoil.manifests(files)):
            for name, changes in some(unlike(files, made), rng, most):
                service.spoil(name, dict(changes), sealed=False)
        assert read == []  # what C++ parses is opened after every digest has been compared
        for made in (spoil.forged_fields(files, rng, 1), spoil.forged_content(files, rng, 1)):
            for name, changes in some(unlike(files, made), rng, most):
                service.spoil(name, dict(changes), sealed=True)
        assert read
    finally:
        faiss.read_index = real
    return service


def test_a_spoilt_bundle_is_refused_and_the_old_one_answers(tmp_path: Path) -> None:
    service = spoil_all(tmp_path / "shop", 25)
    assert sum(service.told.values()) >= 110 and service.told["422"] >= 85, service.told


@pytest.mark.slow
def test_over_two_thousand_spoilt_bundles_are_refused_or_answer(tmp_path: Path) -> None:
    service = spoil_all(tmp_path / "shop", None)
    print(dict(service.told))
    assert service.told["422"] >= 1700 and sum(service.told.values()) >= 1900, service.told


def test_a_file_cut_or_overwritten_under_a_running_service_does_not_end_it(tmp_path: Path) -> None:
    """Arrays that were mapped would end the process with SIGBUS here."""
    right = large(600)
    service = Service(tmp_path / "shop", right)
    for name in service.files:
        (tmp_path / "shop" / name).write_bytes(b"")
    for path in ("/v1/related/1", "/v1/neighborhood/1", "/v1/items/598", "/v1/items/search?q=5"):
        assert service.client.get(path).status_code == 200


@pytest.mark.slow
def test_truncated_at_every_page_it_is_refused(tmp_path: Path) -> None:
    service = Service(tmp_path / "shop", large(4000))
    cut = [
        (name, content[:at])
        for name, content in service.files.items()
        for at in range(0, len(content), spoil.PAGE)
    ]
    for name, content in cut:
        service.spoil(f"{name} at {len(content)}", {name: content}, sealed=False)
    assert len(cut) > 200 and set(service.told) == {"422"}


def large(num: int) -> Bundle:
    """A shop whose files are many pages long."""
    rng, ids = np.random.default_rng(0), IdMap([*map(str, range(num - 1)), "phone"])
    source, target = rng.normal(size=(2, num, 16)).astype(np.float32)
    here, there = np.divmod(np.unique(rng.integers(0, num * num, 4 * num)), num)
    here, there = here[here != there], there[here != there]
    arcs = Arcs.from_pairs(here, there, num_nodes=num, weight=np.ones(len(here)))
    import pyarrow as pa

    nodes = pa.table({"item_id": ids.array, "title": [f"title {at}" for at in range(num)]})
    return Bundle(Embeddings(ids, source, target), DiGraph(ids, {"bought_after": arcs}, nodes))


def alone(folder: Path, save: Callable[[], object], load: Callable[[], Any], most: int | None) -> int:
    """Spoil what stands alone; only a typed error may come of it, or, where it was sealed, something."""
    save()
    rng, files = np.random.default_rng(9), files_of(folder)
    assert load() is not None
    count = 0
    honest = itertools.chain(spoil.torn(files, rng, 2), spoil.fields(files, rng))
    forged = itertools.chain(spoil.forged_fields(files, rng, 2), spoil.forged_content(files, rng, 4))
    for sealed, made in ((False, honest), (True, forged)):
        for name, changes in some(unlike(files, made), rng, most):
            count += 1
            with spoilt(folder, files, dict(changes)):
                try:
                    load()
                except ThenceError as error:
                    assert str(folder.parent) not in error.what, name
                    continue
                assert sealed, name
    return count


@pytest.mark.parametrize("most", [60, pytest.param(None, marks=pytest.mark.slow)])
@pytest.mark.parametrize("what", ["conversion", "policy", "index", "checkpoint"])
def test_what_stands_alone_is_refused_too(tmp_path: Path, what: str, most: int | None) -> None:
    folder, right = tmp_path / what, whole()
    if what == "conversion":
        assert right.conversion is not None
        count = alone(folder, lambda: right.conversion.save(folder), lambda: ConversionModel.load(folder), most)
    elif what == "policy":
        assert right.policy is not None
        count = alone(folder, lambda: right.policy.save(folder), lambda: Policy.load(folder), most)
    elif what == "index":
        assert right.index is not None
        count = alone(
            folder, lambda: right.index.save(folder), lambda: load_index(folder, right.embeddings), most
        )
    else:
        count = alone(folder, *checkpoint(folder), most)
    assert count >= 100


def checkpoint(folder: Path) -> tuple[Callable[[], object], Callable[[], Any]]:
    """Save and load the state of a training that has taken a step."""

    def begun() -> tuple[DualEncoder, torch.optim.Optimizer]:
        model = DualEncoder(weighted_graph(), DualConfig(dim=4))
        return model, torch.optim.Adam(model.parameters(), foreach=False)

    def save() -> None:
        model, optimizer = begun()
        torch.stack([weight.square().sum() for weight in model.parameters()]).sum().backward()
        optimizer.step()
        state = State(1, 1, 0.5, {name: value.clone() for name, value in model.state_dict().items()}, [])
        save_checkpoint(folder, model, optimizer, state, "this one")

    return save, lambda: load_checkpoint(folder, *begun(), "this one")


def test_a_reader_that_breaks_is_told_and_the_watch_goes_on(tmp_path: Path, monkeypatch, caplog) -> None:
    service = Service(tmp_path / "shop", bundle())
    monkeypatch.setattr(Bundle, "load", lambda folder: 1 / 0)
    with pytest.raises(ArtifactError, match=r"breaks its reader \(ZeroDivisionError\)"):
        service.reloader.reload()
    assert service.answer() == service.first
