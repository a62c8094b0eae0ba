"""What every index is: answers to four questions about nodes, or about vectors that have no node."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from thence.base.ids import IdMap
from thence.index.neighbors import Neighbors, Question
from thence.index.report import IndexReport


class Index(Protocol):
    """Finds the k nodes with the greatest inner product, by one of four questions.

    ========================  ====================  ===========================  =================
    question                  the query's vector    the answers' vectors         reads as
    ========================  ====================  ===========================  =================
    ``next``                  source[i]             target[j], plus bias[j]      what follows i
    ``before``                target[i]             source[j], plus bias[i]      what leads to i
    ``similar_source``        source[i]             source[j]                    leads to the same
    ``similar_target``        target[i]             target[j]                    follows the same
    ========================  ====================  ===========================  =================

    The query is never among its own answers. Filters never leave fewer than k answers while k exist.
    """

    @property
    def ids(self) -> IdMap:
        """External ids of the nodes."""
        ...

    @property
    def report(self) -> IndexReport:
        """How it was built and what recall was measured."""
        ...

    def search(
        self,
        nodes: ArrayLike,
        k: int,
        direction: Question = "next",
        *,
        allowed: np.ndarray | None = None,
        exclude: Sequence[ArrayLike] | None = None,
    ) -> Neighbors:
        """The k best answers for each of ``nodes``.

        Args:
            nodes: ``[num_queries]`` node ids.
            k: answers a query, 1 … num_nodes.
            direction: the question.
            allowed: ``[num_nodes]`` bool; only these nodes are answers. All when not given.
            exclude: for each query the node ids that must not be answered (what the customer owns, say).

        Raises:
            ConfigError: k or the question is out of range.
            DataError: a node is out of range, or a filter has the wrong shape.
        """
        ...

    def search_vectors(
        self,
        vectors: ArrayLike,
        k: int,
        direction: Question = "next",
        *,
        allowed: np.ndarray | None = None,
        exclude: Sequence[ArrayLike] | None = None,
    ) -> Neighbors:
        """The k best answers for queries that have no node: a session's mean, a product that is new.

        Args:
            vectors: ``[num_queries, dim]`` (or ``[dim]``), in the role of the query's vector in that table.
            k: as in :meth:`search`.
            direction: as in :meth:`search`; for ``"before"`` the query's own bias counts as 0.
            allowed: as in :meth:`search`.
            exclude: as in :meth:`search`.

        Raises:
            ConfigError: k or the question is out of range.
            DataError: the dimension is wrong, a value is not finite, or a filter has the wrong shape.
        """
        ...

    def save(self, folder: str | Path) -> None:
        """Write it as an artifact, without the vectors; :func:`thence.index.load_index` opens it.

        Raises:
            ArtifactError: something else stands there, or it cannot be written.
        """
        ...
