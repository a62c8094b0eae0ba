"""Report: figures of several methods on the same cases, as a table, as JSON, as a page and as an artifact."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError, DataError, nearest

if TYPE_CHECKING:
    from rich.table import Table

KIND = "report"
ALL = "all"
BEST_BASELINE = "best_baseline"


@dataclass(frozen=True)
class Figure:
    """One number.

    Args:
        method: name of the scorer.
        metric: such as ``HR@10`` or ``direction_auc``.
        value: the figure on all the data of the slice.
        low: lower end of its interval; NaN when it has none.
        high: upper end.
        slice: part of the cases, ``all`` for the whole.
    """

    method: str
    metric: str
    value: float
    low: float = math.nan
    high: float = math.nan
    slice: str = ALL


@dataclass(frozen=True)
class Gap:
    """How much larger one method's figure is than a rival's, relative to the rival's, with its interval.

    Args:
        method: name of the one.
        rival: name of the other.
        metric: the figure compared.
        value: method / rival − 1.
        low: lower end of the paired interval.
        high: upper end.
        slice: part of the cases.
    """

    method: str
    rival: str
    metric: str
    value: float
    low: float
    high: float
    slice: str = ALL

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """Figures of several methods on the same cases; :func:`thence.evaluate.run.evaluate` makes one.

    Args:
        figures: every figure of every method.
        gaps: paired comparisons between methods.
        baselines: which methods are plain.
        info: data set, dates, counts, settings: what a reader needs to judge the figures. JSON-able.

    Example:
        >>> report = Report((Figure("lift", "HR@10", 0.02), Figure("ours", "HR@10", 0.03)), baselines=("lift",))
        >>> report
        Report(2 methods, 2 figures, best HR@10 ours 0.0300)
        >>> report.flat()
        {'lift.HR@10': 0.02, 'ours.HR@10': 0.03, 'best_baseline.HR@10': 0.02}
    """

    figures: tuple[Figure, ...]
    gaps: tuple[Gap, ...] = ()
    baselines: tuple[str, ...] = ()
    info: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """One line with the counts."""
        best = self.best(self.headline)
        who = f", best {self.headline} {best.method} {best.value:.4f}" if best else ""
        return f"Report({len(self.methods)} methods, {len(self.figures)} figures{who})"

    @property
    def headline(self) -> str:
        """The metric by which methods are sorted."""
        return str(self.info.get("headline", "HR@10"))

    @property
    def methods(self) -> list[str]:
        """Names of the methods, the best by the headline metric first."""
        names = list(dict.fromkeys(figure.method for figure in self.figures))
        values = {name: self._value(name, self.headline) for name in names}
        return sorted(names, key=lambda name: math.inf if math.isnan(values[name]) else -values[name])

    @property
    def learned(self) -> list[str]:
        """Names of the methods that are not plain baselines, best first."""
        return [name for name in self.methods if name not in self.baselines]

    def metrics(self, slice: str = ALL) -> list[str]:  # noqa: A002
        """Names of the metrics that a slice has, in the order they were measured."""
        return list(dict.fromkeys(figure.metric for figure in self.figures if figure.slice == slice))

    def figure(self, method: str, metric: str, slice: str = ALL) -> Figure:  # noqa: A002
        """One figure.

        Raises:
            DataError: the report has no such figure.
        """
        found = self._index().get((method, metric, slice))
        if found is None:
            keys = [f"{m}.{name}.{part}" for m, name, part in self._index()]
            raise DataError(
                f"no figure {metric!r} of {method!r} on {slice!r}",
                fix=nearest(f"{method}.{metric}.{slice}", keys),
            )
        return found

    def best(
        self,
        metric: str,
        slice: str = ALL,  # noqa: A002
        among: list[str] | None = None,
    ) -> Figure | None:
        """The largest figure of a metric, of all methods or of some; None when there is none."""
        names = self._names() if among is None else among
        found = [self._index().get((name, metric, slice)) for name in names]
        known = [figure for figure in found if figure is not None and not math.isnan(figure.value)]
        return max(known, key=lambda figure: figure.value, default=None)

    def gap(self, method: str, metric: str, slice: str = ALL) -> Gap | None:  # noqa: A002
        """The comparison of a method with the best plain baseline, where there is one."""
        found = (g for g in self.gaps if (g.method, g.metric, g.slice) == (method, metric, slice))
        return next(found, None)

    def flat(self) -> dict[str, float]:
        """Figures by dotted names: ``METHOD.METRIC``, or ``METHOD.METRIC.SLICE`` where it is not the whole.

        ``best_baseline`` stands for the best of the plain baselines, figure by figure.
        """
        flat = {}
        for figure in self.figures:
            end = "" if figure.slice == ALL else f".{figure.slice}"
            flat[f"{figure.method}.{figure.metric}{end}"] = figure.value
        for metric, part in dict.fromkeys((figure.metric, figure.slice) for figure in self.figures):
            best = self.best(metric, part, list(self.baselines))
            if best is not None and metric not in ("coverage", "popularity_bias", "gini"):
                flat[f"{BEST_BASELINE}.{metric}" + ("" if part == ALL else f".{part}")] = best.value
        return flat

    def table(self) -> Table:
        """The headline figures as a rich table, best method first, the best of each column in bold."""
        from thence.evaluate.words import table

        return table(self)

    def text(self, width: int = 120) -> str:
        """The table and the sentence above it as plain text."""
        import io

        from rich.console import Console

        from thence.evaluate.words import losses, verdict

        console = Console(file=io.StringIO(), width=width, no_color=True)
        console.print(self.table())
        console.print(verdict(self), losses(self), soft_wrap=True, highlight=False)
        out = console.file
        assert isinstance(out, io.StringIO)
        return out.getvalue()

    def to_json(self) -> str:
        """Everything as JSON; a figure that is not a number is null."""
        content = {
            "info": dict(self.info),
            "baselines": list(self.baselines),
            "figures": [asdict(figure) for figure in self.figures],
            "gaps": [asdict(gap) for gap in self.gaps],
        }
        return json.dumps(_nulls(content), indent=1, allow_nan=False)

    def save_html(self, path: str | Path) -> Path:
        """Write one self-contained page: no script, no font, no picture from elsewhere."""
        from thence.evaluate.page import page

        path = Path(path)
        path.write_text(page(self), encoding="utf-8")
        return path

    def save(self, folder: str | Path) -> None:
        """Write the report as an artifact of kind ``report``, its page ``report.html`` inside."""
        with write_artifact(folder, KIND) as draft:
            draft.table("figures", _table(self.figures, Figure))
            draft.table("gaps", _table(self.gaps, Gap))
            draft.counts.update(methods=len(self.methods), figures=len(self.figures))
            draft.metrics.update({name: value for name, value in self.flat().items() if math.isfinite(value)})
            draft.table("info", pa.table({"json": [json.dumps(_nulls(dict(self.info)), allow_nan=False)]}))
            draft.config.update(baselines=list(self.baselines))
            self.save_html(draft.path("report.html"))

    @classmethod
    def load(cls, folder: str | Path) -> Report:
        """Open a saved report.

        Raises:
            ArtifactError: it is absent, torn, tampered with, or not a report.
        """
        art = open_artifact(folder, KIND)
        try:
            figures = tuple(Figure(**row) for row in art.table("figures").to_pylist())
            gaps = tuple(Gap(**row) for row in art.table("gaps").to_pylist())
            info = json.loads(art.table("info")["json"][0].as_py())
            return cls(figures, gaps, tuple(art.config["baselines"]), info)
        except (TypeError, KeyError, IndexError, ValueError) as error:
            raise ArtifactError(f"inconsistent report: {error}", where=folder) from error

    def _names(self) -> list[str]:
        return list(dict.fromkeys(figure.method for figure in self.figures))

    def _value(self, method: str, metric: str) -> float:
        found = self._index().get((method, metric, ALL))
        return found.value if found else math.nan

    def _index(self) -> dict[tuple[str, str, str], Figure]:
        if "_by_key" not in self.__dict__:
            found = {(figure.method, figure.metric, figure.slice): figure for figure in self.figures}
            object.__setattr__(self, "_by_key", found)
        return self.__dict__["_by_key"]


def _table(rows: tuple[Any, ...], kind: type[Figure] | type[Gap]) -> pa.Table:
    schema = pa.schema(
        (name, pa.float64() if name in ("value", "low", "high") else pa.string())
        for name in kind.__dataclass_fields__
    )
    return pa.Table.from_pylist([asdict(row) for row in rows], schema=schema)


def _nulls(value: Any) -> Any:
    """The same content with None for floats that JSON lacks."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _nulls(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_nulls(item) for item in value]
    return value
