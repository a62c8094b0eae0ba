"""Embeddings: scores by hand, the same after saving, and refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from thence.base.artifact import write_artifact
from thence.base.errors import ArtifactError, DataError
from thence.base.ids import IdMap
from thence.encode import Embeddings

IDS = IdMap(["phone", "case", "tea"])
SOURCE = np.array([[1.0, 2.0], [0.0, -1.0], [0.5, 0.0]])
TARGET = np.array([[0.0, 1.0], [3.0, 0.0], [1.0, 1.0]])
BIAS = np.array([0.0, 10.0, 100.0])


def test_the_score_is_source_times_target_plus_the_targets_bias() -> None:
    embeddings = Embeddings(IDS, SOURCE, TARGET, BIAS)
    expected = [[sum(SOURCE[i] * TARGET[j]) + BIAS[j] for j in range(3)] for i in range(3)]
    np.testing.assert_array_equal(embeddings.scores([0, 1, 2]), expected)
    np.testing.assert_array_equal(embeddings.scores_into([0, 1, 2]), np.transpose(expected))
    assert embeddings.scores([0])[0, 1] == 13.0 and embeddings.scores([1])[0, 0] == -1.0


def test_saved_embeddings_are_the_same(tmp_path: Path) -> None:
    Embeddings(IDS, SOURCE, TARGET, BIAS, {"encoder": "by hand"}).save(tmp_path / "e")
    loaded = Embeddings.load(tmp_path / "e")
    assert loaded.ids == IDS and dict(loaded.info) == {"encoder": "by hand"}
    for name, array in (("source", SOURCE), ("target", TARGET), ("bias", BIAS)):
        np.testing.assert_array_equal(getattr(loaded, name), array.astype(np.float32))
    assert repr(loaded) == "Embeddings(3 nodes, dim 2)"


@pytest.mark.parametrize(
    ("source", "target", "bias", "message"),
    [
        (SOURCE + np.nan, TARGET, BIAS, "source embeddings hold values that are not finite"),
        (SOURCE, TARGET + np.inf, BIAS, "target embeddings hold values that are not finite"),
        (SOURCE, TARGET, BIAS - np.inf, "bias embeddings hold values that are not finite"),
        (SOURCE, TARGET[:, :1], BIAS, "source has shape"),
        (SOURCE[0], TARGET[0], BIAS, "source has shape"),
        (SOURCE[:2], TARGET[:2], BIAS, "2 vectors for 3 ids"),
        (SOURCE, TARGET, BIAS[:2], "the bias has shape"),
    ],
)
def test_what_is_no_pair_of_embeddings_is_refused(source, target, bias, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Embeddings(IDS, source, target, bias)


def test_an_artifact_of_the_right_kind_with_the_wrong_inside_is_refused(tmp_path: Path) -> None:
    with write_artifact(tmp_path / "e", "embeddings") as draft:
        draft.table("ids", pa.table({"id": ["a", "b"]}))
        draft.tensors("embeddings", {"source": SOURCE, "target": TARGET, "bias": BIAS})
    with pytest.raises(ArtifactError, match="inconsistent embeddings"):
        Embeddings.load(tmp_path / "e")
