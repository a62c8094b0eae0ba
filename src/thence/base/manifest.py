"""The manifest of an artifact: read with suspicion, compared with its own digest, its types looked at."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thence.base.errors import ArtifactError

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
LARGEST_MANIFEST = 1 << 26  # bytes


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of an artifact, compared with its own digest; the files that it lists are not looked at.

    Raises:
        ArtifactError: there is none, it is torn or tampered with, of another format version, or malformed.
    """
    path = folder / MANIFEST
    try:
        if path.stat().st_size > LARGEST_MANIFEST:
            raise ArtifactError(f"the manifest is larger than {LARGEST_MANIFEST >> 20} MiB", where=path)
        manifest = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except FileNotFoundError as error:
        raise ArtifactError("no artifact there", where=folder, fix="Check the path.") from error
    except OSError as error:
        raise ArtifactError(f"the manifest cannot be read: {error.strerror}", where=path) from error
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"the manifest cannot be read: {error}", where=path) from error
    if not isinstance(manifest, dict):
        raise ArtifactError("the manifest is malformed: not an object", where=path)
    if manifest.get("format") != FORMAT_VERSION:
        raise ArtifactError(
            f"format version {manifest.get('format')!r}, this release reads {FORMAT_VERSION}",
            where=folder,
            fix="Write it again with this release.",
        )
    if manifest.get("digest") != manifest_digest(manifest):
        raise ArtifactError(
            "the manifest does not match its digest", where=path, fix="Write the artifact again."
        )
    if wrong := fault(manifest):
        raise ArtifactError(f"the manifest is malformed: {wrong}", where=path)
    return manifest


def manifest_digest(manifest: Mapping[str, Any]) -> str:
    """The SHA-256 of a manifest's own content, its digest left out."""
    content = {key: value for key, value in manifest.items() if key != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def fault(manifest: Mapping[str, Any]) -> str | None:
    """What of a manifest is of another type than it should be; None where all is well."""
    for part in ("counts", "metrics", "config", "files"):
        if not isinstance(manifest.get(part), dict):
            return f"{part} are missing, or no object"
    if not isinstance(manifest.get("fingerprint"), str):
        return "the fingerprint is missing, or no text"
    for name, count in manifest["counts"].items():
        if type(count) is not int:
            return f"the count of {name} is {count!r:.40}"
    for name, value in manifest["metrics"].items():
        if type(value) not in (int, float):
            return f"{name} is {value!r:.40}"
    for name, entry in manifest["files"].items():
        if not isinstance(entry, dict) or type(entry.get("bytes")) is not int or "sha256" not in entry:
            return f"file {name[:40]!r} has no size or no digest"
    return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON in which no name stands twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found
