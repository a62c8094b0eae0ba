"""Settings from a TOML or YAML file into a typed model; an unknown key is an error naming the nearest.

The model is a pydantic model or a plain dataclass, nested as deep as wanted. Its types are checked, its
defaults fill what the file leaves out, and nothing in the file runs code.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError

from thence.base.errors import ConfigError, nearest

Model = TypeVar("Model")
UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")


def load_config(path: str | Path, model: type[Model]) -> Model:
    """Read a settings file.

    Args:
        path: a ``.toml``, ``.yaml`` or ``.yml`` file.
        model: the pydantic model or dataclass that it must fit.

    Raises:
        ConfigError: the file is absent or cannot be parsed, a key is unknown or missing, a value is of the
            wrong type or out of range.

    Example:
        >>> import tempfile
        >>> @dataclasses.dataclass
        ... class Fit:
        ...     epochs: int = 10
        >>> with tempfile.TemporaryDirectory() as tmp:
        ...     path = Path(tmp) / "run.toml"
        ...     _ = path.write_text("epochs = 3")
        ...     load_config(path, Fit)
        Fit(epochs=3)
    """
    return check_config(load_values(path), model, where=Path(path))


def check_config(values: Mapping[str, Any], model: type[Model], *, where: object = None) -> Model:
    """Check settings that are already at hand, such as those of a manifest or of the command line.

    Args:
        values: nested settings by name.
        model: the pydantic model or dataclass that they must fit.
        where: what to name in the error, the file for instance.

    Raises:
        ConfigError: as :func:`load_config`.

    Example:
        >>> @dataclasses.dataclass
        ... class Fit:
        ...     epochs: int = 10
        >>> check_config({"epoch": 3}, Fit)
        Traceback (most recent call last):
        thence.base.errors.ConfigError: unknown key 'epoch'. Did you mean 'epochs'?
    """
    try:
        return TypeAdapter(model).validate_python(dict(values), extra="forbid")
    except ValidationError as error:
        raise _speak(error, model, where) from error


def load_values(path: str | Path) -> dict[str, Any]:
    """What a settings file says, not yet checked against any model.

    Raises:
        ConfigError: the file is absent or cannot be parsed.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError("not a text file in UTF-8", where=path) from error
    except OSError as error:
        raise ConfigError(f"cannot read the settings: {error.strerror}", where=path) from error
    if path.suffix == ".toml":
        values = _parse_toml(text, path)
    elif path.suffix in (".yaml", ".yml"):
        values = _parse_yaml(text, path)
    else:
        raise ConfigError(
            f"settings in a {path.suffix or 'nameless'} file", where=path, fix="Use .toml, .yaml or .yml."
        )
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise ConfigError(
            "the settings are not names with values", where=path, fix="Write 'name: value' lines."
        )
    return values


def _parse_toml(text: str, path: Path) -> object:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"not valid TOML: {error}", where=path) from error


def _parse_yaml(text: str, path: Path) -> object:
    import yaml

    try:
        values = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"not valid YAML{line}: {problem}", where=path) from error
    return {} if values is None else values


def _speak(error: ValidationError, model: Any, where: object) -> ConfigError:
    """Turn the first fault into a sentence; unknown keys come before wrong values."""
    faults = sorted(error.errors(), key=lambda fault: fault["type"] not in UNKNOWN)
    fault, more = faults[0], len(faults) - 1
    key = ".".join(map(str, fault["loc"])) or "the settings"
    rest = f" ({more} more {'fault' if more == 1 else 'faults'})" if more else ""
    if fault["type"] in UNKNOWN:
        fix = nearest(str(fault["loc"][-1]), _hints(_descend(model, fault["loc"][:-1])))
        return ConfigError(f"unknown key {key!r}{rest}", where=where, fix=fix)
    if fault["type"] in ("missing", "missing_argument"):
        return ConfigError(f"key {key!r} is missing{rest}", where=where, fix="Add it.")
    reason = fault["msg"][:1].lower() + fault["msg"][1:]
    return ConfigError(f"{key} is {fault['input']!r}: {reason}{rest}", where=where)


def _hints(model: Any) -> dict[str, Any]:
    """The fields of a model with their types; nothing for what is not a model."""
    if isinstance(model, type) and issubclass(model, BaseModel):
        return {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    if isinstance(model, type) and dataclasses.is_dataclass(model):
        hints = get_type_hints(model)
        return {field.name: hints[field.name] for field in dataclasses.fields(model) if field.init}
    return {}


def _descend(model: Any, path: Sequence[str | int]) -> Any:
    """The type that stands at ``path`` within a model, through optional fields, lists and dictionaries."""
    for part in path:
        hints, inner = _hints(model), get_args(model)
        model = hints.get(str(part)) if hints else (inner[-1] if inner else None)
        if get_origin(model) in (Union, UnionType):
            model = next((arg for arg in get_args(model) if _hints(arg)), get_args(model)[0])
    return model
