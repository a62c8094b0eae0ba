"""Vectors in other systems answer as scoring all does, in both directions and with the bias."""

from __future__ import annotations

import os

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.index.test_exact import random_embeddings

from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.encode.embeddings import Embeddings
from thence.index import ExactIndex
from thence.index.fingerprint import fingerprint
from thence.index.neighbors import QUESTIONS
from thence.index.push import asking, push_pgvector, push_qdrant, read_vectors, write_vectors

DATA = random_embeddings(300, 7, 4)
ASKED = [0, 17, 299]


def expected(question, k=8):
    """Ids by the exact index, which leaves out the query, so that one more is asked of the others."""
    return [DATA.ids.decode(row) for row in ExactIndex(DATA).search(ASKED, k, question).nodes]


def without(node: int, ids: list[str], k: int = 8) -> list[str]:
    return [id_ for id_ in ids if id_ != f"i{node}"][:k]


def test_asking_vectors_score_as_embeddings_do():
    held = {"source": DATA.source, "target": np.column_stack([DATA.target, DATA.bias])}
    role, asked = asking(DATA, ASKED, "next")
    np.testing.assert_allclose(asked @ held[role].T, DATA.scores(ASKED), atol=1e-5)
    role, asked = asking(DATA, ASKED, "before")
    np.testing.assert_allclose(
        asked @ held[role].T + DATA.bias[ASKED][:, None], DATA.scores_into(ASKED), atol=1e-5
    )
    role, asked = asking(DATA, ASKED, "similar_target")
    np.testing.assert_allclose(asked @ held[role].T, DATA.target[ASKED] @ DATA.target.T, atol=1e-5)
    with pytest.raises(DataError, match="out of range"):
        asking(DATA, [300])


def test_parquet_gives_back_every_value(tmp_path, monkeypatch):
    monkeypatch.setattr("thence.index.push.parquet.ROWS", 77)
    write_vectors(DATA, tmp_path / "vectors")
    again = read_vectors(tmp_path / "vectors")
    assert fingerprint(again) == fingerprint(DATA)
    plain = pq.read_table(tmp_path / "vectors" / "source.parquet")
    assert plain.column_names == ["id", "vector"] and plain.num_rows == 300
    path = tmp_path / "vectors" / "target.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ArtifactError):
        read_vectors(tmp_path / "vectors")


@pytest.mark.parametrize("question", QUESTIONS)
def test_qdrant_answers_in_both_directions(question):
    client = pytest.importorskip("qdrant_client").QdrantClient(":memory:")
    told: list[int] = []
    counts = push_qdrant(DATA, client, "shop", progress=lambda _, done, __: told.append(done))
    assert counts == {"shop_source": 300, "shop_target": 300} and told[-1] == 600
    role, asked = asking(DATA, ASKED, question)
    for node, vector, ids in zip(ASKED, asked, expected(question), strict=True):
        points = client.query_points(f"shop_{role}", query=vector.tolist(), limit=9).points
        assert without(node, [point.payload["id"] for point in points]) == ids
        assert {point.payload["model"] for point in points} == {fingerprint(DATA)[:12]}


def test_qdrant_collections_are_not_written_over_by_accident():
    client = pytest.importorskip("qdrant_client").QdrantClient(":memory:")
    push_qdrant(DATA, client, "shop")
    with pytest.raises(ConfigError, match=r"'shop_source' exists.*replace=True"):
        push_qdrant(DATA, client, "shop")
    few = random_embeddings(10, 3, 1)
    assert push_qdrant(few, client, "shop", replace=True) == {"shop_source": 10, "shop_target": 10}
    for wrong in ("Shop", "1shop", "a-b", 'x"; drop', "", "a" * 60):
        with pytest.raises(ConfigError, match="the name"):
            push_qdrant(few, client, wrong)


def test_missing_clients_name_their_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "qdrant_client.models", None)
    with pytest.raises(ConfigError, match=r"thence\[qdrant\]"):
        push_qdrant(DATA, None, "shop")
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(ConfigError, match=r"thence\[pgvector\]"):
        push_pgvector(DATA, None, "shop")


@pytest.fixture
def connection():
    """A connection to the PostgreSQL that THENCE_TEST_POSTGRES names (a psycopg conninfo), with pgvector."""
    where = os.environ.get("THENCE_TEST_POSTGRES")
    if not where:
        pytest.skip("THENCE_TEST_POSTGRES names no server")
    with pytest.importorskip("psycopg").connect(where) as made:
        yield made


@pytest.mark.slow
def test_postgres_answers_in_both_directions(connection):
    counts = push_pgvector(DATA, connection, "thence_test", replace=True, index=False)
    assert counts == {"thence_test_source": 300, "thence_test_target": 300}
    for question in QUESTIONS:
        role, asked = asking(DATA, ASKED, question)
        for node, vector, ids in zip(ASKED, asked, expected(question), strict=True):
            rows = connection.execute(
                f"SELECT id, vector <#> %s FROM thence_test_{role} ORDER BY 2, node LIMIT 9", (vector,)
            ).fetchall()
            assert without(node, [row[0] for row in rows]) == ids
    with pytest.raises(ConfigError, match=r"'thence_test_source' exists"):
        push_pgvector(DATA, connection, "thence_test")
    assert (
        connection.execute("SELECT count(*) FROM thence_test_target").fetchone()[0] == 300
    )  # nothing was lost
    wider = random_embeddings(50, 9, 1)
    assert push_pgvector(wider, connection, "thence_test", replace=True)["thence_test_target"] == 50
    kinds = connection.execute(
        "SELECT indexdef FROM pg_indexes WHERE tablename = 'thence_test_target'"
    ).fetchall()
    assert any("hnsw" in kind[0] and "vector_ip_ops" in kind[0] for kind in kinds)
    for role in ("source", "target"):
        connection.execute(f"DROP TABLE thence_test_{role}")


def test_no_bias_no_dimension_more():
    plain = Embeddings(DATA.ids, DATA.source, DATA.target)
    assert asking(plain, [0], "next")[1].shape == (1, 7)
