"""Public names of a package that are loaded when they are first asked for (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazily(package: str, home: Mapping[str, str]) -> Callable[[str], Any]:
    """A module's ``__getattr__`` that loads each name from where it lives, once.

    Args:
        package: name of the module that has them, ``__name__``.
        home: the module of each name.

    Example:
        >>> load = lazily("thence.base", {"IdMap": "thence.base.ids"})
        >>> load("IdMap").__name__
        'IdMap'
        >>> load("IdMp")
        Traceback (most recent call last):
        AttributeError: module 'thence.base' has no 'IdMp'. Did you mean 'IdMap'?
    """

    def load(name: str) -> Any:
        if name not in home:
            from thence.base.errors import nearest

            raise AttributeError(f"module {package!r} has no {name!r}. {nearest(name, home)}")
        value = getattr(import_module(home[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return load
