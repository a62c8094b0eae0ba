"""The settings that all estimators share: how long a label is waited for, and how long it can change."""

from __future__ import annotations

from dataclasses import dataclass

from thence.base.errors import ConfigError


@dataclass(frozen=True)
class Protocol:
    """When an exposure is labelled.

    Args:
        wait: waiting time e in microseconds, for the methods that label after one; 0 labels at once.
        window: attribution window W in microseconds, after which the label is final.

    Raises:
        ConfigError: not ``0 <= wait <= window`` with a positive window.

    Example:
        >>> Protocol(wait=3_600_000_000, window=86_400_000_000)
        Protocol(wait=3600000000, window=86400000000)
    """

    wait: int
    window: int

    def __post_init__(self) -> None:
        if self.window <= 0 or not 0 <= self.wait <= self.window:
            raise ConfigError(
                f"waiting time {self.wait} µs, window {self.window} µs",
                fix="Give a window above 0 and a waiting time from 0 to it.",
            )
