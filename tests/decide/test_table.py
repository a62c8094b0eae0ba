"""Tables of scores: what is read is what stands there, and what cannot be used is counted or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest

from thence.base.errors import DataError
from thence.decide.table import Columns, Refused, read_names, read_scores

NAN, INF = float("nan"), float("inf")
ROWS = {
    "score": [0.9, NAN, 0.2, None, 0.4, 0.5, INF],
    "uncertainty": [1.0, NAN, INF, 2.0, None, 3.0, 1.0],
    "label": [1, 0, 1, 0, None, 0, 1],
    "shop": ["a", "b", "c", "d", "e", None, "g"],
}


def test_each_row_is_accepted_or_refused_for_its_first_reason(tmp_path: Path) -> None:
    pq.write_table(pa.table(ROWS), tmp_path / "t.parquet")
    found = read_scores(tmp_path / "t.parquet", segments=["shop"])
    assert found.sample.score.tolist() == [0.9, 0.5] and found.sample.label.tolist() == [True, False]
    assert found.sample.uncertainty.tolist() == [1.0, 3.0]
    assert found.segments["shop"].tolist() == ["a", None]
    reasons = {"score missing or not finite": 3, "uncertainty missing or not finite": 2}
    assert found.refused == Refused(7, reasons) and found.refused.share == 5 / 7
    alone = read_scores(tmp_path / "t.parquet", Columns(uncertainty=None))
    assert alone.refused.reasons == {"score missing or not finite": 3, "label missing": 1}
    assert alone.sample.uncertainty.tolist() == [0.0] * 3


def test_csv_and_parquet_tell_the_same(tmp_path: Path) -> None:
    table = pa.table({"s": np.arange(5) / 7, "y": [True, False, None, True, False]})
    pq.write_table(table, tmp_path / "t.parquet")
    pcsv.write_csv(table, tmp_path / "t.csv")
    read = [read_scores(tmp_path / name, Columns("s", None, "y")) for name in ("t.parquet", "t.csv")]
    assert [each.refused.count for each in read] == [1, 1]
    np.testing.assert_array_equal(read[0].sample.score, read[1].sample.score)
    np.testing.assert_array_equal(read[0].sample.label, read[1].sample.label)
    assert read_names(tmp_path / "t.parquet") == read_names(tmp_path / "t.csv") == ["s", "y"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("score,uncertainty,label\n.1,1,2\n", "column 'label' holds 2, which is neither 0 nor 1"),
        ("score,uncertainty,label\n.1,1,yes\n", "column 'label' holds strings such as 'yes'"),
        ("score,uncertainty,label\nhigh,1,1\n", "column 'score' holds string, numbers are wanted"),
        ("score,uncertainty,label\n,1,1\n", r"no row can be used: 1 read = 0 accepted \+ 1 refused"),
        ("score,uncertainty,label\n", "no rows"),
        ("skore,uncertainty,label\n.1,1,1\n", "there is no column 'score'.*Did you mean 'skore'"),
        ("score,score,label\n.1,1,1\n", "two columns have the same name"),
        ("score,uncertainty,label\n.1,1\n", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_files_that_are_no_scores_are_refused_in_words(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        read_scores(tmp_path / "t.csv")


def test_absent_torn_and_nameless_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_scores(tmp_path / "t.csv")
    (tmp_path / "t.parquet").write_bytes(b"PAR1 and no more")
    for read in (read_scores, read_names):
        with pytest.raises(DataError, match="cannot be read"):
            read(tmp_path / "t.parquet")
    (tmp_path / "t.txt").write_text("score\n1\n")
    with pytest.raises(DataError, match="does not say what it is"):
        read_scores(tmp_path / "t.txt")
