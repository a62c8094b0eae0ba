"""The ranker: boosted trees over the parts (XGBoost), and their exact contributions.

A pair's score is its log odds of being an arc, Σ_trees leaf(parts). Its exact Shapley values over the parts
(Lundberg et al., "From local explanations to global understanding with explainable AI for trees", Nature
Machine Intelligence 2020, TreeSHAP) add up to it, with a constant beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from thence.base.errors import ArtifactError, FitError
from thence.base.rng import derive_seed
from thence.rerank.learn import Examples, RerankConfig


@dataclass(frozen=True, eq=False, repr=False)
class Trees:
    """A fitted ranker.

    Args:
        booster: XGBoost's.
        names: of the columns that it reads.
        offset: added to its margin, the logarithm of the share of negatives that it was shown.
    """

    booster: Any
    names: tuple[str, ...]
    offset: float = 0.0

    def __repr__(self) -> str:
        """One line with the counts."""
        return f"Trees({self.booster.num_boosted_rounds()} trees, {len(self.names)} columns)"

    @classmethod
    def fit(cls, lessons: list[Examples], config: RerankConfig, seed: int = 0) -> Trees:
        """Fit to the examples of all lessons.

        Raises:
            FitError: XGBoost is not installed, or the lessons' columns differ.
        """
        names = lessons[0].names
        if any(lesson.names != names for lesson in lessons):
            raise FitError("the lessons have different parts", fix="Give graphs of the same relations.")
        xgb = _xgboost()
        table = np.concatenate([lesson.table for lesson in lessons])
        label = np.concatenate([lesson.label for lesson in lessons])
        weight = np.concatenate([lesson.weight for lesson in lessons])
        data = xgb.QuantileDMatrix(table, label.astype(np.float32), weight=weight, max_bin=128)
        settings = {
            "objective": "binary:logistic",
            "tree_method": "hist",
            "max_bin": 128,
            "grow_policy": "lossguide",
            "max_depth": 0,
            "max_leaves": config.leaves,
            "eta": config.rate,
            "colsample_bytree": 0.4,
            "min_child_weight": float(np.clip(label.sum() / 2000, 0.1, 5.0)),
            "seed": derive_seed(seed, "trees") % 2**31,
        }
        booster = xgb.train(settings, data, config.trees)
        return cls(booster, names, float(np.log(config.negatives)))

    def margins(self, table: np.ndarray) -> np.ndarray:
        """``[num]`` float32 log odds of pairs with these parts ``[num, columns]``."""
        if not len(table):
            return np.empty(0, np.float32)
        return self.booster.inplace_predict(table, predict_type="margin") + np.float32(self.offset)

    def contributions(self, table: np.ndarray, *, quick: bool = False) -> np.ndarray:
        """``[num, columns + 1]`` float32: what each part adds to the log odds, and the constant last.

        Args:
            table: parts of some pairs.
            quick: follow each pair's own path down the trees, where every split gives the change of the mean to
                the part that it asks (Saabas, "Interpreting random forests", 2014), instead of exact Shapley
                values. It adds up to the same log odds, in a hundredth of the time.
        """
        if not len(table):
            return np.empty((0, len(self.names) + 1), np.float32)
        found = self.booster.predict(_xgboost().DMatrix(table), pred_contribs=True, approx_contribs=quick)
        found[:, -1] += np.float32(self.offset)
        return found

    def text(self) -> bytes:
        """The trees as UBJSON, XGBoost's own portable format."""
        return bytes(self.booster.save_raw("ubj"))

    @classmethod
    def read(cls, raw: bytes, names: tuple[str, ...], offset: float) -> Trees:
        """Trees that :meth:`text` gave.

        Raises:
            ArtifactError: they cannot be read.
        """
        xgb = _xgboost()
        booster = xgb.Booster()
        try:
            booster.load_model(bytearray(raw))
            if booster.num_features() != len(names):
                raise ArtifactError(f"trees over {booster.num_features()} columns, {len(names)} are named")
        except xgb.core.XGBoostError as error:
            raise ArtifactError(f"the trees cannot be read: {str(error).splitlines()[0]}") from error
        return cls(booster, names, offset)


def _xgboost() -> Any:
    try:
        import xgboost
    except ImportError as error:
        raise FitError("re-ranking needs XGBoost", fix="Install thence[rerank].") from error
    return xgboost
