"""What the command line prints: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import typer

from thence.base.errors import ThenceError


def say(text: str) -> None:
    """A message to the user, on standard error."""
    typer.echo(text, err=True)


def fail(text: str, hint: str | None = None) -> None:
    """One red line on standard error, and a hint below it."""
    typer.secho(f"error: {text}", fg="red", err=True)
    if hint:
        say(hint)


def show_error(error: ThenceError, *, as_json: bool) -> None:
    """A fault that the user can mend: one line, and with ``--json`` one object on standard output."""
    fail(str(error))
    if as_json:
        where = None if error.where is None else str(error.where)
        emit({"error": {"kind": type(error).__name__, "what": error.what, "where": where, "fix": error.fix}})


def emit(result: Mapping[str, Any]) -> None:
    """One JSON object on standard output; a figure that is not a number becomes null.

    Example:
        >>> emit({"rows": 3, "share": float("nan"), "into": Path("runs/shop")})
        {"rows": 3, "share": null, "into": "runs/shop"}
    """
    sys.stdout.write(json.dumps(plain(result), allow_nan=False) + "\n")


def show(text: str) -> None:
    """A result for people, on standard output."""
    typer.echo(text)


def plain(value: Any) -> Any:
    """A value as JSON knows it.

    Example:
        >>> plain({"a": (1, float("inf"))})
        {'a': [1, None]}
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    to_list = getattr(value, "tolist", None)  # NumPy's arrays and numbers
    if to_list is not None:
        return plain(to_list())
    return str(value) if isinstance(value, Path) else value
