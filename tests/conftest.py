"""What holds for every test: threads wait asleep, no deadline when loaded, pytest has the last word."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported

from hypothesis import settings

settings.register_profile("thence", deadline=None)
settings.load_profile("thence")


def pytest_unconfigure() -> None:
    """Silence what DuckDB's binding writes while the interpreter goes: the logs that tests share outlive it."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)
    os.close(silence)
