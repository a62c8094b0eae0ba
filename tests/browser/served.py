"""A bundle, or models, served from a folder by a thread of this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from thence.serve import Bundle, Models, Origin, Store, create_app
from thence.serve.access import Access
from thence.serve.origin import Reloader
from thence.serve.run import listen

READY_SECONDS = 60


@contextmanager
def served(source: Bundle | Models, folder: Path, token: str | None = None) -> Iterator[str]:
    """The address of a bundle, or of models without items, while they are served from a folder.

    Args:
        source: what is saved there first.
        folder: where; models are put into folders of their names below it.
        token: of the routes that change something; closed without one.
    """
    reloader = Reloader(Store(), _saved(source, folder))
    reloader.reload()
    app = create_app(reloader.store, Access(token), reloader)
    server = uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="warning"))
    with listen("127.0.0.1", 0) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        until = time.monotonic() + READY_SECONDS
        while not server.started and thread.is_alive() and time.monotonic() < until:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(READY_SECONDS)
    assert not thread.is_alive()


def _saved(source: Bundle | Models, folder: Path) -> Origin:
    if isinstance(source, Bundle):
        source.save(folder)
        return Origin(folder)
    parts = {name: getattr(source, name) for name in ("conversion", "policy")}
    parts = {name: model for name, model in parts.items() if model is not None}
    for name, model in parts.items():
        model.save(folder / name)
    return Origin(**{name: folder / name for name in parts})
