"""Who may ask: everyone on this machine; others, and whoever manages models, by a token."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from thence.base.errors import ConfigError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
SHORTEST = 16
API, HEALTH = "/v1", "/health/"
ADMIN = f"{API}/admin"
SAME_SITE = ("same-origin", "none")
"""What browsers say of requests that no other site made (Fetch Metadata, W3C)."""


@dataclass(frozen=True)
class Access:
    """Who may ask.

    Args:
        token: what routes that change something ask for, and on a public address all but health; None: those
            routes are closed.
        public: whether other machines may ask.
        names: host names that are answered beside those of loopback.

    Raises:
        ConfigError: a public service without a token, or a token that is short or not printable ASCII.

    Example:
        >>> Access(token="0123456789abcdef").refusal("/v1/admin/reload", "POST", {})
        401
        >>> Access().refusal("/v1/related/phone", "GET", {}) is None
        True
    """

    token: str | None = field(default=None, repr=False)
    public: bool = False
    names: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.public and self.token is None:
            raise ConfigError("a public address without a token", fix="Give one with --token-file.")
        if self.token is not None and (len(self.token) < SHORTEST or not _plain(self.token)):
            raise ConfigError(
                f"a token must have at least {SHORTEST} printable ASCII characters without spaces",
                fix="Make one: python -c 'import secrets; print(secrets.token_urlsafe(32))'",
            )

    def serves(self, host: str) -> bool:
        """Whether requests that name this host are answered.

        Example:
            >>> access = Access(names=frozenset({"shop.example"}))
            >>> access.serves("shop.example"), access.serves("evil.example")
            (True, False)
        """
        return host in LOOPBACK or host in self.names

    def refusal(self, path: str, method: str, headers: Mapping[str, str]) -> int | None:
        """The status that a request is refused with, or None: 401 without the token, 403 where it is closed.

        Args:
            path: of the request.
            method: of the request.
            headers: names in lower case.
        """
        changes = path == ADMIN or path.startswith(f"{ADMIN}/")
        if method not in ("GET", "HEAD") and headers.get("sec-fetch-site", "none") not in SAME_SITE:
            return 403
        if changes and self.token is None:
            return 403
        if not changes and (not self.public or path.startswith(HEALTH)):
            return None
        return None if self._knows(headers.get("authorization", "")) else 401

    def _knows(self, said: str) -> bool:
        """Whether a request carries the token: as a bearer's, or as the password that a browser asks for."""
        scheme, _, rest = said.partition(" ")
        if scheme.lower() == "basic":
            try:
                rest = base64.b64decode(rest, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return False
        elif scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(rest.strip().encode(), (self.token or "").encode())


def read_token(path: str | Path) -> str:
    """The token in a file, without the space around it.

    Raises:
        ConfigError: the file cannot be read.
    """
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"no token in {path}: {error}", fix="Name a file that holds the token alone."
        ) from error


def _plain(text: str) -> bool:
    return all("!" <= letter <= "~" for letter in text)
