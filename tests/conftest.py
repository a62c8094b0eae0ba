"""What holds for every test: threads wait asleep, no deadline when loaded, pytest has the last word, soon."""

import atexit
import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported

from hypothesis import settings

for _sign in ("CI", "BUILD_NUMBER"):  # by them pytest shows the whole diff of unequal lists: hours of it
    os.environ.pop(_sign, None)

settings.register_profile("thence", deadline=None)
settings.load_profile("thence")


def _silence() -> None:
    """Drop what DuckDB's binding writes while the interpreter goes: the logs that tests share outlive it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)


atexit.register(_silence)
