"""Serve a bundle, or models alone, on this machine, to this machine."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

from thence.base.errors import ConfigError
from thence.serve.app import create_app
from thence.serve.bundle import Bundle
from thence.serve.models import Models
from thence.serve.security import LOOPBACK


def run(bundle: Bundle | Models | str | Path, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Verify a bundle and answer requests until interrupted.

    Args:
        bundle: a bundle, or the folder of a saved one; or models without items.
        host: a loopback address; this version serves no other.
        port: 1 … 65535.

    Raises:
        ConfigError: the host is not loopback, or the port is out of range or taken.
        ArtifactError: the bundle is torn, or fails its first questions.
    """
    listening = listen(host, port)
    try:
        app = create_app(bundle if isinstance(bundle, Bundle | Models) else Bundle.load(bundle))
        import uvicorn

        config = uvicorn.Config(
            app, access_log=False, server_header=False, log_level="warning", timeout_graceful_shutdown=10
        )
        with suppress(KeyboardInterrupt):  # the server has shut down in order by then
            uvicorn.Server(config).run(sockets=[listening])
    finally:
        listening.close()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket on a loopback address; port 0 lets the system choose.

    Raises:
        ConfigError: the host is not loopback, or the port is out of range or taken.

    Example:
        >>> listen("0.0.0.0", 8000)
        Traceback (most recent call last):
        thence.base.errors.ConfigError: host '0.0.0.0' is not loopback. Use 127.0.0.1; ...
    """
    if host not in LOOPBACK:
        raise ConfigError(
            f"host {host!r} is not loopback",
            fix="Use 127.0.0.1; to publish the service, put a proxy of yours with authentication before it.",
        )
    if not 0 <= port <= 65535:
        raise ConfigError(f"port {port} is out of range", fix="Choose one from 1 to 65535.")
    family = socket.AF_INET6 if host == "::1" else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"port {port} on {host} cannot be used: {error.strerror}", fix="Choose another."
        ) from error
    return listening
