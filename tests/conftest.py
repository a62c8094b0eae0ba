"""What holds for every test: threads that wait asleep, and no deadline on a loaded machine."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported

from hypothesis import settings

settings.register_profile("thence", deadline=None)
settings.load_profile("thence")


def pytest_unconfigure() -> None:
    """Let go of the logs that tests share, so that DuckDB has nothing to say after pytest's last line."""
    import gc
    import sys

    from thence.events import engine

    for name, module in list(sys.modules.items()):
        if name.startswith("tests"):
            for made in list(vars(module).values()):
                if hasattr(made, "cache_clear"):
                    made.cache_clear()
    engine._instance.cache_clear()
    gc.collect()
