"""Ways to spoil a saved bundle: torn, mixed, forged; some with every digest made right again."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from tests.serve.whole import sealed

Files = dict[str, bytes]
Spoilt = tuple[str, Files | dict[str, bytes | None]]
PAGE = 4096
STRANGE: list[Any] = [
    None, True, -1, 0, 2**63, 10**400, 1e308, float("nan"), float("inf"), "", "../x", "/etc/passwd", "\0",
    "é" * 1000, [], {}, [[[]]], {"bytes": -1}, ["a", 1],
]  # fmt: skip
TRICKS = [
    "../x",
    "/etc/passwd",
    "..",
    ".",
    "",
    "model/../../x",
    "a\0b",
    "model",
    "\\..\\x",
    "x" * 5000,
    "nul/\n",
]


def flipped(content: bytes, at: int, bit: int) -> bytes:
    made = bytearray(content)
    made[at] ^= 1 << bit
    return bytes(made)


def torn(files: Files, rng: np.random.Generator, times: int) -> Iterator[Spoilt]:
    """What broken disks and half-done copies leave; nobody has touched the digests."""
    names = [name for name in sorted(files) if files[name]]
    for turn in range(times):
        for name in names:
            content = files[name]
            yield f"bit of {name}", {name: flipped(content, *_place(rng, content))}
            at, size = int(rng.integers(len(content))), int(rng.integers(1, 64))
            noise = rng.bytes(size)
            if content[at : at + size] != noise[: len(content) - at]:
                yield f"noise in {name}", {name: content[:at] + noise + content[at + size :]}
            if turn:
                continue
            for cut in {0, 1, len(content) - 1, *range(PAGE, len(content), PAGE)}:
                yield f"{name} cut at {cut}", {name: content[:cut]}
            yield f"{name} longer", {name: content + b"\0"}
            yield f"no {name}", {name: None}
            other = names[int(rng.integers(len(names)))]
            if files[other] != content:
                yield f"{name} and {other} swapped", {name: files[other], other: content}


def fields(files: Files, rng: np.random.Generator) -> Iterator[Spoilt]:
    """A bit of every field of every manifest; the text stays JSON or does not."""
    for name in sorted(name for name in files if name.endswith("manifest.json")):
        content = files[name]
        for key, value in _leaves(json.loads(content)):
            for part in (json.dumps(key[-1]), json.dumps(value)):
                at = content.find(part.encode())
                if at >= 0 and len(part):
                    place = at + int(rng.integers(len(part)))
                    yield f"bit of {'.'.join(map(str, key))} in {name}", {name: flipped(content, place, 0)}


def manifests(files: Files) -> Iterator[Spoilt]:
    """Texts that are no manifest at all."""
    whole = files["manifest.json"]
    twice = whole.replace(b'"kind": "bundle"', b'"kind": "bundle", "kind": "bundle"')
    digits = b'{"format":' + b"9" * 9999 + b"}"
    other, worded, true = (
        whole.replace(b'"format": 1', b'"format": ' + value) for value in (b"2", b'"1"', b"true")
    )
    for name, content in {
        "empty": b"", "null": b"null", "a list": b"[]", "a text": b'"bundle"', "a number": b"1",
        "no JSON": b"{",
        "a byte order mark": b"\xef\xbb\xbf" + whole, "UTF-16": whole.decode().encode("utf-16"),
        "not UTF-8": whole.replace(b"bundle", b"\xff\xfe"), "deep": b"[" * 100_000 + b"]" * 100_000,
        "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "a long number": digits,
        "a name twice": twice, "two of them": whole + whole, "binary": bytes(range(256)) * 8,
        "all spaces": b" " * 100_000, "NaN": b"NaN", "another format": other, "the format as text": worded,
        "the format as truth": true,
    }.items():  # fmt: skip
        yield f"manifest: {name}", {"manifest.json": content}


def forged_fields(files: Files, rng: np.random.Generator, times: int) -> Iterator[Spoilt]:
    """Manifests with other types, absurd sizes and names that lead elsewhere, sealed again."""
    for name in sorted(name for name in files if name.endswith("manifest.json")):
        manifest = json.loads(files[name])
        for key, _ in _leaves(manifest):
            if key[-1] in ("digest", "sha256", "bytes"):  # sealing would mend them
                continue
            for pick in rng.choice(len(STRANGE), times, replace=False):
                other = json.loads(files[name])
                _put(other, key, STRANGE[pick])
                yield f"{key} of {name} is {STRANGE[pick]!r:.40}", _resealed(files, {name: _text(other)})
        for trick in TRICKS:
            other = json.loads(files[name])
            first = next(iter(other["files"]), None)
            if first is not None:
                other["files"][trick] = other["files"].pop(first)
                yield f"a file of {name} is {trick[:40]!r}", _resealed(files, {name: _text(other)})
        for section in ("counts", "metrics", "config", "files", "fingerprint", "kind"):
            other = {key: value for key, value in manifest.items() if key != section}
            yield f"{name} without {section}", _resealed(files, {name: _text(other)})


def forged_content(files: Files, rng: np.random.Generator, times: int) -> Iterator[Spoilt]:
    """Other bytes under right digests: what each reader makes of them. Structures that C++ parses are left out.

    Their protection is the digest alone, which is compared before they are opened.
    """
    for name in sorted(files):
        if name.endswith(("manifest.json", ".faiss")):
            continue
        content = files[name]
        for _ in range(times):
            yield f"forged bit of {name}", _resealed(files, {name: flipped(content, *_place(rng, content))})
        yield f"forged end of {name}", _resealed(files, {name: content[: len(content) // 2]})
        yield f"{name} forged empty", _resealed(files, {name: b""})
        for kind, other in _polyglots(name, content):
            yield f"{name}: {kind}", _resealed(files, {name: other})


def _polyglots(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    if name.endswith(".safetensors"):
        (size,) = struct.unpack("<Q", content[:8])
        header, data = json.loads(content[8 : 8 + size]), content[8 + size :]
        first = next((key for key in header if key != "__metadata__"), None)
        yield "a header of 2⁶³ bytes", struct.pack("<Q", 2**63) + content[8:]
        yield "a header longer than the file", struct.pack("<Q", len(content)) + content[8:]
        yield "an archive behind it", content + b"PK\x05\x06" + b"\0" * 18
        yield "no header", struct.pack("<Q", 0) + data
        if first is None:
            return
        entry = header[first]
        for kind, change in {
            "offsets backwards": {"data_offsets": entry["data_offsets"][::-1]},
            "offsets far away": {"data_offsets": [0, 2**62]},
            "offsets below zero": {"data_offsets": [-8, 0]},
            "an unknown type": {"dtype": "PICKLE"},
            "a shape of 2⁴⁰": {"shape": [2**40, 2**40]},
            "a shape below zero": {"shape": [-1]},
            "a shape of NaN": {"shape": [float("nan")]},
            "a shape of text": {"shape": "all"},
            "another type": {"dtype": "I8"},
        }.items():
            yield kind, _tensors(json.dumps({**header, first: {**entry, **change}}).encode(), data)
        yield (
            "a name twice",
            _tensors(json.dumps(header)[:-1].encode() + b"," + json.dumps(header)[1:].encode(), data),
        )
        yield "the tensors overlapping", _tensors(json.dumps({**header, "again": entry}).encode(), data)
    if name.endswith(".npy"):
        for kind, head in {
            "objects": "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
            "a shape of 2⁶²": "{'descr': '<i8', 'fortran_order': False, 'shape': (4611686018427387904,), }",
            "a shape below zero": "{'descr': '<i8', 'fortran_order': False, 'shape': (-1,), }",
            "code": "__import__('os').system('true')",
            "fields": "{'descr': [('a', '<i4'), ('b', '|O')], 'fortran_order': False, 'shape': (1,), }",
            "nothing": "{}",
        }.items():
            text = head.encode().ljust(117) + b"\n"
            yield kind, b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + b"\0" * 64
        yield "an archive", b"PK\x03\x04" + content


def _tensors(header: bytes, data: bytes) -> bytes:
    header = header.ljust(-(-len(header) // 8) * 8)
    return struct.pack("<Q", len(header)) + header + data


def _resealed(files: Files, changes: Files) -> Files:
    made = sealed({**files, **changes})
    return {name: content for name, content in made.items() if content != files.get(name)}


def _place(rng: np.random.Generator, content: bytes) -> tuple[int, int]:
    return int(rng.integers(len(content))), int(rng.integers(8))


def _text(manifest: Any) -> bytes:
    return json.dumps(manifest).encode()


def _leaves(value: Any, key: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The values within a manifest, each by the way that leads to it; empty objects are values."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    parts = list(inside)
    if not parts:
        yield key, value
    for name, item in parts:
        yield from _leaves(item, (*key, name))


def _put(value: Any, key: tuple[Any, ...], what: Any) -> None:
    for part in key[:-1]:
        value = value[part]
    value[key[-1]] = what
