"""Who may ask: strangers, other sites and the impatient are refused, and the token opens what it should."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest
from tests.serve.shop import Client, bundle

from thence.base.errors import ConfigError
from thence.serve import create_app, security
from thence.serve.access import Access, read_token

TOKEN = "0123456789abcdef-~"
BEARER = {"authorization": f"Bearer {TOKEN}"}


def basic(password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"anyone:{password}".encode()).decode()}


@pytest.fixture(scope="module")
def private() -> Client:
    return Client(create_app(bundle(), Access(TOKEN)))


@pytest.fixture(scope="module")
def public() -> Client:
    access = Access(TOKEN, public=True, names=frozenset({"shop.example"}))
    return Client(create_app(bundle(), access), host="shop.example")


def test_routes_that_change_something_are_closed_without_a_token(client: Client) -> None:
    for path in ("/v1/admin/reload", "/v1/admin/rollback", "/v1/admin/unheard-of", "/v1/admin"):
        answer = client.get(path, method="POST", headers=BEARER)
        assert answer.status_code == 403 and "token" in answer.json()["fix"]
    assert client.get("/v1/administration", method="POST").status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": TOKEN},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": f"Bearer {TOKEN[:-1]}"},
        {"authorization": "Bearer"},
        {"authorization": "Basic !!!"},
        {"authorization": "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode()},
        basic("wrong"),
        basic(""),
    ],
)
def test_what_is_not_the_token_opens_nothing(private: Client, public: Client, headers: dict[str, str]) -> None:
    for client, path, method in (
        (private, "/v1/admin/rollback", "POST"),
        (public, "/v1/related/phone", "GET"),
        (public, "/", "GET"),
        (public, "/metrics", "GET"),
        (public, "/v1/admin/rollback", "POST"),
    ):
        answer = client.get(path, method=method, headers=headers)
        assert answer.status_code == 401 and answer.headers["www-authenticate"].startswith("Basic")
        assert TOKEN not in answer.text and "phone" not in answer.text.lower()


def test_the_token_opens(private: Client, public: Client) -> None:
    for headers in (BEARER, basic(TOKEN), {"authorization": f"bearer  {TOKEN} "}):
        assert private.get("/v1/admin/rollback", method="POST", headers=headers).status_code == 409
        assert public.get("/v1/related/phone", headers=headers).status_code == 200
        assert public.get("/", headers=headers).status_code == 200
    assert private.get("/v1/related/phone").status_code == 200  # this machine is asked for none
    assert public.get("/health/ready").status_code == 200  # nor are those who only look whether it lives


def test_a_public_service_answers_to_its_own_names(public: Client) -> None:
    for host, status in (("shop.example", 200), ("shop.example:8443", 200), ("evil.example", 400)):
        assert public.get("/v1/model", headers={"host": host, **BEARER}).status_code == status


def test_pages_of_other_sites_cannot_post(private: Client) -> None:
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 409), ("none", 409)):
        headers = {"sec-fetch-site": site, **basic(TOKEN)}
        assert private.get("/v1/admin/rollback", method="POST", headers=headers).status_code == status
    assert private.get("/v1/model", headers={"sec-fetch-site": "cross-site"}).status_code == 200
    assert (
        "access-control-allow-origin" not in private.get("/v1/model", headers={"origin": "https://a"}).headers
    )


def test_a_token_is_long_and_plain(tmp_path: Path) -> None:
    for token in ("", "short", "0123456789 abcdef", "0123456789abcdeé", "0123456789abcd\n"):
        with pytest.raises(ConfigError, match="at least 16"):
            Access(token)
    with pytest.raises(ConfigError, match="without a token"):
        Access(public=True)
    assert TOKEN not in repr(Access(TOKEN))
    (tmp_path / "token").write_text(f"  {TOKEN}\n")
    assert read_token(tmp_path / "token") == TOKEN
    with pytest.raises(ConfigError, match="no token"):
        read_token(tmp_path)


def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "BODY_SECONDS", 0.01)
    told: list[Any] = []

    async def ask() -> None:
        async def never() -> Any:
            await asyncio.sleep(60)

        async def send(message: Any) -> None:
            told.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/convert",
            "raw_path": b"/v1/convert",
            "query_string": b"",
            "headers": [(b"host", b"localhost")],
        }
        await security.Guard(create_app(bundle()))(scope, never, send)

    asyncio.run(ask())
    assert told[0]["status"] == 408 and b"too slowly" in told[1]["body"]
