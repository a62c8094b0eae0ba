"""Libraries that are not always installed: loaded when they are first needed, named where they are absent."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from thence.base.errors import ConfigError


def library(name: str, package: str) -> Any:
    """A library that is loaded when it is first needed.

    Args:
        name: the module.
        package: what pip installs it by, such as ``'thence[scann]'`` with its quotes.

    Raises:
        ConfigError: it is not installed; says what to install.

    Example:
        >>> library("no_such_library", "'thence[index]'")
        Traceback (most recent call last):
        thence.base.errors.ConfigError: no_such_library is not installed. Run pip install 'thence[index]'.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise ConfigError(f"{name} is not installed", fix=f"Run pip install {package}.") from error
