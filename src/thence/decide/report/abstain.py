"""Risk against coverage: what is gained by holding the cases that the model is least sure of.

Of the share c of cases with the least uncertainty a rule's decisions are kept, the rest are held. The risk is
the share of wrong acts among the acts (1 - precision), or of wrong decisions among all that are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from thence.decide.levels import last_of_ties
from thence.decide.rule import Rule
from thence.decide.sample import Sample

COVERAGES = np.linspace(0.05, 1.0, 39)


@dataclass(frozen=True, eq=False)
class Abstention:
    """One entry a coverage; cases of equal uncertainty are kept or held together.

    Args:
        coverage: ``[k]`` share of cases that are kept.
        wrong_acts: ``[k]`` wrong acts among the acts kept; NaN where none is.
        wrong: ``[k]`` wrong decisions among all kept.
        recall: ``[k]`` positives that are acted on, of all positives.
    """

    coverage: np.ndarray
    wrong_acts: np.ndarray
    wrong: np.ndarray
    recall: np.ndarray

    @property
    def area(self) -> float:
        """The mean of ``wrong`` over coverage (AURC): lower is better, its last entry is that of no order."""
        return float(np.trapezoid(self.wrong, self.coverage) / np.ptp(self.coverage)) if self._wide else np.nan

    @property
    def _wide(self) -> bool:
        return len(self.coverage) > 1

    def data(self) -> dict[str, Any]:
        """Everything as lists; None where nothing is acted on."""
        acts = [None if np.isnan(one) else one for one in self.wrong_acts.tolist()]
        return {
            "coverage": self.coverage.tolist(),
            "wrong_acts": acts,
            "wrong": self.wrong.tolist(),
            "recall": self.recall.tolist(),
        }


def abstention(sample: Sample, rule: Rule) -> Abstention:
    """The curve of a rule when the most uncertain are held.

    Args:
        sample: cases with at least one positive.
        rule: decides on those that are kept.

    References:
        El-Yaniv and Wiener, "On the foundations of noise-free selective classification", JMLR 2010; Geifman,
        Uziel and El-Yaniv, "Bias-reduced uncertainty estimation for deep neural classifiers", ICLR 2019 (AURC).

    Example:
        >>> from thence.decide.rule import Thresholds
        >>> sample = Sample.make([1, 1, 1, 0], [1, 2, 3, 3], [1, 1, 0, 0])
        >>> curve = abstention(sample, Thresholds(np.empty(0), np.array([1.0])))
        >>> curve.coverage.tolist(), curve.wrong_acts.round(2).tolist(), curve.recall.tolist()
        ([0.25, 0.5, 1.0], [0.0, 0.0, 0.33], [0.5, 1.0, 1.0])
    """
    order = np.argsort(sample.uncertainty, kind="stable")
    unsure, label = sample.uncertainty[order], sample.label[order]
    act = rule.act(sample.score[order], unsure)
    ends = last_of_ties(unsure) + 1
    near = np.searchsorted(ends, np.ceil(COVERAGES * len(sample) - 1e-9))
    kept = np.unique(ends[np.minimum(near, len(ends) - 1)])
    acts, hits, wrong = np.cumsum(act), np.cumsum(act & label), np.cumsum(act != label)
    at = kept - 1
    wrong_acts = np.divide(acts[at] - hits[at], acts[at], out=np.full(len(at), np.nan), where=acts[at] > 0)
    return Abstention(kept / len(sample), wrong_acts, wrong[at] / kept, hits[at] / max(sample.positives, 1))
