"""The second stage of a run: trees over what the log tells, taught on the validation period.

A part of the validation period's sources teaches, the others judge. Only where the trees order these better
than the embeddings do are they kept; then all sources teach. Where that cannot be (XGBoost is absent, the shop
is large, nothing came after), the run goes on with the embeddings alone and says why.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from thence.base.artifact import MANIFEST
from thence.base.errors import ThenceError
from thence.base.progress import Progress
from thence.cli.settings import RerankSection, RunConfig
from thence.encode.scorer import Scorer
from thence.evaluate import Cases, arcs_of, hit_rate
from thence.rerank.learn import RerankConfig
from thence.rerank.model import Trees
from thence.rerank.timely import LESSON, Known, TimelyReranker, lesson_examples

FOLDER = "reranker"
OFF = "rerank.enabled is false"


@dataclass(frozen=True, eq=False)
class Second:
    """The second stage, or why there is none.

    Args:
        reranker: None where there is none.
        told: what a report should say: ``note``, and the figures of both on the sources that judged. JSON-able.
    """

    reranker: TimelyReranker | None
    told: Mapping[str, Any]

    @property
    def note(self) -> str:
        """One sentence for the reader."""
        return str(self.told.get("note", "the model was trained without one"))


def teach(known: Known, cases: Cases, embeddings: Scorer, config: RunConfig, progress: Progress) -> Second:
    """Teach a second stage on what came after a clock, and judge it beside the embeddings on other sources.

    Args:
        known: what was known before the validation period.
        cases: the validation period.
        embeddings: fitted to the same graph.
        config: of the run.
        progress: of the stage.

    Returns:
        The trees over ``known``, taught on all cases, where they are better; what was found in any case.
    """
    section = config.rerank
    reason = refused(known, section)
    if reason is not None:
        return Second(None, {"note": reason})
    settings, seed = settings_of(section), config.train.seed
    judged = half_of(cases, section.judges, seed)
    try:
        taught = lesson_examples(known.then(arcs_of(minus(cases, judged))), settings, seed)
        progress("second stage", 1, 3)
        trial = TimelyReranker(known, Trees.fit([taught], settings, seed), settings).of(judged.sources)
        k = config.evaluate.k
        mine, theirs = hit_rate(trial, judged, k), hit_rate(embeddings, judged, k)
        progress("second stage", 2, 3)
        told = {"re-ranked": mine, "embeddings": theirs, "metric": f"HR@{k}", "sources": len(judged.sources)}
        if not mine > theirs:
            note = f"not better on the validation period ({mine:.4f} and {theirs:.4f}): embeddings alone"
            return Second(None, told | {"note": note})
        rest = lesson_examples(known.then(arcs_of(judged)), settings, seed + 1)
        trees = Trees.fit([taught, rest], settings, seed)
    except ThenceError as error:
        return Second(None, {"note": alone(error)})
    progress("second stage", 3, 3)
    note = f"re-ranked: {mine:.4f} on the validation period, the embeddings {theirs:.4f}"
    return Second(TimelyReranker(known, trees, settings, told), told | {"note": note})


def keep(second: Second, folder: Path) -> None:
    """Write the trees into a run; those of an earlier training go where there are none now."""
    if second.reranker is not None:
        second.reranker.save(folder / FOLDER)
    elif (folder / FOLDER / MANIFEST).is_file():
        shutil.rmtree(folder / FOLDER)


def carry_over(start: Path, folder: Path) -> None:
    """Take the trees of an earlier run into one that goes on from it; they are not taught anew.

    Args:
        start: the earlier run.
        folder: the run; it may be the same.
    """
    if start.resolve() == folder.resolve():
        return
    if (folder / FOLDER / MANIFEST).is_file():
        shutil.rmtree(folder / FOLDER)
    if (start / FOLDER / MANIFEST).is_file():
        shutil.copytree(start / FOLDER, folder / FOLDER)


def stand(folder: Path, known: Known, told: Mapping[str, Any], section: RerankSection) -> Second:
    """The trees that training kept, over what is known now; none where they are absent or do not fit.

    Args:
        folder: the run.
        known: what is known now.
        told: what training said of its second stage.
        section: settings.
    """
    reason = refused(known, section)
    if reason is not None:
        return Second(None, {"note": reason})
    if not (folder / FOLDER / MANIFEST).is_file():
        return Second(None, told)
    try:
        reranker = TimelyReranker.load(folder / FOLDER, known)
        reranker.check()
    except ThenceError as error:
        return Second(None, {**told, "note": alone(error)})
    return Second(reranker, told)


def refused(known: Known, section: RerankSection) -> str | None:
    """Why the settings want no second stage here; None where they do."""
    if not section.enabled:
        return OFF
    size = known.graph.num_nodes
    if size > section.max_items:
        return f"{size:,} products are more than rerank.max_items = {section.max_items:,}: embeddings alone"
    return None


def alone(error: ThenceError) -> str:
    """What a reader is told of a second stage that cannot be."""
    fix = f" {error.fix}" if error.fix else ""
    return f"embeddings alone: {error.what}.{fix}"


def settings_of(section: RerankSection) -> RerankConfig:
    """A run's settings as the re-ranker's."""
    return replace(LESSON, candidates=section.candidates, trees=section.trees)


def half_of(cases: Cases, limit: int, seed: int) -> Cases:
    """The cases of at most ``limit`` sources, and of at most half of them: those that judge.

    Example:
        >>> half_of(Cases.make([0, 1, 2, 3], [1, 2, 0, 0], num_nodes=4), 100, 0)
        Cases(2 cases, 2 sources, 2 groups, 4 nodes)
    """
    from thence.cli.pipeline import some_sources

    return some_sources(cases, max(1, min(limit, len(cases.sources) // 2)), seed=seed)


def minus(cases: Cases, judged: Cases) -> Cases:
    """The cases of all other sources.

    Example:
        >>> cases = Cases.make([0, 0, 1, 2], [1, 2, 0, 0], num_nodes=3)
        >>> minus(cases, cases.select([0])).source.tolist()
        [1, 2]
    """
    return cases.select(~np.isin(cases.source, judged.sources))
