"""The life of a service: alive before it is ready, ended in order, with lines that programs read."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.serve.shop import Client, bundle
from tests.serve.test_metrics import figures
from tests.serve.test_origin import other

from thence.base.errors import ArtifactError, ConfigError
from thence.cli.serve_settings import ServeSettings, serve_settings
from thence.serve import Origin, Store, create_app, run
from thence.serve.log import REQUESTS, Lines, logging_as, told
from thence.serve.origin import Reloader
from thence.serve.run import listen

ROOT = Path(__file__).parents[2]
TOKEN = "0123456789abcdef"


def free_port() -> int:
    with listen("127.0.0.1", 0) as free:
        return free.getsockname()[1]


def until(found: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            value = found()
        except httpx.TransportError:
            value = None
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("waited too long")


def refused(base: str) -> bool:
    try:
        httpx.get(f"{base}/health/live")
    except httpx.ConnectError:
        return True
    return False


def test_it_lives_before_it_is_ready_and_answers_before_it_ends(tmp_path: Path) -> None:
    """Alive while the bundle is being loaded; on SIGTERM what was asked is answered, and nothing else is."""
    bundle().save(tmp_path / "b")
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "tests.serve.slow_service", str(tmp_path / "b"), str(port)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert until(lambda: httpx.get(f"{base}/health/live")).json()["status"] == "live"
        assert httpx.get(f"{base}/health/ready").status_code == 503
        answer = httpx.get(f"{base}/v1/related/phone?category=secret")
        assert answer.status_code == 503 and len(answer.headers["x-request-id"]) == 16
        again = httpx.post(f"{base}/v1/admin/reload", headers={"authorization": f"Bearer {TOKEN}"})
        assert again.status_code == 409 and "under way" in again.json()["error"]
        (tmp_path / "load").touch()
        version = until(lambda: httpx.get(f"{base}/health/ready").json()["model_version"])
        answers: list[httpx.Response] = []
        asking = [
            threading.Thread(target=lambda: answers.append(httpx.get(f"{base}/v1/items/phone", timeout=30)))
            for _ in range(4)
        ]
        for thread in asking:
            thread.start()
        until(lambda: len(list(tmp_path.glob("asked*"))) == 4)
        process.send_signal(signal.SIGTERM)
        until(lambda: refused(base), 10)
        for thread in asking:
            thread.join()
        lines = process.communicate(timeout=30)[1]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert process.returncode == 0
    told_of(lines, version)


def told_of(lines: str, version: str) -> None:
    said = [json.loads(line) for line in lines.splitlines()]
    assert [line["event"] for line in said if line["event"] != "request"] == ["listening", "live", "ended"]
    items = [line for line in said if line.get("route") == "/v1/items/{item_id:path}"]
    assert [(line["method"], line["status"], line["model_version"]) for line in items] == [
        ("GET", 200, version)
    ] * 4
    assert all(line["ms"] >= 1000 and len(line["request_id"]) == 16 for line in items)
    assert len({line["request_id"] for line in items}) == 4
    assert any(line.get("status") == 503 and line["model_version"] == "" for line in said)
    assert not any(word in lines for word in ("phone", "secret", TOKEN, "127.0.0.1:"))


def test_a_first_bundle_that_is_wrong_ends_the_command_in_words(tmp_path: Path) -> None:
    bundle().save(tmp_path / "b")
    path = tmp_path / "b" / "report.html"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    done = subprocess.run(
        [sys.executable, "-m", "thence", "serve", str(tmp_path / "b"), "--port", str(free_port())],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "THENCE_SERVE_WATCH": "1"},
    )
    assert (
        done.returncode == 2 and "does not match its digest" in done.stderr and "Traceback" not in done.stderr
    )


def test_a_load_that_fails_is_raised_where_it_was_started(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no artifact there"):
        run(tmp_path / "nothing", port=free_port())
    with pytest.raises(ConfigError, match="no folder to watch"):
        run(bundle(), port=free_port(), watch=1.0)


def test_what_is_wrong_with_a_watched_folder_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bundle().save(tmp_path / "b")
    store = Store()
    reloader = Reloader(store, Origin(tmp_path / "b"))
    reloader.reload()
    (tmp_path / "b" / "manifest.json").rename(tmp_path / "aside")
    thread = reloader.watch(0.005)
    until(lambda: "no artifact there" in caplog.text)
    time.sleep(0.1)
    assert caplog.text.count("refused") == 1
    (tmp_path / "aside").write_bytes(b"{}")
    (tmp_path / "aside").rename(tmp_path / "b" / "manifest.json")
    until(lambda: "format version None" in caplog.text)
    assert caplog.text.count("refused") == 2
    before = store.version
    other().save(tmp_path / "b")
    until(lambda: store.version != before)
    reloader.stop()
    thread.join(10)


def test_a_request_is_counted_for_the_model_that_answers_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model changes while a request is under way: the figures name the one that gave the answer."""
    store, one = Store(), bundle()
    before = store.publish(one).version
    client = Client(create_app(store))
    real = Store.live

    def swapped(self: Store) -> Any:
        live = real(self)
        if live.version == before:
            self.publish(other())
        return live

    monkeypatch.setattr(Store, "live", swapped)
    assert client.json("/v1/items/phone")["model_version"] == before != store.version
    route = "/v1/items/{item_id:path}"
    assert f'thence_request_seconds_count{{model_version="{before}",route="{route}"}}' in figures(client)


def test_lines_are_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    record = logging.makeLogRecord({"msg": "a\nb", "levelno": 20, "levelname": "INFO", **told("odd", {"k": 1})})
    assert json.loads(Lines("json").format(record)) | {"time": ""} == {
        "time": "", "level": "info", "event": "odd", "k": 1, "words": "a\nb",
    }  # fmt: skip
    assert Lines("text").format(record).endswith(" info a\\nb")
    client = Client(create_app(bundle()))
    with logging_as("json"):
        client.get("/v1/related/phone?owned=tv")
        client.get("/nowhere/at/all")
    assert REQUESTS.level == logging.WARNING
    client.get("/v1/related/phone")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["route"], line["status"]) for line in lines] == [
        ("/v1/related/{item_id:path}", 200),
        ("other", 404),
    ]


def test_settings_come_from_the_line_the_environment_and_the_file(tmp_path: Path) -> None:
    file = tmp_path / "serve.yaml"
    file.write_text("run: runs/shop\nport: 81\nwatch: 5\nhost: 127.0.0.2\nallow_host: [a.example, b.example]\n")
    told = {"THENCE_SERVE_PORT": "82", "THENCE_SERVE_LOG": "json", "THENCE_SERVE_WATCH": "", "PATH": "/"}
    found = serve_settings({"settings": file, "port": 83, "allow_host": None}, told)
    assert found == ServeSettings(
        run=tmp_path / "runs" / "shop", port=83, watch=5, host="127.0.0.2", log="json",
        allow_host=("a.example", "b.example"),
    )  # fmt: skip
    told = {"THENCE_SERVE_SETTINGS": str(file), "THENCE_SERVE_PORT": "82", "THENCE_SERVE_ALLOW_HOST": "c, d"}
    found = serve_settings({"port": None}, told)
    assert (found.port, found.allow_host) == (82, ("c", "d"))
    assert serve_settings({}, {}) == ServeSettings()


@pytest.mark.parametrize(
    ("text", "told", "said"),
    [
        ("prot: 80", {}, "unknown key 'prot'.*Did you mean 'port'"),
        ("port: 0", {}, "port is 0"),
        ("log: xml", {}, "log is 'xml'"),
        ("token: abc", {}, "unknown key 'token'.*Did you mean 'token_file'"),
        ("", {"THENCE_SERVE_PROT": "80"}, "unknown variable THENCE_SERVE_PROT.*THENCE_SERVE_PORT"),
        ("", {"THENCE_SERVE_PORT": "eighty"}, "port is 'eighty'.*environment"),
        ("watch: .nan", {}, "watch is nan"),
    ],
)
def test_settings_that_do_not_fit_are_named(tmp_path: Path, text: str, told: dict[str, str], said: str) -> None:
    file = tmp_path / "serve.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=said):
        serve_settings({"settings": file}, told)
