"""Requests that no honest client sends, as bytes: one after the other from a seed, for a real socket."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

TOKEN = "0123456789abcdef"
HOST = b"host: 127.0.0.1\r\n"
CLOSE = b"connection: close\r\n"
PLACES = [b"/", b"/v1/items/", b"/v1/related/", b"/static/", b"/v1/explain/", b"/health/", b"/v1/similar/", b""]
TRICKS = [
    b"../../etc/passwd",
    b"%2e%2e/%2e%2e/etc/passwd",
    b"..%2f..%2fetc%2fpasswd",
    b"%252e%252e/etc/passwd",
    b"%00",
    b"phone%00.js",
    b"//etc/passwd",
    b"..\\..\\etc\\passwd",
    b"%5c..%5c",
    b"%c0%ae%c0%ae/etc/passwd",
    b"%ff%fe",
    b"%",
    b"%zz",
    b"%u002e",
    "é".encode(),
    b"\xff\xfe",
    b"%F0%9F%98%80",
    b"%E2%80%AEenohp",
    b"x" * 257,
    b"x" * 5000,
    b"x" * 70_000,
    b"{{7*7}}",
    b"${jndi:ldap://x}",
    b"<script>",
    b"'%3b--",
    b"\t",
    b"a b",
    b"*",
    b"http://evil/",
    b"#part",
    b"?",
    b"?a[]=1&&&=",
    b"..;/",
    b"%0d%0aset-cookie:x=1",
    b"phone?k=1e5",
    b"phone?k=-1",
    b"case?k=%D9%A3",
    b"phone?k=" + b"9" * 5000,
    b"phone?" + b"owned=a&" * 2000,
    b"phone?direction=next&direction=sideways",
    b"phone?price_min=nan",
    b"phone?price_max=-inf",
    b"search?q=%00",
    b"search?q=%25%5f*",
    b"app.js/../../app.py",
    b"%2fetc%2fpasswd",
    b".%2e/.%2e/",
    b"app.js%00",
    b"con",
    b"~root",
    b".git/config",
    b"phone/../../..",
]
LINES = [
    b"range: bytes=0-\r\n",
    b"range: bytes=-1\r\n",
    b"range: bytes=9-1\r\n",
    b"range: bytes=" + b"0-0," * 2000 + b"1-1\r\n",
    b"range: lines=1\r\n",
    b"range: bytes=99999999999999999999-\r\n",
    b"if-none-match: *\r\n",
    b'if-none-match: "\xff"\r\n',
    b"if-modified-since: never\r\n",
    b"if-modified-since: Sat, 99 Foo 99999 99:99:99 GMT\r\n",
    b"if-match: x\r\n",
    b"if-range: \xff\r\n",
    b"upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: AAAA\r\n",
    b"upgrade: h2c\r\nconnection: upgrade, http2-settings\r\nhttp2-settings: AA\r\n",
    b"expect: 100-continue\r\n",
    b"expect: 999-please\r\n",
    b"authorization: Basic !!!!\r\n",
    b"authorization: Bearer \xff\r\n",
    b"authorization:\r\n",
    b"authorization: Basic " + b"A" * 9000 + b"\r\n",
    b"cookie: " + b"a=b; " * 2000 + b"\r\n",
    b"host: evil.example\r\n",
    b"host:\r\n",
    b"x: " + b"y" * 10_000 + b"\r\n",
    b"x: " + b"y" * 70_000 + b"\r\n",
    b"x: y\r\n" * 500,
    b"nocolon\r\n",
    b"spaced : x\r\n",
    b" folded: x\r\n",
    b"x: a\r\n b\r\n",
    b"x: \x00\r\n",
    b"x: a\rset-cookie: b\r\n",
    b": empty\r\n",
    b"x-forwarded-for: ' OR 1=1\r\n",
    b"x-forwarded-host: evil\r\n",
    b"content-length: -1\r\n",
    b"content-length: +5\r\n",
    b"content-length: 0x10\r\n",
    b"content-length: 99999999999999999999\r\n",
    b"content-length: 1\r\ncontent-length: 2\r\n",
    b"transfer-encoding: gzip\r\n",
    b"transfer-encoding: xchunked\r\n",
    b"transfer-encoding: chunked, identity\r\n",
    b"accept: " + b"*/*;q=0.1," * 500 + b"\r\n",
    b"accept-encoding: \xff\r\n",
    b"origin: null\r\n",
    b"te: trailers\r\n",
    b"sec-fetch-site: cross-site\r\n",
    b"content-type: \x7f/\xff; charset=\r\n",
    b"x-request-id: a%0d%0ab\r\n",
]
POSTS = [
    b"/v1/convert",
    b"/v1/convert/batch",
    b"/v1/decide",
    b"/v1/decide/batch",
    b"/v1/related/batch",
    b"/v1/related/history",
    b"/v1/admin/reload",
    b"/v1/admin/rollback",
    b"/v1/items/phone",
    b"/",
    b"/v1/explain",
]
BODIES: list[bytes] = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"0",
    b'"x"',
    b"[" * 100_000,
    b"[" * 5000 + b"]" * 5000,
    b'{"columns":' * 900 + b"1" + b"}" * 900,
    b'{"a":' * 20_000,
    b'{"score": 1e999}',
    b'{"score": NaN, "uncertainty": Infinity}',
    b'{"score": -Infinity}',
    b'{"score": ' + b"9" * 5000 + b"}",
    b'{"score": 1, "score": 2}',
    b'{"score": true}',
    b'{"score": [0.5]}',
    b'{"score": [1e308, -1e308], "uncertainty": [1e308, 1e308]}',
    b'{"columns": {"item": 1e400, "price": 1}}',
    b'{"columns": {"item": "\\ud800", "price": "\\u0000"}}',
    b'{"columns": {"__proto__": 1, "constructor": 2}}',
    b'{"columns": {"item": [], "price": []}}',
    b'{"columns": {"\\ud800": 1}, "\\udfff": 2}',
    b'{"columns": {"item": "\\ud800", "price": 1}}',
    b'{"items": ["\\udc00"], "brand": ["\\ud800"], "category": "\\ud800"}',
    b'{"columns": {"item": ["a"], "price": [1, 2]}}',
    b'{"columns": {"item": {}, "price": 99999999999999999999999999}}',
    b'\xef\xbb\xbf{"score": 1}',
    b'{"score": 1}\xff',
    '{"score": 1}'.encode("utf-16"),
    b"\x00" * 100,
    b'{"items": ["\\ud800"], "k": 1}',
    b'{"items": [""]}',
    b'{"items": []}',
    b'{"items": ["phone"], "k": 1e3}',
    b'{"items": ["phone"], "k": 18446744073709551616}',
    b'{"items": ["phone"], "price_min": -0.0, "price_max": 1e-400}',
    b'{"items": ["phone", "phone"], "decay": 1e-300}',
    b'{"items": ["phone"], "brand": ["' + b"x" * 300 + b'"]}',
    json.dumps({"items": ["phone"] * 5000}).encode(),
    json.dumps({"columns": {f"c{at}": at for at in range(5000)}}).encode(),
    b" " * 50_000 + b"1",
    b"x" * ((1 << 20) + 1),
    b'{"columns": {"item": "' + b"y" * 500_000 + b'"}}',
    gzip.compress(b'{"score": 1}'),
]
KINDS = [
    b"application/json",
    b"application/json; charset=utf-16",
    b"text/plain",
    b"application/x-www-form-urlencoded",
    b"",
    b"multipart/form-data",
    b"multipart/form-data; boundary=x",
    b"application/xml",
    b"application/octet-stream",
    b"*",
]
CHUNKS = [
    b"5\r\nhello\r\n0\r\n\r\n",
    b"zz\r\nhello\r\n",
    b"-1\r\nx\r\n",
    b"FFFFFFFFFFFFFFFFFF\r\nx",
    b"5\r\nhelloX0\r\n\r\n",
    b"1;" + b"x" * 20_000 + b"\r\na\r\n0\r\n\r\n",
    b"0\r\ntrailer: x\r\nhost: evil\r\n\r\n",
    b"0\r\n\r\nGET /x HTTP/1.1\r\n\r\n",
    b"\r\n\r\n",
    b"5\nhello\n0\n\n",
    b"00000000000000000005\r\nhello\r\n0\r\n\r\n",
    b"1\r\na\r\n" * 3000 + b"0\r\n\r\n",
]
STARTS = [
    b"GETT / HTTP/1.1\r\n",
    b"get / HTTP/1.1\r\n",
    b"CONNECT 127.0.0.1:22 HTTP/1.1\r\n",
    b"TRACE / HTTP/1.1\r\n",
    b"OPTIONS * HTTP/1.1\r\n",
    b"PRI * HTTP/2.0\r\n",
    b"GET / HTTP/0.9\r\n",
    b"GET / HTTP/9.9\r\n",
    b"GET / HTTP/1.0\r\n",
    b"GET /\r\n",
    b"GET\r\n",
    b" GET / HTTP/1.1\r\n",
    b"GET  /  HTTP/1.1\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\r\n\r\n\r\nGET / HTTP/1.1\r\n",
    b"PROPFIND / HTTP/1.1\r\n",
    b"PUT /v1/items/phone HTTP/1.1\r\n",
    b"\x00\x00\x00\x00",
    b"DELETE /v1/admin/reload HTTP/1.1\r\n",
    b"HEAD /v1/related/phone HTTP/1.1\r\n",
    b"GET http://127.0.0.1/v1/model HTTP/1.1\r\n",
    b"GET http://evil.example/ HTTP/1.1\r\n",
    b"GET / HTTP/1.1 extra\r\n",
    b"SSH-2.0-x\r\n",
    b"GET /%20 HTTP/1.1\n",
]


@dataclass(frozen=True)
class Hostile:
    """One connection.

    Args:
        kind: what it tries.
        sent: its bytes.
        whole: whether an answer is due; else the connection is given up once the bytes are sent.
    """

    kind: str
    sent: bytes
    whole: bool


def paths(rng: np.random.Generator) -> tuple[bytes, bool]:
    return b"GET " + _of(rng, PLACES) + _of(rng, TRICKS) + b" HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n", True


def headers(rng: np.random.Generator) -> tuple[bytes, bool]:
    lines = b"".join(_of(rng, LINES) for _ in range(rng.integers(1, 4)))
    place = _of(rng, [b"/static/app.js", b"/v1/related/phone", b"/", b"/metrics", b"/report"])
    version = _of(rng, [b"1.1", b"1.0"])
    return (
        b"GET " + place + b" HTTP/" + version + b"\r\n" + HOST + lines + CLOSE + b"\r\n",
        b"content-length" not in lines,
    )


def starts(rng: np.random.Generator) -> tuple[bytes, bool]:
    start = _of(rng, STARTS)
    return start + HOST + CLOSE + b"\r\n", start.startswith((b"G", b"O", b"T", b"P", b"H", b"D", b"C"))


def bodies(rng: np.random.Generator) -> tuple[bytes, bool]:
    body = _of(rng, BODIES)
    head = b"POST " + _of(rng, POSTS) + b" HTTP/1.1\r\n" + HOST + CLOSE + _token(rng)
    kind = b"content-type: " + _of(rng, KINDS[:1] * 6 + KINDS) + b"\r\n"
    return head + kind + b"content-length: " + str(len(body)).encode() + b"\r\n\r\n" + body, True


def chunks(rng: np.random.Generator) -> tuple[bytes, bool]:
    smuggled = _of(rng, [b"", b"content-length: 4\r\n"])
    head = b"POST " + _of(rng, POSTS) + b" HTTP/1.1\r\n" + HOST + CLOSE + _token(rng) + smuggled
    return head + b"transfer-encoding: chunked\r\n\r\n" + _of(rng, CHUNKS), False


def pipelined(rng: np.random.Generator) -> tuple[bytes, bool]:
    one = b"GET /v1/items/phone HTTP/1.1\r\n" + HOST + b"\r\n"
    many = one * int(rng.integers(2, 40))
    last = b"GET /health/live HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n"
    return many + _of(rng, [last, _of(rng, STARTS), b"\xff" * 50 + b"\r\n\r\n"]), False


def mutated(rng: np.random.Generator) -> tuple[bytes, bool]:
    """An honest request with a few bytes changed, lost or doubled."""
    body = b'{"columns": {"item": "mug", "price": 2.0}}'
    made = bytearray(
        _of(
            rng,
            [
                b"GET /v1/related/phone?k=5&owned=tv HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n",
                b"POST /v1/convert HTTP/1.1\r\n" + HOST + CLOSE + b"content-type: application/json\r\n"
                b"content-length: " + str(len(body)).encode() + b"\r\n\r\n" + body,
            ],
        )
    )
    for _ in range(rng.integers(1, 6)):
        at = int(rng.integers(len(made)))
        match int(rng.integers(4)):
            case 0:
                made[at] ^= 1 << int(rng.integers(8))
            case 1:
                del made[at : at + int(rng.integers(1, 8))]
            case 2:
                made[at:at] = rng.bytes(int(rng.integers(1, 8)))
            case _:
                made[at:at] = made[at : at + int(rng.integers(1, 200))]
    return bytes(made), False


def noise(rng: np.random.Generator) -> tuple[bytes, bool]:
    return rng.bytes(int(rng.integers(1, 3000))), False


KINDS_OF: list[Callable[[np.random.Generator], tuple[bytes, bool]]] = [
    paths,
    paths,
    headers,
    headers,
    starts,
    bodies,
    bodies,
    chunks,
    pipelined,
    mutated,
    mutated,
    noise,
]


def hostile(seed: int, number: int) -> Hostile:
    """The ``number``-th request of a seed."""
    rng = np.random.default_rng([seed, number])
    make = KINDS_OF[number % len(KINDS_OF)]
    sent, whole = make(rng)
    return Hostile(make.__name__, sent, whole)


def _token(rng: np.random.Generator) -> bytes:
    return _of(rng, [b"", f"authorization: Bearer {TOKEN}\r\n".encode()])


def _of(rng: np.random.Generator, choices: list[bytes]) -> bytes:
    return choices[int(rng.integers(len(choices)))]
