"""The house's indexes, measured on queries that they never saw, and what libraries need for the same recall."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from common import say
from parts.index_raw import Raw, raw_hnsw, raw_ivf_pq, raw_ivf_rabitq, raw_scann, sweep, us_at, wide
from thence.base.rng import generator
from thence.encode.embeddings import Embeddings
from thence.index import AnnIndex, ExactIndex, IndexOptions, build_index, measured
from thence.index.engine.ivf import default_lists
from thence.index.filters import Filter
from thence.index.recall import exact_scores, recalls
from thence.index.space import has_bias, space_of

K, QUERIES, RECALL = 20, 500, 0.95
NEXT = IndexOptions(questions=("next",))
Figures = dict[str, float]


class Judge:
    """Query nodes apart from those of any build, and the exact answers to them."""

    def __init__(self, data: Embeddings, seed: int = 1) -> None:
        self.nodes = np.sort(
            generator(seed, "bench", "index", "judge").choice(len(data.ids), QUERIES, replace=False)
        )
        self.space = space_of(data, "next")
        self.bar = Filter.of(self.nodes, len(data.ids), alive=None, allowed=None, exclude=None)
        self.exact = exact_scores(self.space, self.nodes, K, self.bar)

    def of_scores(self, scores: np.ndarray) -> float:
        """Recall@20 of exact scores."""
        return float(recalls(scores, self.exact, K).mean())

    def of_rows(self, found: np.ndarray) -> float:
        """Recall@20 of nodes; a library knows nothing of the query's own node, so it may answer it."""
        scores = np.einsum("qd,qkd->qk", self.space.asking[self.nodes], self.space.rows[np.maximum(found, 0)])
        if self.space.bias is not None:
            scores += self.space.bias[np.maximum(found, 0)]
        scores[(found < 0) | (found == self.nodes[:, None])] = -np.inf
        return float(recalls(-np.sort(-scores, axis=1), self.exact, K).mean())


def kinds(name: str, data: Embeddings, graphs: bool) -> Figures:
    """Every kind beside its library, and the automatic choice beside the best of them."""
    judge, found = Judge(data), {}
    rows = wide(data.target, data.bias if has_bias(data) else None)
    extra = rows.shape[1] - data.dim
    queries = np.hstack([data.source[judge.nodes], np.ones((QUERIES, extra), np.float32)]) if extra else None
    asked = np.ascontiguousarray(data.source[judge.nodes]) if queries is None else queries
    lists = default_lists(len(rows))
    libraries: dict[str, Callable[[], Raw]] = {
        "ivf_pq": lambda: raw_ivf_pq(rows, lists),
        "ivf_rabitq": lambda: raw_ivf_rabitq(rows, lists),
        "scann": lambda: raw_scann(rows, lists),
        "hnsw": lambda: raw_hnsw(rows),
    }
    exact = timed(lambda: ExactIndex(data).search(judge.nodes, K))
    found[f"{name}.exact.us"] = exact
    frontiers, raws = {}, {}
    for kind in libraries if graphs else list(libraries)[:3]:
        raw = libraries[kind]()
        frontiers[kind] = sweep(raw, asked, judge.of_rows, most=1.5 * exact)
        raws[kind] = raw._replace(search=lambda *_: np.zeros(0))
        best = max(frontiers[kind], key=lambda point: point.recall)
        found |= {
            f"{name}.raw_{kind}.build_seconds": raw.seconds,
            f"{name}.raw_{kind}.best_recall@20": best.recall,
        }
        found[f"{name}.raw_{kind}.bytes_per_node"] = raw.bytes / len(rows)
        del raw
        say(f"  {name}.raw_{kind}: {raws[kind].seconds:.1f} s, up to {best.recall:.3f} at {best.us:.0f} us")
    found |= beside(name, "auto", data, judge, raws, frontiers)
    for kind in raws:
        if f"{name}.auto.is_{kind}" not in found:
            found |= beside(name, kind, data, judge, raws, frontiers)
    return found


def beside(
    name: str,
    kind: str,
    data: Embeddings,
    judge: Judge,
    raws: Mapping[str, Raw],
    frontiers: Mapping[str, list],
) -> Figures:
    """One kind of ours, and the libraries at its recall."""
    begun = time.process_time()
    index = build_index(data, kind, RECALL, floor=None, allow_exact=kind == "auto", options=NEXT)
    whole = time.process_time() - begun
    us, recall = (
        timed(lambda: index.search(judge.nodes, K)),
        judge.of_scores(index.search(judge.nodes, K).scores),
    )
    built = index.report.structure_seconds
    size = file_bytes(index) / len(data.ids) + 4 * data.dim
    found = {"recall@20": recall, "us": us, "build_seconds": built, "build_and_measure_seconds": whole}
    found |= {"bytes_per_node": size, "reported_recall@20": index.report.recall["next"]}
    at = {other: us_at(points, recall) for other, points in frontiers.items()}
    same = {"auto": "ivf_pq", **{one: one for one in raws}}[kind]
    fast = min((one for one in at if one != "scann"), key=lambda one: at[one])
    fast = fast if kind == "auto" else same
    told = raws[fast if np.isfinite(at[fast]) else same]
    if np.isfinite(at[fast]):
        found["qps_over_raw_faiss" if fast != "scann" else "qps_over_raw_scann"] = at[fast] / us
    if kind == "auto" and np.isfinite(at["scann"]):
        found["qps_over_raw_scann"] = at["scann"] / us
    mark = "scann" if same == "scann" else "faiss"
    found[f"build_over_raw_{mark}"] = built / told.seconds
    found[f"build_and_measure_over_raw_{mark}"] = whole / told.seconds
    found[f"bytes_over_raw_{mark}"] = size / (told.bytes / len(data.ids))
    if kind == "auto":
        found[f"is_{index.report.kind}"] = 1.0
    say(f"  {name}.{kind} ({index.report.kind}): recall {recall:.3f}, {us:.0f} us, {built:.1f} s; raw {at}")
    return {f"{name}.{kind}.{metric}": value for metric, value in found.items()}


def timed(search: Callable[[], object], times: int = 3) -> float:
    """CPU microseconds a query, the best of a few runs."""
    search()
    spent = []
    for _ in range(times):
        begun = time.process_time()
        search()
        spent.append(time.process_time() - begun)
    return min(spent) / QUERIES * 1e6


def file_bytes(index: AnnIndex | ExactIndex) -> int:
    """Bytes of an index on disk, the vectors left out."""
    with tempfile.TemporaryDirectory() as folder:
        index.save(f"{folder}/index")
        return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


def isotropic(name: str, data: Embeddings) -> Figures:
    """What IVF-PQ finds where nothing has structure, and what the automatic choice answers with."""
    judge, found = Judge(data), {}
    forced = build_index(data, "ivf_pq", RECALL, floor=None, options=NEXT)
    assert isinstance(forced, AnnIndex)
    chosen = build_index(data, "auto", RECALL, allow_exact=True, options=NEXT)
    for kind, index in (("ivf_pq", forced), ("auto", chosen)):
        found[f"{name}.{kind}.recall@20"] = judge.of_scores(index.search(judge.nodes, K).scores)
        found[f"{name}.{kind}.us"] = timed(lambda index=index: index.search(judge.nodes, K), 1)
    found[f"{name}.auto.is_exact"] = float(isinstance(chosen, ExactIndex))
    say(f"  {name}: {chosen.report.reason}")
    cheap = replace(forced, efforts={"next": replace(forced.efforts["next"], reach=64, pool=400)})
    found[f"{name}.ivf_pq_64_probes.recall@20"] = judge.of_scores(cheap.search(judge.nodes, K).scores)
    return found


def filtered(name: str, data: Embeddings) -> Figures:
    """Recall and time under filters: at random, by direction of the vectors, and lists of owned products."""
    index = build_index(data, "auto", RECALL, options=NEXT)
    nodes, found = Judge(data).nodes, {}
    rng = generator(2, "bench", "index", "filters")
    along = data.target @ rng.standard_normal(data.dim).astype(np.float32)
    masks = {f"filtered_{share}pct": rng.random(len(data.ids)) < share / 100 for share in (1, 10, 50)}
    masks["category_1pct"] = along >= np.quantile(along, 0.99)
    masks["category_30pct"] = along >= np.quantile(along, 0.7)
    space = space_of(data, "next")
    for mark, allowed in masks.items():
        exact = exact_scores(
            space, nodes, K, Filter.of(nodes, len(along), alive=None, allowed=allowed, exclude=None)
        )
        answers = index.search(nodes, K, allowed=allowed)
        found[f"{name}.{mark}.recall@20"] = float(recalls(answers.scores, exact, K).mean())
        found[f"{name}.{mark}.fewest"] = float(answers.counts.min())
        found[f"{name}.{mark}.us"] = timed(lambda allowed=allowed: index.search(nodes, K, allowed=allowed), 1)
    owned = list(index.search(nodes, 50).nodes)
    bar = Filter.of(nodes, len(along), alive=None, allowed=None, exclude=owned)
    answers = index.search(nodes, K, exclude=owned)
    found[f"{name}.owned_50.recall@20"] = float(
        recalls(answers.scores, exact_scores(space, nodes, K, bar), K).mean()
    )
    found[f"{name}.owned_50.us"] = timed(lambda: index.search(nodes, K, exclude=owned), 1)
    say(f"  {name}: {found}")
    return found


def changed(name: str, data: Embeddings) -> Figures:
    """A tenth of the nodes: a third of it new, a third with new vectors, a third deleted."""
    from parts.index_data import clustered

    found: Figures = {}
    third = len(data.ids) // 30
    rng = generator(3, "bench", "index", "churn")
    picked = rng.permutation(len(data.ids))
    names = [f"new{at}" for at in range(third)] + data.ids.decode(picked[:third])
    rows = {role: clustered(2 * third, data.dim, 0, f"later {role}") for role in ("source", "target")}
    from thence.base.ids import IdMap

    changes = Embeddings(IdMap(names), **rows)
    for kind in ("ivf_pq", "ivf_rabitq"):
        index = build_index(data, kind, RECALL, floor=None, options=NEXT)
        assert isinstance(index, AnnIndex)
        begun = time.process_time()
        later = index.upsert(changes).delete(data.ids.decode(picked[third : 2 * third]))
        spent = time.process_time() - begun
        found[f"{name}.{kind}.recall@20_after_churn"] = measured(later).report.recall["next"]
        found[f"{name}.{kind}.churn_seconds"] = spent
        found[f"{name}.{kind}.rebuild_over_churn"] = index.report.seconds / spent
        say(f"  {name}.{kind}: {index.report.recall} -> {measured(later).report.recall}, {spent:.1f} s")
    return found
