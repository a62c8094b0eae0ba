"""Rows are decided as the policy decides them, whatever the format; on rows without a score nothing is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest

from thence.base.errors import ConfigError, DataError
from thence.decide import applying
from thence.decide.applying import decide_table
from thence.decide.estimator import DecisionBoundary
from thence.decide.fitting import fit_policy
from thence.decide.policy import Policy
from thence.decide.sample import Sample
from thence.decide.table import Columns


@pytest.fixture(scope="module")
def policy() -> Policy:
    rng = np.random.default_rng(0)
    score, unsure = rng.random((2, 4000))
    sample = Sample.make(score, unsure, rng.random(4000) < score * (1 - unsure))
    return fit_policy(sample, DecisionBoundary("recall", precision=0.6), miss=0.3).policy


@pytest.fixture
def table() -> pa.Table:
    rng = np.random.default_rng(1)
    return pa.table({"id": np.arange(50), "s": rng.random(50), "u": rng.random(50)})


def test_rows_keep_their_order_and_columns_and_get_what_the_policy_says(
    policy: Policy, table: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "ROWS", 7)  # several batches
    pq.write_table(table, tmp_path / "t.parquet")
    pcsv.write_csv(table, tmp_path / "t.csv")
    made = policy.decide(table["s"].to_numpy(), table["u"].to_numpy())
    for source, target in (("t.parquet", "o.parquet"), ("t.csv", "o.csv")):
        found = decide_table(policy, tmp_path / source, tmp_path / target, columns=Columns("s", "u", None))
        out = (pq.read_table if target.endswith("t") else pcsv.read_csv)(tmp_path / target)
        assert out.column_names[:4] == ["id", "s", "u", "action"] and out["id"].to_pylist() == list(range(50))
        assert out["action"].to_pylist() == made.named()
        assert out["why"].to_pylist() == [policy.why(made, place) for place in range(50)]
        for name in ("rate", "low", "high", "margin"):
            np.testing.assert_allclose(out[name].to_numpy(), getattr(made, name), rtol=1e-12)
        needed = np.where(np.isfinite(made.needed), made.needed, np.nan)
        np.testing.assert_allclose(out["needed"].to_numpy(), needed, rtol=1e-12)
        assert np.isinf(made.needed).any() and found.refused.count == 0
        assert found.actions == {name: made.named().count(name) for name in ("hold", "ask", "act")}


def test_nothing_is_decided_on_rows_without_a_finite_score(policy: Policy, tmp_path: Path) -> None:
    rows = {"score": [0.9, None, np.inf, 0.9], "uncertainty": [0.1, 0.1, 0.1, np.nan]}
    pq.write_table(pa.table(rows), tmp_path / "t.parquet")
    found = decide_table(policy, tmp_path / "t.parquet", tmp_path / "o.parquet")
    out = pq.read_table(tmp_path / "o.parquet")
    for name in ("action", "rate", "low", "high", "margin", "needed", "why"):
        assert [value is None for value in out[name].to_pylist()] == [False, True, True, True], name
    assert sum(found.actions.values()) == 1 and found.refused.count == 3
    assert found.refused.reasons["uncertainty missing or not finite"] == 1


def test_a_table_of_no_rows_gives_one(policy: Policy, tmp_path: Path) -> None:
    empty = {"score": pa.array([], pa.float64()), "uncertainty": pa.array([], pa.float64())}
    pq.write_table(pa.table(empty), tmp_path / "t.parquet")
    decide_table(policy, tmp_path / "t.parquet", tmp_path / "o.parquet")
    out = pq.read_table(tmp_path / "o.parquet")
    assert len(out) == 0 and "action" in out.column_names


def test_what_cannot_be_is_told_and_nothing_is_written(policy: Policy, table: pa.Table, tmp_path: Path) -> None:
    pq.write_table(table, tmp_path / "t.parquet")
    with pytest.raises(DataError, match="there is no column 'score'"):
        decide_table(policy, tmp_path / "t.parquet", tmp_path / "o.parquet")
    with pytest.raises(DataError, match="no column of uncertainties"):
        decide_table(policy, tmp_path / "t.parquet", tmp_path / "o.parquet", columns=Columns("s", None))
    with pytest.raises(ConfigError, match="what to write"):
        decide_table(policy, tmp_path / "t.parquet", tmp_path / "o.xlsx", columns=Columns("s", "u"))
    with pytest.raises(DataError, match="cannot be written"):
        decide_table(policy, tmp_path / "t.parquet", tmp_path / "no" / "o.parquet", columns=Columns("s", "u"))
    pq.write_table(table.append_column("why", table["id"]), tmp_path / "w.parquet")
    with pytest.raises(DataError, match="there is a column 'why' already"):
        decide_table(policy, tmp_path / "w.parquet", tmp_path / "o.parquet", columns=Columns("s", "u"))
    pq.write_table(table.set_column(1, "s", table["id"].cast(pa.string())), tmp_path / "x.parquet")
    with pytest.raises(DataError, match="numbers are wanted"):
        decide_table(policy, tmp_path / "x.parquet", tmp_path / "o.parquet", columns=Columns("s", "u"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.parquet", "w.parquet", "x.parquet"]
