"""Statuses, schemas, security headers, hostile input, and what happens before a model is loaded."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from tests.serve.shop import HOSTILE, IDS, Client, bundle

from thence.base.errors import ConfigError
from thence.serve import Store, create_app, run
from thence.serve.app import PAGES, STATIC
from thence.serve.run import listen
from thence.serve.security import PAGE_POLICY


def test_it_is_not_ready_until_a_model_is_verified():
    store = Store()
    client = Client(create_app(store))
    assert client.get("/health/live").json() == {"status": "live", "model_version": None}
    assert client.get("/health/ready").status_code == 503
    for path in (
        "/v1/related/phone",
        "/v1/items/search?q=a",
        "/v1/items/phone",
        "/v1/neighborhood/phone",
        "/v1/compare/phone",
        "/v1/model",
        "/report",
    ):
        answer = client.get(path)
        assert answer.status_code == 503 and answer.json()["error"] == "no model is loaded yet"
    live = store.publish(bundle())
    ready = client.get("/health/ready")
    assert ready.status_code == 200 and ready.json() == {"status": "ready", "model_version": live.version}
    assert client.json("/v1/related/phone")["model_version"] == live.version


def test_an_unknown_item_names_the_nearest_and_never_gets_popular_ones(client: Client):
    for route in ("related", "compare", "neighborhood", "items"):
        answer = client.get(f"/v1/{route}/charge")
        assert answer.status_code == 404
        body = answer.json()
        assert body["error"] == "no item 'charge'" and body["nearest"][0] == {
            "item_id": "charger",
            "title": "Fast charger",
        }
    assert client.get("/v1/related/PHONE").json()["nearest"][0]["item_id"] == "phone"
    assert client.get("/v1/related/%F0%9F%98%80").json()["nearest"] == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/v1/related/phone?k=0", "k:"),
        ("/v1/related/phone?k=1001", "k:"),
        ("/v1/related/phone?k=ten", "k:"),
        ("/v1/related/phone?direction=sideways", "direction:"),
        ("/v1/related/" + "x" * 257, "item_id:"),
        ("/v1/items/" + "x" * 257, "item_id:"),
        ("/v1/items/search?q=" + "x" * 257, "q:"),
        ("/v1/items/search?q=a&limit=101", "limit:"),
        ("/v1/neighborhood/phone?k=0", "k:"),
    ],
)
def test_what_is_out_of_range_is_refused_by_name(client: Client, path, said):
    answer = client.get(path)
    assert answer.status_code == 422 and answer.json()["error"].startswith(said)
    assert "x" * 50 not in answer.text


def test_ids_with_slashes_and_commas_are_reached(client: Client):
    for path in ("/v1/items/a%2Fb%2Cc", "/v1/items/a/b,c", "/v1/related/a/b,c", "/v1/neighborhood/a%2Fb,c"):
        assert client.json(path)["item"]["item_id"] == "a/b,c"


def test_every_answer_carries_the_headers(client: Client):
    for path in (
        "/",
        "/v1/related/phone",
        "/v1/related/none",
        "/nowhere",
        "/static/app.js",
        "/health/live",
        "/openapi.json",
        "/docs",
    ):
        headers = client.get(path).headers
        assert headers["content-security-policy"] == PAGE_POLICY
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    assert "unsafe" not in PAGE_POLICY and "http" not in PAGE_POLICY
    report = client.get("/report")
    assert report.status_code == 200 and report.headers["content-type"].startswith("text/html")
    assert "script-src" not in report.headers["content-security-policy"]
    assert report.headers["content-security-policy"].startswith("default-src 'none'")
    assert client.json("/report.json") == {"HR@10": 0.5}


def test_every_page_is_the_one_shell_with_its_styles_and_scripts(client: Client):
    """Also where models are served without items; what the shell and its scripts name is there."""
    shell = client.get("/").text
    for path in PAGES:
        assert client.get(path).text == shell and f'href="{path}"' in shell
        assert client.get(path, method="HEAD").status_code == 200
        assert Client(create_app(Store())).get(path).text == shell
    named = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', shell))
    scripts = {f"/static/{path.name}" for path in STATIC.glob("*.js")}
    for path in scripts:
        text = client.get(path).text
        named |= {f"/static/{name}" for name in re.findall(r'(?:from|import\()\s*"\./([^"]+)"', text)}
        named |= set(re.findall(r'"(/static/[^"]+)"', text))
    sheets = {f"/static/{path.name}" for path in STATIC.glob("*.css")} - {"/static/docs.css"}
    assert len(named) > 12 and {client.get(path).status_code for path in named} == {200}
    assert scripts - {"/static/docs.js"} | sheets <= named  # nothing lies there unused


def test_foreign_hosts_are_refused(client: Client):
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost:80x", ""):
        answer = client.get("/v1/related/phone", headers={"host": host})
        assert answer.status_code == 400 and "results" not in answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"
    for host in ("localhost", "LOCALHOST:1", "[::1]:8000", "127.0.0.1"):
        assert client.get("/health/live", headers={"host": host}).status_code == 200


def test_only_questions_are_answered(client: Client):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert client.get("/v1/related/phone", method=method).status_code == 405
    assert client.get("/", method="HEAD").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static/....//app.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/..%5capp.py",
        "/static/%00",
        "/static/",
        "/static",
    ],
)
def test_path_tricks_reach_nothing(client: Client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert "create_app" not in answer.text and "root:" not in answer.text and str(STATIC) not in answer.text


def test_an_error_of_ours_leaves_no_trace(monkeypatch):
    client = Client(create_app(bundle()))
    monkeypatch.setattr("thence.serve.answers.one_item", lambda *_: 1 / 0)
    answer = client.get("/v1/items/phone")
    assert answer.status_code == 500 and answer.json()["error"] == "an error of the service"
    assert "Zero" not in answer.text and answer.headers["x-content-type-options"] == "nosniff"


def test_the_openapi_description_covers_every_answer(client: Client):
    description = client.json("/openapi.json")
    for path in (
        "/v1/related/{item_id}",
        "/v1/compare/{item_id}",
        "/v1/neighborhood/{item_id}",
        "/v1/items/{item_id}",
        "/v1/items/search",
    ):
        route = description["paths"][path]["get"]
        assert set(route["responses"]) >= {"200", "404", "422", "503"} and route["description"]
    limits = {
        p["name"]: p["schema"] for p in description["paths"]["/v1/related/{item_id}"]["get"]["parameters"]
    }
    assert (limits["k"]["minimum"], limits["k"]["maximum"], limits["item_id"]["maxLength"]) == (1, 1000, 256)
    assert "HTTPValidationError" not in json.dumps(description)


def test_the_page_loads_nothing_from_elsewhere():
    files = [path for path in STATIC.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".html", ".css", ".js", ".svg"}
    for path in files:
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(
            r"https?://|//cdn|@import|\beval\(|innerHTML|outerHTML|insertAdjacentHTML|document\.write", text
        ), path
        assert not re.search(r"\sstyle=|\son[a-z]+=|<script>|<style", text), (
            path
        )  # the policy would refuse them


def test_hostile_titles_travel_as_text(client: Client):
    answer = client.get("/v1/items/a/b,c")
    assert answer.json()["item"]["title"] == HOSTILE and answer.headers["content-type"] == "application/json"
    assert HOSTILE not in client.get("/").text


def test_every_version_answers_for_itself():
    store, first = Store(), bundle()
    client = Client(create_app(store))
    store.publish(first)
    before = client.json("/v1/related/phone")
    turned = type(first.embeddings)(
        first.embeddings.ids, first.embeddings.source[::-1].copy(), first.embeddings.target
    )
    store.publish(type(first)(turned, first.graph))
    after = client.json("/v1/related/phone")
    assert before["model_version"] != after["model_version"]
    assert [row["score"] for row in before["results"]] != [row["score"] for row in after["results"]]


def test_others_are_served_with_a_token_alone(tmp_path: Path):
    for host in ("0.0.0.0", "::", "192.168.0.1", "example.org", ""):
        with pytest.raises(ConfigError, match=r"without a token.*--token-file"):
            run(tmp_path, host=host)
    for host in ("example.org", "", "127.0.0.1:80"):
        with pytest.raises(ConfigError, match="not an address"):
            listen(host, 0)
    with pytest.raises(ConfigError, match="out of range"):
        listen("127.0.0.1", 70_000)
    with listen("127.0.0.1", 0) as first:
        first.listen()
        with pytest.raises(ConfigError, match="cannot be used"):
            listen("127.0.0.1", first.getsockname()[1])


def test_ids_of_the_shop_are_all_reached(client: Client):
    for id_ in IDS:
        assert client.json(f"/v1/items/{id_}")["item"]["item_id"] == id_


def test_it_serves_until_it_is_interrupted(tmp_path: Path):
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    bundle().save(tmp_path / "b")
    code = f"from thence.serve import run; run({str(tmp_path / 'b')!r}, port={port})"
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True) as process:
        deadline, status = time.monotonic() + 60, 0
        while status != 200 and time.monotonic() < deadline and process.poll() is None:
            try:
                status = httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code
            except httpx.TransportError:
                time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=30)
    assert (status, process.returncode, complaint) == (200, 0, "")
