"""Estimators for labels that are still changing: published ones, and ours.

``ESTIMATORS`` builds each from a :class:`Protocol` and its own settings by name; ``GRIDS`` lists the settings
that are worth tuning. :class:`Oracle` is in neither, because it needs the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from thence.base.errors import ConfigError, nearest
from thence.conversion.delayed.bi_defuse import BiDefuse
from thence.conversion.delayed.defer import Defer
from thence.conversion.delayed.defuse import Defuse
from thence.conversion.delayed.dfm import Dfm
from thence.conversion.delayed.dfm_hazard import DfmHazard
from thence.conversion.delayed.engaged import Engaged
from thence.conversion.delayed.es_dfm import EsDfm
from thence.conversion.delayed.fnc import Fnc
from thence.conversion.delayed.fnw import Fnw
from thence.conversion.delayed.fsiw import Fsiw
from thence.conversion.delayed.gdfm import Gdfm
from thence.conversion.delayed.nndf import NnDf
from thence.conversion.delayed.protocol import Protocol
from thence.conversion.delayed.settle import Naive, Oracle, Wait
from thence.conversion.delayed.steps import Stepwise
from thence.conversion.delayed.ulc import Ulc
from thence.conversion.estimator import Estimator
from thence.events.clock import DAY, HOUR

__all__ = ["ESTIMATORS", "GRIDS", "Estimator", "Oracle", "Protocol", "make"]

ESTIMATORS: dict[str, Callable[..., Estimator]] = {
    "naive": lambda at: Naive(at.wait),
    "wait": lambda at: Wait(),
    "dfm": lambda at, **own: Dfm(**own),
    "dfm_weibull": lambda at, **own: Dfm("weibull", **own),
    "dfm_hazard": lambda at, **own: DfmHazard(**own),
    "fnw": lambda at, **own: Fnw(**own),
    "fnw_exact": lambda at, **own: Fnw(exact=True, **own),
    "fnc": lambda at: Fnc(),
    "fsiw": lambda at, **own: Fsiw(**own),
    "nndf": lambda at, **own: NnDf(**own),
    "es_dfm": lambda at, **own: EsDfm(at.wait, **own),
    "es_dfm_exact": lambda at, **own: EsDfm(at.wait, exact=True, **own),
    "defer": lambda at, **own: Defer(at.wait, **own),
    "defuse": lambda at, **own: Defuse(at.wait, **own),
    "bi_defuse": lambda at, **own: BiDefuse(at.wait, **own),
    "ulc": lambda at, **own: Ulc(**own),
    "gdfm": lambda at, **own: Gdfm(**own),
    "ours": lambda at, *, steps=False, **own: Stepwise(**own) if steps else Engaged(**own),
}
"""From a name to what makes the estimator of a protocol; further settings are given by name."""

_WAITS: list[dict[str, Any]] = [{"wait": HOUR // 4}, {"wait": HOUR}, {"wait": 6 * HOUR}, {"wait": DAY}]
_REFITS: list[dict[str, Any]] = [{**own, "every": every} for own in _WAITS for every in (0, 1)]
_LOOKS: list[dict[str, Any]] = [
    {},
    {"again": (1 / 30, 1 / 4)},
    {"again": (1.0,)},
    {"again": (1 / 30, 1 / 4, 1.0)},
]
_TAUS: list[dict[str, Any]] = [{"tau": 1 / 4}, {"tau": 1 / 2}, {"tau": 1.0}]

GRIDS: dict[str, list[dict[str, Any]]] = {
    "naive": _WAITS,
    "wait": [{}],
    "dfm": _LOOKS,
    "dfm_weibull": _LOOKS,
    "dfm_hazard": _LOOKS,
    "fnw": [{"cap": 0.95}, {"cap": 0.99}],
    "fnw_exact": [{"cap": 0.95}, {"cap": 0.99}],
    "fnc": [{}],
    "fsiw": [{**own, "every": every} for own in _TAUS for every in (0, 7)],
    "nndf": _TAUS,
    "es_dfm": _REFITS,
    "es_dfm_exact": _REFITS,
    "defer": _REFITS,
    "defuse": _REFITS,
    "bi_defuse": _REFITS,
    "ulc": [{"tau": tau, "span": span} for tau in (0.25, 0.5, 1.0) for span in (0.0, 0.25, 1.0)],
    "gdfm": [{"every": 0}, {"every": 1}, {"every": 1, "beta": 0.0}, {"every": 1, "keep": 0.0}],
    "ours": [{"ahead": 1.0}, {"ahead": 0.0}, {"revisit": 1.0}],
}
"""Settings to choose from, on data before the stream; ``wait`` replaces that of the protocol."""


def make(name: str, protocol: Protocol, settings: Mapping[str, Any] | None = None) -> Estimator:
    """An estimator by name.

    Args:
        name: a key of ``ESTIMATORS``.
        protocol: waiting time and window.
        settings: of this method, as in ``GRIDS``; ``wait`` replaces the protocol's, and is cut to the window.

    Raises:
        ConfigError: nothing has that name, or it has no such setting.

    Example:
        >>> make("es_dfm", Protocol(0, 1000), {"wait": 50}).wait
        50
    """
    if name not in ESTIMATORS:
        raise ConfigError(f"no estimator is called {name!r}", fix=nearest(name, ESTIMATORS))
    own = dict(settings or {})
    at = Protocol(min(own.pop("wait", protocol.wait), protocol.window), protocol.window)
    try:
        return ESTIMATORS[name](at, **own)
    except TypeError as error:
        raise ConfigError(f"{name!r} does not have these settings: {', '.join(own)}") from error
