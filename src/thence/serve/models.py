"""The models beside the items: each may be served with a run, or without one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thence.conversion.model import ConversionModel
    from thence.decide.policy import Policy


@dataclass(frozen=True, eq=False)
class Models:
    """What answers /v1/convert and /v1/decide. Immutable.

    Args:
        conversion: whether an exposure will convert.
        policy: where to act on a score.

    Example:
        >>> Models().version
        ''
    """

    conversion: ConversionModel | None = None
    policy: Policy | None = None

    @property
    def version(self) -> str:
        """That of the conversion model, else of the policy; empty where there is neither."""
        first = self.conversion if self.conversion is not None else self.policy
        return "" if first is None else first.version
