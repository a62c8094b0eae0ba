"""The report of estimators on one data set: figures, a page, and an artifact that holds both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from thence.base.artifact import open_artifact, write_artifact
from thence.conversion.exposures import Exposures
from thence.evaluate.conversion.ages import HOUR
from thence.evaluate.conversion.judge import Judged
from thence.evaluate.conversion.standing import Standing

KIND = "conversion-report"
POINTS = 200


@dataclass(frozen=True, eq=False)
class ConversionReport:
    """What was measured, and facts to print above it.

    Args:
        standing: methods and seeds.
        info: ``title``; ``delays`` as :func:`delay_curve` returns it; other facts by name.
    """

    standing: Standing
    info: Mapping[str, Any] = field(default_factory=dict)

    def save_html(self, path: str | Path) -> Path:
        """Write one self-contained page: no script, no font, no picture from elsewhere."""
        from thence.evaluate.conversion.page import page

        path = Path(path)
        path.write_text(page(self), encoding="utf-8")
        return path

    def save(self, folder: str | Path) -> None:
        """Write the report as an artifact, its page ``report.html`` inside."""
        with write_artifact(folder, KIND) as draft:
            flat = self.standing.flat()
            draft.metrics.update(flat)
            draft.counts.update(methods=len(self.standing.methods), judged=int(flat["judged"]))
            runs = [[name, [one.to_dict() for one in judged]] for name, judged in self.standing.runs.items()]
            draft.config.update(info=[list(pair) for pair in self.info.items()], runs=runs)
            self.save_html(draft.path("report.html"))

    @classmethod
    def load(cls, folder: str | Path) -> ConversionReport:
        """Open a saved report.

        Raises:
            ArtifactError: it is absent, torn, or not such a report.
        """
        config = open_artifact(folder, KIND).config
        runs = {name: [Judged.from_dict(one) for one in judged] for name, judged in config["runs"]}
        return cls(Standing(runs), dict(config["info"]))


def delay_curve(exposures: Exposures) -> dict[str, list[float]]:
    """How late conversions come, of the exposures whose label is final.

    Returns:
        ``hours``, rising, and ``share`` of all conversions that had come by then.

    Example:
        >>> hour = 3_600_000_000
        >>> shown = Exposures.make([0, 0], [hour, 3 * hour], window=9 * hour, until=20 * hour)
        >>> delay_curve(shown)["share"][-1]
        1.0
    """
    chosen = exposures.mature & exposures.converted
    delay = np.sort(exposures.conversion_time[chosen] - exposures.time[chosen]) / HOUR
    if not len(delay):
        return {"hours": [], "share": []}
    hours = np.geomspace(1 / 60, max(exposures.window / HOUR, 1.0), POINTS)
    share = np.searchsorted(delay, hours, side="right") / len(delay)
    return {"hours": hours.tolist(), "share": share.tolist()}
