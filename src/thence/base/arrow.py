"""Arrow's compute functions under a type that a checker accepts: pyarrow makes them at import time."""

from __future__ import annotations

from typing import Any

import pyarrow.compute

pc: Any = pyarrow.compute
