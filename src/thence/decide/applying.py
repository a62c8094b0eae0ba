"""A table with what is decided on each row: batch by batch, all or nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from thence.base.errors import ConfigError, DataError, nearest
from thence.decide.policy import ACTIONS, Policy
from thence.decide.table import Columns, Refused, numbers, read_table, usable

if TYPE_CHECKING:
    from thence.conversion.model import ConversionModel

ROWS = 262_144
Scored = tuple[np.ndarray, np.ndarray | None]
Score = Callable[[pa.Table], Scored]
"""From rows to their scores and uncertainties ``[n]``; NaN where there is none."""


@dataclass(frozen=True)
class Applied:
    """What was written.

    Args:
        actions: by action, how many rows.
        refused: rows on which nothing is decided, counted.
    """

    actions: dict[str, int]
    refused: Refused


def decide_table(
    policy: Policy,
    table: str | Path,
    into: str | Path,
    *,
    columns: Columns | None = None,
    model: ConversionModel | None = None,
) -> Applied:
    """Append to each row of a table what is decided on it, and why.

    The columns are ``action`` (act, ask, hold), ``rate``, ``low``, ``high``, ``margin``, ``needed`` (null where
    no score is enough) and ``why``; with a model also ``score`` and ``uncertainty``. On a row without a finite
    score and uncertainty nothing is decided: they are null there.

    Args:
        policy: decides.
        table: Parquet or CSV.
        into: Parquet or CSV to write; a file that stands there is replaced.
        columns: which hold score and uncertainty; not for a model.
        model: scores the rows by their own columns; the policy must hold how sure it is.

    Raises:
        DataError: the table cannot be read, lacks a column, or has one of those that are written; or the
            result cannot be written.
        ConfigError: the name of the file to write ends otherwise than in ``.parquet`` or ``.csv``.
    """
    source, target = read_table(table), Path(into)
    if target.suffix.lower() not in (".parquet", ".csv"):
        raise ConfigError(
            "the file's name does not say what to write", where=target, fix="End it in .parquet or .csv."
        )
    asked = columns or Columns()
    score = _given(asked, policy, source, table) if model is None else _modelled(model, policy, table)
    added = ["action", "rate", "low", "high", "margin", "needed", "why"]
    added = ["score", "uncertainty", *added] if model is not None else added
    if taken := [name for name in added if name in source.column_names]:
        raise DataError(f"there is a column {taken[0]!r} already", where=table, fix="Rename it.")
    actions: dict[str, int] = dict.fromkeys(ACTIONS, 0)
    reasons: dict[str, int] = {}

    def parts() -> Iterator[pa.Table]:
        for batch in _batches(source):
            part, done, why = _decided(policy, batch, score(batch), scored=model is not None)
            for name, count in why.items():
                reasons[name] = reasons.get(name, 0) + count
            for name, count in zip(ACTIONS, done, strict=True):
                actions[name] += int(count)
            yield part

    _write(parts(), target)
    return Applied(actions, Refused(len(source), reasons))


def _batches(source: pa.Table) -> Iterator[pa.Table]:
    for start in range(0, max(len(source), 1), ROWS):
        yield source.slice(start, ROWS)


def _given(columns: Columns, policy: Policy, source: pa.Table, where: str | Path) -> Score:
    """Scores that stand in the table."""
    names = [columns.score] + ([columns.uncertainty] if columns.uncertainty and policy.asks_uncertainty else [])
    for name in names:
        if name not in source.column_names:
            raise DataError(f"there is no column {name!r}", where=where, fix=nearest(name, source.column_names))
    if policy.asks_uncertainty and len(names) < 2:
        raise DataError("no column of uncertainties, and the policy was fitted with one", where=where)

    def score(batch: pa.Table) -> Scored:
        found = [numbers(batch[name], name, where) for name in names]
        return found[0], found[1] if len(found) > 1 else None

    return score


def _modelled(model: ConversionModel, policy: Policy, where: str | Path) -> Score:
    """Scores of a model, by the columns that it was fitted on."""

    def score(batch: pa.Table) -> Scored:
        missing = [name for name in model.schema.names if name not in batch.column_names]
        if missing:
            raise DataError(f"columns {missing} are missing", where=where)
        features = model.schema.features({name: batch[name] for name in model.schema.names})
        sure = policy.sure
        unsure = np.zeros(len(batch)) if sure is None else sure.uncertainty(features, model)
        return model.predict_proba(features)[:, 1], unsure

    return score


def _decided(
    policy: Policy, batch: pa.Table, found: Scored, *, scored: bool
) -> tuple[pa.Table, np.ndarray, dict[str, int]]:
    """The rows with what is decided on them, how often each action is, and why on some rows nothing is."""
    score, unsure = found
    values = {"score": score} if unsure is None else {"score": score, "uncertainty": unsure}
    keep, reasons = usable(values, len(batch))
    made = policy.decide(score[keep], None if unsure is None else unsure[keep])
    spread = np.full((5, len(batch)), np.nan)
    spread[:, keep] = made.rate, made.low, made.high, made.margin, made.needed
    words = np.full((2, len(batch)), None, object)
    words[:, keep] = made.named(), [policy.why(made, place) for place in range(len(made))]
    columns: dict[str, Any] = {}
    if scored:
        columns |= {"score": pa.array(score), "uncertainty": pa.array(unsure)}
    columns |= {"action": pa.array(words[0], pa.string())}
    for name, column in zip(("rate", "low", "high", "margin", "needed"), spread, strict=True):
        unknown = ~np.isfinite(column) if name == "needed" else np.isnan(column)
        columns[name] = pa.array(column, mask=unknown)
    columns["why"] = pa.array(words[1], pa.string())
    for name, column in columns.items():
        batch = batch.append_column(name, column)
    return batch, np.bincount(made.action, minlength=len(ACTIONS)), reasons


def _write(parts: Iterator[pa.Table], into: Path) -> None:
    """Parquet, or CSV where the name says so."""
    import pyarrow.csv as pcsv
    import pyarrow.parquet as pq

    beside = into.with_name(into.name + ".part")
    sink: Any = None
    try:
        for part in parts:
            if sink is None:
                make = pcsv.CSVWriter if into.suffix.lower() == ".csv" else pq.ParquetWriter
                sink = make(beside, part.schema)
            sink.write_table(part)
        if sink is not None:
            sink.close()
            beside.replace(into)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"cannot be written: {error}", where=into) from error
    finally:
        beside.unlink(missing_ok=True)
