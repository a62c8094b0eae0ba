"""Quantized embeddings as a whole: what is kept of direction and lists, artifacts, errors, and what fails."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.compress.quantize.vectors import clustered
from tests.contract import scorers
from tests.encode.graphs import small_graphs

from thence.base.artifact import _manifest_digest, open_artifact
from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.base.ids import IdMap
from thence.compress.quantize import KINDS, QuantizedEmbeddings, quantize, recall
from thence.compress.quantize.space import Space
from thence.encode import Embeddings
from thence.encode.spectral import spectral
from thence.index import top_k

LEAST = {
    "float16": 0.995,
    "bfloat16": 0.97,
    "int8": 0.98,
    "int8_dim": 0.97,
    "int4": 0.88,
    "int2": 0.65,
    "pq16": 0.65,
    "rabitq": 0.35,
}
GIVEN = clustered()


@pytest.fixture(scope="module")
def kept() -> dict[str, QuantizedEmbeddings]:
    return {kind: quantize(GIVEN, kind, queries=128) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_the_contract_of_scorers_is_kept(kind: str) -> None:
    if kind == "pq16":
        pytest.skip("small graphs have fewer nodes than prototypes")
    for name in ("phone and case", "isolated nodes"):
        scorers.keeps_the_contract(lambda graph: quantize(modest(spectral(graph)), kind), small_graphs()[name])


def modest(given: Embeddings) -> Embeddings:
    """Vectors of lengths that float16 can hold: those of a graph of seven nodes reach beyond it."""
    source, target = (side / max(1.0, float(np.abs(side).max())) for side in (given.source, given.target))
    return Embeddings(given.ids, source, target, given.bias)


@pytest.mark.parametrize("kind", KINDS)
def test_lists_stay_and_are_counted_as_an_exact_search_counts(kind: str, kept) -> None:
    small, nodes = kept[kind], np.arange(len(GIVEN.ids))
    shares = []
    for direction in ("next", "before"):
        truth, ours = (top_k(scorer, nodes, 20, direction).nodes for scorer in (GIVEN, small))
        shares += [len(set(a) & set(b)) / 20 for a, b in zip(truth.tolist(), ours.tolist(), strict=True)]
    assert np.mean(shares) >= LEAST[kind]
    assert recall(small, GIVEN, queries=600) == pytest.approx(np.mean(shares), abs=1e-3)
    assert small.metrics["recall@20"] == pytest.approx(np.mean(shares), abs=0.04)


def test_the_space_is_what_saves_few_bits(kept) -> None:
    """The same codes without means taken away, roles balanced and dimensions mixed lose far more."""
    for kind in ("int8", "int4", "int2", "rabitq"):
        made = KINDS[kind]
        bare = replace(
            kept[kind],
            source=made.fit(GIVEN.source, 0),
            target=made.fit(GIVEN.target, 0),
            bias=GIVEN.bias,
            own=None,
            space=None,
        )
        assert recall(bare, GIVEN) < kept[kind].metrics["recall@20"] - (0.001 if kind == "int8" else 0.05)


def test_the_space_leaves_scores_as_they_were() -> None:
    space = Space.fit(GIVEN.source, GIVEN.target, seed=1)
    source, target = space.into(GIVEN.source, "source"), space.into(GIVEN.target, "target")
    own, common = space.own(GIVEN.source, GIVEN.target)
    assert own.any() and common.any()
    exact = GIVEN.source.astype(np.float64) @ GIVEN.target.T
    np.testing.assert_allclose(
        source @ target.T + own[:, None] + common, exact, atol=2e-5 * np.abs(exact).max()
    )
    np.testing.assert_allclose(space.back(source, "source"), GIVEN.source - space.source_mean, atol=1e-3)
    np.testing.assert_allclose((source**2).mean(0).sum(), (target**2).mean(0).sum(), rtol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_are_what_is_written(kind: str, kept, tmp_path: Path) -> None:
    small = kept[kind]
    small.save(tmp_path / "small")
    loose = sum(file.stat().st_size for file in (tmp_path / "small").glob("*.safetensors"))
    assert small.bytes <= loose <= small.bytes + 3000  # the headings of four files
    again = QuantizedEmbeddings.load(tmp_path / "small")
    assert again.metrics == small.metrics and again.kind == kind and again.ids == small.ids
    np.testing.assert_array_equal(again.scores([1, 2]), small.scores([1, 2]))
    np.testing.assert_array_equal(again.scores_into([1]), small.scores_into([1]))
    assert open_artifact(tmp_path / "small", "quantized").metrics["recall@20"] == small.metrics["recall@20"]


def test_bytes_by_hand() -> None:
    given = clustered(600, 32, bias=True)
    rest = 2 * 600 * 4 + 32 * 4 * 3 + 4 * 32  # bias and own; gain and two means; signs
    assert quantize(given, "int8", queries=0).bytes == 2 * 600 * (32 + 4) + rest
    assert quantize(given, "int2", queries=0).bytes == 2 * 600 * (8 + 4) + rest
    assert quantize(given, "rabitq", queries=0).bytes == 2 * 600 * (4 + 8) + rest
    small = quantize(given, "pq16", queries=0)
    assert small.bytes == 2 * (600 * (8 + 4) + 8 * 256 * 4 * 2) + rest
    assert small.metrics["bytes_ratio"] == pytest.approx((2 * 600 * 32 + 600) * 4 / small.bytes)


def test_validation_is_kept_with_its_share() -> None:
    def validate(scorer) -> float:
        return 0.5 if scorer is GIVEN else 0.49

    metrics = quantize(GIVEN, "int8", validate=validate).metrics
    assert metrics["HitRate@10"] == 0.49 and metrics["HitRate@10_exact"] == 0.5
    assert metrics["HitRate@10_share"] == pytest.approx(0.98)


@pytest.mark.parametrize("kind", ["int4", "rabitq", "pq16"])
def test_the_same_seed_gives_the_same_codes(kind: str) -> None:
    one, two, other = (quantize(GIVEN, kind, queries=0, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.scores([0]), two.scores([0]))
    assert (one.scores([0]) != other.scores([0])).any()


def test_codes_of_the_wrong_side_are_found_out(kept) -> None:
    """A mutant that answers with source codes where target codes belong loses the lists and the direction."""
    for kind in KINDS:
        mutant = replace(kept[kind], target=kept[kind].source)
        assert recall(mutant, GIVEN, queries=64) < 0.6 * LEAST[kind]
        own = kept[kind].scores([0])[0] - kept[kind].scores_into([0])[0]
        turned = replace(kept[kind], source=kept[kind].target, bias=None, own=None)
        none = turned.scores([0])[0] - turned.scores_into([0])[0]
        assert np.abs(own).max() > 0.1 and np.abs(none).max() < 1e-3 * np.abs(own).max()


def test_wrong_arguments_and_vectors_are_told() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'int8'"):
        quantize(GIVEN, "int9")
    with pytest.raises(DataError, match="nothing to quantize"):
        quantize(Embeddings(IdMap([]), np.zeros((0, 4)), np.zeros((0, 4))), "int8")
    with pytest.raises(DataError, match="not finite"):
        Embeddings(IdMap("ab"), np.full((2, 3), np.nan), np.zeros((2, 3)))
    small = quantize(GIVEN, "int8", queries=0)
    with pytest.raises(DataError, match="source vectors for"):
        replace(small, source=KINDS["int8"].fit(GIVEN.source[:5], 0))
    with pytest.raises(DataError, match="32 numbers, target vectors 8"):
        replace(small, target=KINDS["int8"].fit(GIVEN.target[:, :8], 0))
    with pytest.raises(DataError, match="bias"):
        replace(small, bias=np.full(600, np.inf, np.float32))
    with pytest.raises(DataError, match="space"):
        replace(small, space=Space.fit(GIVEN.source[:, :8], GIVEN.target[:, :8], 0))
    with pytest.raises(DataError, match="exact vectors"):
        small.rescored(clustered(dim=16))
    with pytest.raises(ConfigError, match="pool is 0"):
        small.rescored(GIVEN, pool=0)


@pytest.mark.parametrize("nodes", [[-1], [len(GIVEN.ids)], [0.5], [True], ["a"]])
def test_what_is_no_node_is_refused(nodes: list, kept) -> None:
    small = kept["int8"]
    for scorer in (small, small.rescored(GIVEN, 5)):
        for ask in (scorer.scores, scorer.scores_into):
            with pytest.raises(DataError, match="whole numbers"):
                ask(nodes)
    with pytest.raises(ConfigError, match="queries"):
        quantize(GIVEN, "int8", queries=-1)


def test_torn_and_foreign_artifacts_are_refused(tmp_path: Path, kept) -> None:
    folder = tmp_path / "small"
    for name in ("source.safetensors", "manifest.json"):
        kept["rabitq"].save(folder)
        path = folder / name
        path.write_bytes(path.read_bytes()[:-7])
        with pytest.raises(ArtifactError):
            QuantizedEmbeddings.load(folder)
    GIVEN.save(tmp_path / "whole")
    with pytest.raises(ArtifactError, match="quantized"):
        QuantizedEmbeddings.load(tmp_path / "whole")
    with pytest.raises(ArtifactError, match="no artifact"):
        QuantizedEmbeddings.load(tmp_path / "absent")


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("int8", {"config": {"kind": "int4", "info": {}}}),
        ("int8", {"config": {"kind": "int9", "info": {}}}),
        ("int8", {"config": {}}),
        ("int8", {"counts": {"nodes": 599, "dim": 32}}),
        ("int8", {"counts": {"nodes": 600, "dim": 31}}),
        ("int8", {"counts": {"nodes": 600, "dim": 48}}),
        ("int2", {"config": {"kind": "rabitq", "info": {}}}),
        ("rabitq", {"counts": {"nodes": 600, "dim": 64}}),
        ("pq16", {"counts": {"nodes": 600, "dim": 64}}),
    ],
)
def test_a_manifest_that_says_something_else_is_refused(kind: str, change: dict, kept, tmp_path: Path) -> None:
    kept[kind].save(tmp_path / "small")
    path = tmp_path / "small" / "manifest.json"
    manifest = json.loads(path.read_text()) | change
    path.write_text(json.dumps(manifest | {"digest": _manifest_digest(manifest)}))
    with pytest.raises(ArtifactError):
        QuantizedEmbeddings.load(tmp_path / "small")
