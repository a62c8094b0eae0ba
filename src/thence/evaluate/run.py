"""evaluate: several scorers, one set of cases, one report."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from thence.base.errors import ConfigError, DataError, nearest
from thence.base.progress import Progress, silent
from thence.encode.scorer import Scorer
from thence.evaluate.beyond import beyond_accuracy
from thence.evaluate.bootstrap import bootstrap, interval, relative_difference
from thence.evaluate.cases import Cases
from thence.evaluate.direction import DirectionCases, judge_direction
from thence.evaluate.ranking import Ranking, rank_cases
from thence.evaluate.report import ALL, Figure, Gap, Report
from thence.evaluate.slices import Slice, degree_buckets, slices
from thence.evaluate.tallies import Tally, case_tallies, query_tallies

BUCKET = "degree "
Key = tuple[str, str, str]  # method, metric, slice


@dataclass(frozen=True)
class EvaluateConfig:
    """Settings of an evaluation.

    Args:
        ks: list lengths of HR, MRR, Recall and NDCG.
        k: the list length of the headline, of slices, coverage and popularity bias; one of ``ks``.
        resamples: bootstrap replicates.
        confidence: of the intervals.
        buckets: how many degree buckets the plot has.

    Example:
        >>> EvaluateConfig(ks=(10,)).headline
        'HR@10'
    """

    ks: tuple[int, ...] = (5, 10, 20)
    k: int = 10
    resamples: int = 1000
    confidence: float = 0.95
    buckets: int = 6

    def __post_init__(self) -> None:
        if not self.ks or min(self.ks) < 1 or self.k not in self.ks:
            raise ConfigError(f"k = {self.k} is not one of ks = {self.ks}", fix="Give lengths of at least 1.")
        if self.resamples < 2 or not 0 < self.confidence < 1 or self.buckets < 1:
            raise ConfigError(f"settings out of range: {self}", fix="See the documentation of EvaluateConfig.")

    @property
    def headline(self) -> str:
        """Name of the metric by which methods are sorted."""
        return f"HR@{self.k}"


def evaluate(
    scorers: Mapping[str, Scorer],
    cases: Cases,
    *,
    direction: DirectionCases | None = None,
    baselines: Collection[str] = (),
    config: EvaluateConfig | None = None,
    info: Mapping[str, Any] | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Report:
    """Judge several scorers on the same cases.

    Args:
        scorers: by name; all over the same nodes.
        cases: what to judge rankings on.
        direction: arcs to judge existence and direction on; left out when not given.
        baselines: names of the scorers that are plain; the report compares every method with the best of them.
        config: settings.
        info: facts for the reader, JSON-able: ``title``, ``data set``, ``test from`` and the like.
        seed: of the bootstrap.
        progress: told the number of methods judged.

    Raises:
        DataError: no scorers or no cases, scorers over different nodes, an unknown baseline, NaN scores.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.encode.embeddings import Embeddings
        >>> target = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        >>> forward = Embeddings(IdMap("abc"), np.array([[1.0, 0], [0, 1], [0, 0]]), target)
        >>> constant = Embeddings(IdMap("abc"), np.zeros((3, 1)), np.zeros((3, 1)))
        >>> cases = Cases.make([0, 1], [1, 2], num_nodes=3)
        >>> config = EvaluateConfig(ks=(1,), k=1, resamples=20)
        >>> scorers = {"ours": forward, "constant": constant}
        >>> evaluate(scorers, cases, baselines=["constant"], config=config).flat()
        {'ours.HR@1': 1.0, ..., 'constant.HR@1': 0.5, ...}
    """
    settings = config or EvaluateConfig()
    _check(scorers, cases, direction, baselines)
    parts, buckets = slices(cases), degree_buckets(cases, settings.buckets)
    tallies: dict[Key, Tally] = {}
    paired: dict[Key, Tally] = {}
    plain: list[Figure] = []
    for done, (name, scorer) in enumerate(scorers.items()):
        progress("judging", done, len(scorers))
        ranking = rank_cases(scorer, cases, max(settings.ks), progress=progress)
        tallies.update(_tallies(name, cases, ranking, settings, [*parts, *_named(buckets)]))
        plain.extend(_beyond(name, cases, ranking, settings.k))
        if direction is not None:
            found = judge_direction(scorer, direction, progress)
            paired[name, "direction_auc_paired", ALL] = found.paired
            for metric in ("existence_auc", "direction_auc", "direction_auc_matched"):
                plain.append(Figure(name, metric, getattr(found, metric)))
            plain.append(Figure(name, "direction_gain", found.gain))
    progress("judging", len(scorers), len(scorers))
    replicates = _replicates(tallies, settings, seed) | _replicates(paired, settings, seed)
    figures = [_figure(key, tally, replicates, settings) for key, tally in (tallies | paired).items()]
    report = Report(
        tuple(figures + plain),
        baselines=tuple(name for name in scorers if name in baselines),
        info=_info(info, cases, direction, settings, parts, buckets) | {"seed": seed},
    )
    return Report(report.figures, _gaps(report, replicates, settings), report.baselines, report.info)


def _check(
    scorers: Mapping[str, Scorer], cases: Cases, direction: DirectionCases | None, baselines: Collection[str]
) -> None:
    if not scorers:
        raise DataError("no scorers to evaluate")
    if not len(cases):
        raise DataError("no cases to judge on", fix="Give a longer test period or a larger test share.")
    first = next(iter(scorers.values()))
    for name, scorer in scorers.items():
        if scorer.ids is not first.ids and scorer.ids != first.ids:
            raise DataError(f"scorer {name!r} is over other nodes than {next(iter(scorers))!r}")
    for name in baselines:
        if name not in scorers:
            raise DataError(f"baseline {name!r} is not among the scorers", fix=nearest(name, scorers))
    if direction is not None and len(direction.popularity) != cases.num_nodes:
        raise DataError(f"direction cases are over {len(direction.popularity)} nodes, cases {cases.num_nodes}")


def _named(buckets: Sequence[Slice]) -> list[Slice]:
    return [Slice(BUCKET + part.name, part.what, part.keep) for part in buckets]


def _tallies(
    name: str, cases: Cases, ranking: Ranking, config: EvaluateConfig, parts: list[Slice]
) -> dict[Key, Tally]:
    whole = case_tallies(cases, ranking, config.ks) | query_tallies(cases, ranking, config.ks)
    tallies = {(name, metric, ALL): tally for metric, tally in whole.items()}
    for part in parts:
        for metric, tally in case_tallies(cases, ranking, [config.k], part.keep).items():
            tallies[name, metric, part.name] = tally
    return tallies


def _beyond(name: str, cases: Cases, ranking: Ranking, k: int) -> list[Figure]:
    found = beyond_accuracy(ranking.top, cases.popularity, k)
    values = {"coverage": found.coverage, "popularity_bias": found.popularity, "gini": found.gini}
    return [Figure(name, metric, value) for metric, value in values.items()]


def _replicates(tallies: Mapping[Key, Tally], config: EvaluateConfig, seed: int) -> dict[Key, np.ndarray]:
    named = bootstrap({"\t".join(key): tally for key, tally in tallies.items()}, config.resamples, seed=seed)
    return dict(zip(tallies, named.values(), strict=True))


def _figure(key: Key, tally: Tally, replicates: Mapping[Key, np.ndarray], config: EvaluateConfig) -> Figure:
    method, metric, part = key
    found = interval(tally.value, replicates[key], config.confidence)
    return Figure(method, metric, found.value, found.low, found.high, part)


def _gaps(report: Report, replicates: Mapping[Key, np.ndarray], config: EvaluateConfig) -> tuple[Gap, ...]:
    """Every method against the best plain baseline (the best of all, where none is named), figure by figure.

    The best one itself is compared with the next best.
    """
    gaps = []
    for metric, part in dict.fromkeys((metric, part) for _, metric, part in replicates):
        for method in report.methods:
            pool = list(report.baselines) or report.methods
            rival = report.best(metric, part, [name for name in pool if name != method])
            mine = report.best(metric, part, [method])
            if rival is None or mine is None:
                continue
            found = relative_difference(
                mine.value,
                rival.value,
                replicates[method, metric, part],
                replicates[rival.method, metric, part],
                config.confidence,
            )
            gaps.append(Gap(method, rival.method, metric, found.value, found.low, found.high, part))
    return tuple(gaps)


def _info(
    given: Mapping[str, Any] | None,
    cases: Cases,
    direction: DirectionCases | None,
    config: EvaluateConfig,
    parts: list[Slice],
    buckets: Sequence[Slice],
) -> dict[str, Any]:
    counts = {"cases": len(cases), "queries": len(cases.sources), "groups": cases.num_groups}
    counts |= {"nodes": cases.num_nodes}
    if direction is not None:
        counts |= {"direction arcs": direction.arcs.shape[1], "one-way arcs": direction.one_way.shape[1]}
    return {
        **(given or {}),
        "headline": config.headline,
        "counts": counts,
        "protocol": dict(cases.info),
        "slices": {part.name: {"what": part.what, "cases": int(part.keep.sum())} for part in parts},
        "buckets": [
            {
                "name": part.name,
                "cases": int(part.keep.sum()),
                "queries": len(np.unique(cases.source[part.keep])),
            }
            for part in buckets
        ],
        "settings": asdict(config) | {"ks": list(config.ks)},
    }
