"""What holds for every test: threads that wait asleep, and no deadline on a loaded machine."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch is imported

from hypothesis import settings

settings.register_profile("thence", deadline=None)
settings.load_profile("thence")
