"""The room's public names are loaded when they are first asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import thence.decide

HEAVY = ("numpy", "scipy", "sklearn", "torch", "numba", "pyarrow", "matplotlib")


def test_the_room_opens_light_and_its_verbs_help_at_once() -> None:
    show = f"import sys; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    asked = "main(['decide', 'fit', '--help'])"
    help_ = f"from thence.cli import main\ntry:\n    {asked}\nexcept SystemExit:\n    pass\n"
    for code in ("import thence, thence.decide\n", help_):
        done = subprocess.run(
            [sys.executable, "-c", code + show], capture_output=True, text=True, timeout=60, check=True
        )
        assert done.stdout.endswith("\n") and done.stdout.splitlines()[-1].strip() == ""


def test_every_name_is_there_and_an_unknown_one_is_told() -> None:
    for name in thence.decide.__all__:
        assert getattr(thence.decide, name) is not None and name in dir(thence.decide)
    assert sorted(thence.decide.__all__) == thence.decide.__all__
    with pytest.raises(AttributeError, match="DecisionBoundary"):
        _ = thence.decide.DecisionBoundry  # type: ignore[attr-defined]
