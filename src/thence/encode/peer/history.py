"""Histories of users into a directed graph of items, without learning: a directed projection.

Users and their items are a bipartite graph. Its projection joins two items through every user who had both;
its direction is the order in which they were had:

    C_ij = Σ_u a_u^-user_power · Σ decay^(gap - 1)     over the user's i before j, gap ≤ window,
    w_ij = C_ij / (n_i^source_power · n_j^target_power)

a_u is how many lines a user's history has, n_i how many lines are of item i, and gap how many moments lie
between: 1 for what came next. What came at one moment has no order and counts half each way. With user_power 1,
no decay and no window, w is the two-step walk item → user → item of the undirected projection, cut to the pairs
that stand in order: powers of 1 and 0 give the chances of that walk, ½ and ½ the symmetric form √(Q_ij Q_ji).

This is a *reconstruction*, of what the title, the abstract and a summary say, not of the paper's own formulas,
which were not at hand: Anghinoni, Zivic, Sanchez, "Revisiting graph projections for effective complementary
product recommendation", arXiv 2506.09209, 2025. Decay, window and powers are ours to choose on validation.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap
from thence.events import EventLog
from thence.graph import Arcs, DiGraph


@dataclass(frozen=True, eq=False, repr=False)
class Histories:
    """Lines of users, each user's together and in order.

    Args:
        user: ``[num_lines]`` int64, ascending.
        moment: ``[num_lines]`` int64: which of the user's moments it was, from 0; ascending inside a user.
        node: ``[num_lines]`` int64.
        ids: external ids of the items.

    Example:
        >>> Histories.from_sessions([["phone", "case"], ["tea"]])
        Histories(2 users, 3 lines, 3 items)
    """

    user: np.ndarray
    moment: np.ndarray
    node: np.ndarray
    ids: IdMap

    def __repr__(self) -> str:
        """One line with the counts."""
        users = len(np.unique(self.user))
        return f"Histories({users:,} users, {len(self.user):,} lines, {len(self.ids):,} items)"

    @classmethod
    def from_sessions(cls, sessions: Iterable[Sequence[str]], ids: IdMap | None = None) -> Histories:
        """From lists of items in order.

        Args:
            sessions: one list a user or session.
            ids: the items to look at, others are left out; all that occur when not given.
        """
        kept = [list(session) for session in sessions]
        items = [item for session in kept for item in session]
        size = np.array([len(session) for session in kept], np.int64)
        place = np.arange(len(items)) - np.repeat(np.cumsum(size) - size, size)
        return cls.from_arrays(np.repeat(np.arange(len(kept)), size), items, place, ids)

    @classmethod
    def from_arrays(
        cls,
        user: Sequence[Hashable] | np.ndarray,
        item: Sequence[str] | np.ndarray | pa.Array,
        time: Sequence[int] | np.ndarray,
        ids: IdMap | None = None,
    ) -> Histories:
        """From lines in any order.

        Args:
            user: ``[num_lines]`` whoever it was.
            item: ``[num_lines]`` external ids.
            time: ``[num_lines]`` int64, in any unit; equal times of a user are one moment.
            ids: the items to look at, others are left out; all that occur when not given.

        Raises:
            DataError: lengths differ.
        """
        if not len(user) == len(item) == len(time):
            raise DataError(f"{len(user)} users, {len(item)} items and {len(time)} times")
        arrow = isinstance(item, (pa.Array, pa.ChunkedArray))
        texts: Any = item if arrow else pa.array([str(one) for one in item])
        ids = ids if ids is not None else IdMap(sorted(set(texts.to_pylist())))
        node = ids.encode(texts, missing="mark").astype(np.int64)
        who = np.unique(np.asarray(user), return_inverse=True)[1].astype(np.int64)
        when = np.asarray(time, np.int64)
        order = np.lexsort((node, when, who))
        order = order[node[order] >= 0]
        who, when, node = who[order], when[order], node[order]
        new_user = np.diff(who, prepend=-1) != 0
        moments = np.cumsum(new_user | (np.diff(when, prepend=0) != 0)) - 1
        first = moments[new_user]
        return cls(
            who, moments - np.repeat(first, np.diff(np.append(np.flatnonzero(new_user), len(who)))), node, ids
        )

    @classmethod
    def from_log(cls, log: EventLog, event: str = "purchase", ids: IdMap | None = None) -> Histories:
        """From the events of one kind that a log's clock lets be seen.

        Args:
            log: the event log.
            event: the kind of event.
            ids: the items to look at, others are left out; all that occur when not given.
        """
        events: Any = log.events
        lines = events.filter(events.event == event).select("user_id", "item_id", "timestamp").to_pyarrow()
        user = lines["user_id"].combine_chunks().dictionary_encode().indices.to_numpy()
        return cls.from_arrays(user, lines["item_id"].combine_chunks(), lines["timestamp"].to_numpy(), ids)


@dataclass(frozen=True)
class ProjectionConfig:
    """Settings of the projection.

    Args:
        decay: what a pair counts less for each further moment between; 1 for nothing.
        window: the largest gap in moments that counts.
        user_power: how strongly long histories are damped.
        source_power: how strongly arcs from frequent items are damped.
        target_power: how strongly arcs to frequent items are damped.
    """

    decay: float = 0.7
    window: int = 10
    user_power: float = 0.5
    source_power: float = 0.5
    target_power: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.decay <= 1 or self.window < 1:
            raise ConfigError(f"out of range: {self}", fix="decay is above 0 and at most 1, window at least 1.")


def projected(
    histories: Histories, config: ProjectionConfig | None = None, *, relation: str = "projected"
) -> DiGraph:
    """The directed projection of histories as a graph whose weights are w and whose support counts the pairs.

    Args:
        histories: who had what, in which order.
        config: settings.
        relation: the name of the relation.

    Example:
        >>> histories = Histories.from_sessions([["phone", "case", "charger"], ["phone", "case"]])
        >>> plain = ProjectionConfig(decay=0.5, user_power=0, source_power=0, target_power=0)
        >>> graph = projected(histories, plain)
        >>> [(graph.ids.decode(pair), float(w)) for pair, w in zip(graph.main.pairs.T, graph.main.weight)]
        [(['case', 'charger'], 1.0), (['phone', 'case'], 2.0), (['phone', 'charger'], 0.5)]
    """
    config = config or ProjectionConfig()
    num, keys = len(histories.ids), []
    activity = np.bincount(histories.user)[histories.user] if len(histories.user) else np.empty(0)
    for lag in range(1, len(histories.user)):
        gap = histories.moment[lag:] - histories.moment[:-lag]
        seen = (histories.user[lag:] == histories.user[:-lag]) & (gap <= config.window)
        if not seen.any():
            break
        at = np.flatnonzero(seen & (histories.node[lag:] != histories.node[:-lag]))
        value = config.decay ** (np.maximum(gap[at], 1) - 1) / activity[at] ** config.user_power
        source, target, tied = histories.node[at], histories.node[at + lag], gap[at] == 0
        keys.append((source, target, np.where(tied, value / 2, value)))
        keys.append((target[tied], source[tied], value[tied] / 2))
    source, target, value = (
        np.concatenate([part[k] for part in keys]) if keys else np.empty(0, np.int64) for k in range(3)
    )
    shape = (num, num)
    total: Any = sp.csr_matrix((value.astype(np.float64), (source, target)), shape=shape)
    support: Any = sp.csr_matrix((np.ones(len(value), np.int32), (source, target)), shape=shape)
    rows = np.repeat(np.arange(num), np.diff(total.indptr))
    lines = np.bincount(histories.node, minlength=num).astype(np.float64)
    damped = total.data / (lines[rows] ** config.source_power * lines[total.indices] ** config.target_power)
    values = {"support": support.data}
    arcs = Arcs.from_pairs(rows, total.indices, num_nodes=num, weight=damped, values=values)
    return DiGraph(histories.ids, {relation: arcs})
