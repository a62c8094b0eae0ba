"""The four errors that a user of thence can meet, and the sentence that each one speaks.

Every error says what was wrong, where, and what to do about it::

    DataError: column 'user_id' is missing (in clicks.csv). Rename it with --rename customer=user_id.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ThenceError(Exception):
    """What went wrong, where, and what to do.

    Args:
        what: one clause that states the fault.
        where: the file, column, key or artifact in which it was found.
        fix: one sentence that says what to do.

    Example:
        >>> print(DataError("price is negative", where="row 7 of log.csv", fix="Correct it or drop it."))
        price is negative (in row 7 of log.csv). Correct it or drop it.
    """

    def __init__(self, what: str, *, where: object = None, fix: str | None = None) -> None:
        self.what, self.where, self.fix = what, where, fix
        place = f" (in {where})" if where is not None else ""
        super().__init__(f"{what}{place}" + (f". {fix}" if fix else ""))


class DataError(ThenceError, ValueError):
    """Data from outside that cannot be used: a missing column, an unknown id, an empty log."""


class ConfigError(ThenceError):
    """A setting that is unknown, out of range, or at odds with another."""


class ArtifactError(ThenceError):
    """A saved thing that is torn, tampered with, of another kind or of another format version."""


class FitError(ThenceError):
    """A model that cannot be fitted, or whose fit broke down (a NaN loss, a graph without arcs)."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint that names the known spelling nearest to ``name``, or lists what is known.

    Example:
        >>> nearest("lerning_rate", ["learning_rate", "epochs"])
        "Did you mean 'learning_rate'?"
        >>> nearest("colour", ["epochs", "dim"])
        'Known: dim, epochs.'
    """
    choices = sorted(known)
    if not choices:
        return "None is known."
    close = difflib.get_close_matches(name, choices, n=1)
    if close:
        return f"Did you mean {close[0]!r}?"
    shown = ", ".join(choices[:12]) + (", …" if len(choices) > 12 else "")
    return f"Known: {shown}."


def check_settings(whose: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raise unless every name is one of those known.

    Args:
        whose: whose settings they are, as the error says it.
        names: the settings given.
        known: those that there are.

    Raises:
        ConfigError: a name is unknown.

    Example:
        >>> check_settings("a tree", ["dept"], ["depth", "values"])
        Traceback (most recent call last):
        thence.base.errors.ConfigError: a tree has no setting 'dept'. Did you mean 'depth'?
    """
    known = list(known)
    for name in names:
        if name not in known:
            raise ConfigError(f"{whose} has no setting {name!r}", fix=nearest(name, known))
