"""An index on disk: the same answers after opening, and nothing but typed errors from what is torn."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("faiss")

from tests.index.ann_worlds import NODES, built, clustered, world

from thence.base.artifact import MANIFEST
from thence.base.errors import ArtifactError
from thence.encode.embeddings import Embeddings
from thence.index import ExactIndex, load_index
from thence.index.engine.ivf import read_ivf
from thence.index.fingerprint import fingerprint
from thence.index.keep import KIND

ASKED = np.arange(0, NODES, 61)


@pytest.mark.parametrize("kind", ["ivf_pq", "ivf_rabitq", "hnsw"])
def test_opened_it_answers_the_same(tmp_path, kind):
    index = built(kind)
    index.save(tmp_path / "index")
    again = load_index(tmp_path / "index", world())
    for question in index.efforts:
        one, two = (made.search(ASKED, 10, question) for made in (index, again))
        assert (one.nodes == two.nodes).all() and (one.scores == two.scores).all()
    assert again.report.as_dict() == index.report.as_dict()
    manifest = json.loads((tmp_path / "index" / MANIFEST).read_text())
    assert manifest["kind"] == KIND and manifest["metrics"]["recall@20.next"] == index.report.recall["next"]


def test_an_exact_index_keeps_why_it_is_exact(tmp_path):
    ExactIndex(world()).save(tmp_path / "index")
    assert load_index(tmp_path / "index", world()).report.recall["before"] == 1.0


def test_an_index_of_other_embeddings_is_refused(tmp_path):
    built("ivf_pq").save(tmp_path / "index")
    data = world()
    other = data.target.copy()
    other[17, 3] += 1e-3
    for wrong in (clustered(seed=1), clustered(200), Embeddings(data.ids, data.source, other, data.bias)):
        with pytest.raises(ArtifactError, match=r"other embeddings.*build it again"):
            load_index(tmp_path / "index", wrong)


def test_every_byte_counts_for_the_fingerprint():
    data = clustered(50)
    same = Embeddings(data.ids, data.source.copy(), data.target.copy(), data.bias, info={"told": 1})
    assert fingerprint(same) == fingerprint(data)
    for name in ("source", "target", "bias"):
        values = {part: getattr(data, part).copy() for part in ("source", "target", "bias")}
        values[name].flat[7] += 1
        assert fingerprint(Embeddings(data.ids, **values)) != fingerprint(data)
    swapped = Embeddings(data.ids, data.target, data.source, data.bias)
    assert fingerprint(swapped) != fingerprint(data)


def test_torn_files_never_reach_a_parser(tmp_path):
    built("ivf_pq").save(tmp_path / "index")
    files = [path for path in (tmp_path / "index").rglob("*") if path.is_file()]
    assert {path.name for path in files} == {MANIFEST, "lists.faiss", "node_of.npy"}
    for path in files:
        whole = path.read_bytes()
        for torn in (
            whole[: len(whole) // 2],
            whole[:-2],
            b"",
            whole[:40] + bytes([whole[40] ^ 1]) + whole[41:],
        ):
            path.write_bytes(torn)
            with pytest.raises(ArtifactError):
                load_index(tmp_path / "index", world())
        path.write_bytes(whole)
    load_index(tmp_path / "index", world())
    files[-1].unlink()
    with pytest.raises(ArtifactError):
        load_index(tmp_path / "index", world())


def test_a_structure_that_no_manifest_covers_is_still_a_typed_error(tmp_path):
    (tmp_path / "lists.faiss").write_bytes(b"IwPQ and then nothing of sense")
    with pytest.raises(ArtifactError, match="cannot be read"):
        read_ivf("ivf_pq", tmp_path)


def test_sizes_that_disagree_are_refused(tmp_path):
    from dataclasses import replace

    index = built("ivf_pq")
    short = replace(index.sides["source"], node_of=np.zeros(7, np.int32))
    replace(index, sides={**index.sides, "source": short}).save(tmp_path / "index")
    with pytest.raises(ArtifactError, match="7 nodes for 3000 rows"):
        load_index(tmp_path / "index", world())


def test_nothing_else_is_written_over(tmp_path):
    Path(tmp_path / "letter").write_text("dear")
    with pytest.raises(ArtifactError, match="stands there"):
        built("ivf_pq").save(tmp_path)
