"""``import thence`` and ``thence --help`` are instant: nothing heavy is loaded before it is needed."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

import thence

HEAVY = (
    "torch",
    "pandas",
    "pyarrow",
    "numpy",
    "scipy",
    "ibis",
    "duckdb",
    "matplotlib",
    "sklearn",
    "numba",
    "fastapi",
)
SHOW = f"print('loaded:', *(name for name in {HEAVY!r} if name in sys.modules))"
HELP = "import sys\nfrom thence.cli import main\ntry:\n    main({arguments})\nfinally:\n    " + SHOW
CPU_SECONDS = 1.5  # a quiet machine takes 0.2; half a second is the promise, wide enough for a loaded one here


def run(code: str) -> tuple[str, float]:
    """Output of a fresh interpreter and the processor time that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_importing_the_package_loads_nothing() -> None:
    out, seconds = run("import sys, thence\n" + SHOW)
    assert out == "loaded:\n"
    assert seconds < CPU_SECONDS


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["graph", "--help"], ["demo", "--help"], []])
def test_help_loads_nothing_and_is_instant(arguments: list[str]) -> None:
    code = HELP.format(arguments=arguments).replace("finally", "except SystemExit:\n    pass\nfinally")
    out, seconds = run(code)
    assert out.endswith("loaded:\n") and ("thence" in out)
    assert seconds < CPU_SECONDS


def test_the_public_names_are_there_and_listed() -> None:
    assert sorted(thence.__all__) == sorted(set(thence.__all__))
    for name in thence.__all__:
        assert getattr(thence, name) is not None
        assert name in dir(thence)


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(AttributeError, match="EventLog"):
        _ = thence.EventLogs  # type: ignore[attr-defined]
