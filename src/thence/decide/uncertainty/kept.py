"""What is kept of an estimator: a few words and the numbers of its networks, by name; none of it runs code.

A network's shape is not kept, since nothing but its own class can tell it. Whoever opens an estimator gives a
network that is made as the one it was fitted to, and its numbers are replaced in a copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from thence.base.errors import ArtifactError, ThenceError

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Kept:
    """Of one estimator.

    Args:
        told: settings; JSON.
        arrays: by name.
    """

    told: dict[str, Any]
    arrays: Arrays


@contextmanager
def fitting_together(what: str) -> Iterator[None]:
    """Words and numbers that cannot be used, as errors of the artifact that held them."""
    try:
        yield
    except ArtifactError:
        raise
    except (ThenceError, KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise ArtifactError(f"the parts of a {what} do not fit together: {error}") from error
