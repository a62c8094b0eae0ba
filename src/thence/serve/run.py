"""Serve a bundle, or models alone: on this machine, or with a token to others."""

from __future__ import annotations

import gc
import ipaddress
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from thence.base.errors import ConfigError
from thence.serve.access import LOOPBACK, Access
from thence.serve.app import create_app
from thence.serve.bundle import Bundle
from thence.serve.log import LOG, Form, logging_as, told
from thence.serve.models import Models
from thence.serve.origin import Origin, Reloader
from thence.serve.store import Store

AT_ONCE, IDLE_SECONDS, DRAIN_SECONDS = 512, 5, 10
"""Requests at one time, seconds that an idle connection is kept, and that a shutdown waits for answers."""


def run(
    bundle: Bundle | Models | Origin | str | Path,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    token: str | None = None,
    names: frozenset[str] = frozenset(),
    watch: float | None = None,
    ready: Callable[[Store], None] = lambda store: None,
    log: Form | None = None,
) -> None:
    """Answer requests until interrupted. The bundle is verified meanwhile; until then all but health is a 503.

    Args:
        bundle: a bundle, or the folder of a saved one; or models without items; or the folders of any of them.
        host: a loopback address, or with a token any address of this machine.
        port: 1 … 65535.
        token: what routes that change something ask for, and on a public address all but health.
        names: host names that a public service is asked by.
        watch: seconds from one look at the folders to the next; what has changed is loaded. None: on request.
        ready: told when everything is verified, from the thread that loads.
        log: the form of the lines on standard error, one a request; None for none.

    Raises:
        ConfigError: the host is public and there is no token, the token is short, the port is out of range or
            taken, or there is no folder to watch.
        ArtifactError: the bundle is torn, or fails its first questions: the service ends then.
    """
    access = Access(token, host not in LOOPBACK, names | {host})
    store, reloader = Store(), None
    if isinstance(bundle, Bundle | Models):
        if watch is not None:
            raise ConfigError("there is no folder to watch", fix="Serve a saved bundle by its folder.")
        first = partial(store.publish, bundle)
    else:
        reloader = Reloader(store, bundle if isinstance(bundle, Origin) else Origin(Path(bundle)))
        first = reloader.reload
    listening = listen(host, port)

    def load() -> None:
        first()
        ready(store)
        if reloader is not None and watch is not None:
            reloader.watch(watch)

    try:
        with logging_as(log):
            where = {"host": host, "port": port}
            LOG.info("listening on %s, port %d", host, port, extra=told("listening", where))
            _serve(create_app(store, access, reloader), listening, load)
            LOG.info("ended", extra=told("ended"))
    finally:
        if reloader is not None:
            reloader.stop()
        listening.close()


def _serve(app: object, listening: socket.socket, load: Callable[[], None]) -> None:
    """Answer until interrupted, and load meanwhile; answers under way are finished first.

    Each request is one core's work. What ``load`` raises ends the service, and is raised here.
    """
    import uvicorn
    from threadpoolctl import threadpool_limits

    from thence.serve.wire import Wire

    LOG.setLevel(logging.INFO)
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        http=Wire,
        ws="none",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        log_level="error",
        log_config=None,
        limit_concurrency=AT_ONCE,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    server, broken = uvicorn.Server(config), []

    def loading() -> None:
        try:
            load()
            gc.collect()
            gc.freeze()  # what stays for good need not be looked through again while somebody waits
        except BaseException as error:
            broken.append(error)
            server.should_exit = True

    with threadpool_limits(1), suppress(KeyboardInterrupt), _ended_in_order():
        threading.Thread(target=loading, name="thence-load", daemon=True).start()
        server.run(sockets=[listening])
    if broken:
        raise broken[0]


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """The server raises the signal that ended it once more when all is answered: SIGTERM is no fault then."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket on an address of this machine; port 0 lets the system choose.

    Raises:
        ConfigError: the host is not an address, or the port is out of range or taken.

    Example:
        >>> listen("127.0.0.1", 99999)
        Traceback (most recent call last):
        thence.base.errors.ConfigError: port 99999 is out of range. Choose one from 1 to 65535.
    """
    if not 0 <= port <= 65535:
        raise ConfigError(f"port {port} is out of range", fix="Choose one from 1 to 65535.")
    try:
        numbers = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError as error:
        raise ConfigError(f"host {host!r} is not an address", fix="Give one such as 127.0.0.1.") from error
    family = socket.AF_INET6 if numbers.version == 6 else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # else asyncio leaves Nagle on
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((str(numbers), port))
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"port {port} on {host} cannot be used: {error.strerror}", fix="Choose another."
        ) from error
    return listening
