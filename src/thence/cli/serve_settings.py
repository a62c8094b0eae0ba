"""Settings of ``thence serve``: the command line over the environment over a file over the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from thence.base.config import check_config, load_values
from thence.base.errors import ConfigError, nearest

PREFIX = "THENCE_SERVE_"
SETTINGS = "settings"
FOLDERS = ("run", "conversion", "policy", "token_file")
"""What a file names relative to itself."""


class ServeSettings(BaseModel):
    """Where the service answers, what, and to whom.

    Args:
        run: a run's folder, or a bundle.
        conversion: a saved conversion model.
        policy: a saved policy.
        host: a loopback address; with a token any address of this machine.
        port: from 1 to 65535.
        token_file: holds the token that admin routes and public addresses ask for.
        allow_host: host names that the service is asked by.
        watch: seconds from one look at the folders to the next; what has changed is loaded.
        log: the form of the lines on standard error, one a request; none when not given.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: Path | None = None
    conversion: Path | None = None
    policy: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    token_file: Path | None = None
    allow_host: tuple[str, ...] = ()
    watch: float | None = Field(default=None, ge=0.1, allow_inf_nan=False)
    log: Literal["text", "json"] | None = None


def serve_settings(given: Mapping[str, Any], environment: Mapping[str, str]) -> ServeSettings:
    """Settings from all three places.

    Args:
        given: on the command line; None for what was not. ``settings`` names the file.
        environment: variables such as ``THENCE_SERVE_PORT``; several host names are joined by commas.

    Raises:
        ConfigError: a key or a variable is unknown, or a value does not fit.

    Example:
        >>> told = {"THENCE_SERVE_PORT": "80", "THENCE_SERVE_LOG": "json"}
        >>> found = serve_settings({"port": 81, "host": None}, told)
        >>> found.port, found.log, found.host
        (81, 'json', '127.0.0.1')
    """
    told = _told(environment)
    file = given.get(SETTINGS) or told.pop(SETTINGS, None)
    values = {} if file is None else _of_file(Path(file))
    chosen = {name: value for name, value in given.items() if value not in (None, []) and name != SETTINGS}
    sources = {**dict.fromkeys(values, str(file)), **dict.fromkeys(told, "the environment")}
    where = ", ".join(dict.fromkeys(sources.values())) or None
    return check_config({**values, **told, **chosen}, ServeSettings, where=where)


def _of_file(path: Path) -> dict[str, Any]:
    values = load_values(path)
    check_config(values, ServeSettings, where=path)
    return {
        name: path.parent / value if name in FOLDERS and isinstance(value, str) else value
        for name, value in values.items()
    }


def _told(environment: Mapping[str, str]) -> dict[str, Any]:
    """What the variables say, by setting; empty ones say nothing."""
    found: dict[str, Any] = {}
    known = {PREFIX + name.upper(): name for name in (*ServeSettings.model_fields, SETTINGS)}
    for variable, text in environment.items():
        if not variable.startswith(PREFIX) or not text:
            continue
        if variable not in known:
            raise ConfigError(f"unknown variable {variable}", fix=nearest(variable, known))
        name = known[variable]
        found[name] = [part.strip() for part in text.split(",")] if name == "allow_host" else text
    return found
