"""One Spark session for all tests that need one; they are skipped where none can run."""

from __future__ import annotations

import pytest

from thence.events.spark_session import quiet, spark_session, why_not

SMALL = {
    "spark.master": "local[2]",
    "spark.sql.shuffle.partitions": 2,
    "spark.default.parallelism": 2,
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}
"""Tables of a few rows: what costs time is compiling, so nothing is compiled."""


@pytest.fixture(scope="session")
def spark():
    reason = why_not()
    if reason:
        pytest.skip(f"Spark cannot run: {reason}")
    with quiet():
        session = spark_session(SMALL)
        yield session
        session.stop()
