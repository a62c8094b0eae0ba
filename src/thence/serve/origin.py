"""Where what is served comes from, and how it is replaced while it answers.

A new state of the folders is opened with every digest checked, asked a few questions, and published by one
assignment; what was live before stays at hand, for one step back. Whatever is refused is refused with its
reason, and what was live keeps answering. One load at a time.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from thence.base.artifact import VERSION_DIGITS
from thence.base.errors import ArtifactError, ConfigError, ThenceError
from thence.base.manifest import read_manifest
from thence.serve.bundle import Bundle
from thence.serve.log import LOG, told
from thence.serve.models import Models
from thence.serve.problems import RefusedError
from thence.serve.store import Store


@dataclass(frozen=True)
class Origin:
    """The folders of what is served.

    Args:
        bundle: of a bundle; None for models alone.
        conversion: of a conversion model, in place of the bundle's own.
        policy: of a policy, likewise.

    Raises:
        ConfigError: all three are None.
    """

    bundle: Path | None = None
    conversion: Path | None = None
    policy: Path | None = None

    def __post_init__(self) -> None:
        if not self.folders:
            raise ConfigError(
                "nothing to serve", fix="Name a run's folder, or give a conversion model or a policy."
            )

    @property
    def folders(self) -> list[Path]:
        """Those that are not None."""
        return [part for part in (self.bundle, self.conversion, self.policy) if part is not None]

    def load(self) -> Bundle | Models:
        """Open what lies there; every file is compared with its digest.

        Raises:
            ArtifactError: it is absent, torn or tampered with, or its reader broke on it.
        """
        parts = {}
        if self.conversion is not None:
            from thence.conversion.model import ConversionModel

            parts["conversion"] = ConversionModel.load(self.conversion)
        if self.policy is not None:
            from thence.decide.policy import Policy

            parts["policy"] = Policy.load(self.policy)
        return Models(**parts) if self.bundle is None else replace(Bundle.load(self.bundle), **parts)

    def stamp(self) -> tuple[str, ...]:
        """The fingerprints of what lies there now: of all that is kept, not only of what answers.

        A model that was judged since is the same version, and yet to be loaded again.

        Raises:
            ArtifactError: a folder holds no artifact.
        """
        return tuple(str(read_manifest(folder)["digest"])[:VERSION_DIGITS] for folder in self.folders)


class Reloader:
    """Replaces what a store serves by what lies at its origin.

    Args:
        store: what answers.
        origin: where it came from.
    """

    def __init__(self, store: Store, origin: Origin) -> None:
        self.store, self.origin = store, origin
        self.tried: tuple[str, ...] | None = None
        self._complaint = ""
        self._loading = threading.Lock()
        self._stop = threading.Event()

    def reload(self) -> bool:
        """Load what lies there now; whether anything has changed.

        Raises:
            RefusedError: a load is under way (409).
            ThenceError: what lies there cannot be served; what was live before still answers.
        """
        if not self._loading.acquire(blocking=False):
            raise RefusedError(409, "a load is under way", fix="Ask again when it is over.")
        try:
            stamp = self.tried = self.origin.stamp()
            if stamp == self.store.stamp:
                return False
            self.store.publish(self.origin.load(), stamp)
        except ThenceError as error:
            self._complain(error)
            raise
        except RefusedError:
            raise
        except Exception as error:  # whatever a reader makes of it, the service lives on and says so
            LOG.exception("a reader broke")
            what = f"what lies there breaks its reader ({type(error).__name__})"
            raise ArtifactError(what, where=self.origin.folders[0], fix="Write it again.") from error
        finally:
            self._loading.release()
        self._complaint = ""
        version = self.store.version
        LOG.info("live: %s", version, extra=told("live", {"model_version": version}))
        return True

    def _complain(self, error: ThenceError) -> None:
        """Say why something is refused, once, however often it is looked at."""
        if str(error) != self._complaint:
            self._complaint = str(error)
            fields = {"reason": error.what, "where": str(error.where)}
            LOG.warning("refused: %s", error, extra=told("refused", fields))

    def watch(self, seconds: float) -> threading.Thread:
        """Look at the folders so often, from a thread of its own, and reload what has changed."""
        thread = threading.Thread(target=self._watch, args=(seconds,), name="thence-watch", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """End the watch."""
        self._stop.set()

    def _watch(self, seconds: float) -> None:
        while not self._stop.wait(seconds):
            try:
                stamp = self.origin.stamp()
            except ThenceError as error:  # looked at again, and said when it is another fault
                self._complain(error)
                continue
            if stamp not in (self.store.stamp, self.tried):
                with suppress(ThenceError, RefusedError):  # said already; tried again when it has changed
                    self.reload()
