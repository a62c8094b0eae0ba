"""A request that cannot be answered, said in words: what was wrong, what to do, and what comes nearest."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field


class NearItem(BaseModel):
    """An item that the caller may have meant."""

    item_id: str
    title: str


class Problem(BaseModel):
    """The body of every answer that is not 2xx."""

    error: str = Field(description="What was wrong.")
    fix: str | None = Field(default=None, description="What to do about it.")
    nearest: list[NearItem] = Field(default_factory=list, description="Items that may have been meant.")
    model_version: str | None = Field(default=None, description="The model that was asked, once one is loaded.")


class RefusedError(Exception):
    """Raised by an answer; the application turns it into a :class:`Problem` with this status."""

    def __init__(
        self,
        status: int,
        error: str,
        *,
        fix: str | None = None,
        nearest: Sequence[NearItem] = (),
        model_version: str | None = None,
    ) -> None:
        super().__init__(error)
        self.status = status
        self.problem = Problem(error=error, fix=fix, nearest=list(nearest), model_version=model_version)
