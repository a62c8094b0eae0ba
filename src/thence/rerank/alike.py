"""What products of like titles say: which are alike by words, and what follows those that are alike.

With x_i the words of the title of i, weighted by TF-IDF and scaled to length one, and N(i) the k products most
like i,

    alike(i → j) = x_i · x_j ,        lent(i → j) = Σ_{l in N(i)} (x_i · x_l) w_lj .

A case names the phone that it fits, and two phones of one series share their accessories: of a product that has
hardly been sold its words are all that is known.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import ArrayLike

from thence.base.ids import IdMap
from thence.encode.features import item_features
from thence.graph import Arcs

BLOCK = 1 << 24


class Alike:
    """Likeness of titles. It is a :class:`~thence.encode.Scorer`, and symmetric.

    Args:
        ids: external ids of the nodes.
        nodes: a catalogue in node order, with a column ``title``.

    Example:
        >>> nodes = pa.table({"title": ["Karan Fenuvex phone", "case for Karan Fenuvex", "garden hose"]})
        >>> row = Alike(IdMap("abc"), nodes).scores([0])[0]
        >>> bool(row[1] > row[2])  # the case names the phone
        True
    """

    def __init__(self, ids: IdMap, nodes: pa.Table) -> None:
        self.ids = ids
        self._words = sp.csr_matrix(item_features(nodes.select(["title"])), dtype=np.float32)
        self._last: tuple[bytes, np.ndarray] = (b"", np.empty((0, len(ids)), np.float32))

    @cached_property
    def _turned(self) -> Any:
        return sp.csr_matrix(self._words.T)

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Scores ``[len(sources), num_nodes]``; the last answer is kept, as two ask for the same."""
        own = np.ascontiguousarray(sources, np.int64)
        if self._last[0] != own.tobytes() or not len(own):
            self._last = own.tobytes(), np.asarray((self._words[own] @ self._turned).toarray(), np.float32)
        return self._last[1].copy()

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Scores ``[len(targets), num_nodes]``, the same as those of sources."""
        return self.scores(targets)


class Lent:
    """What follows the products of most like titles. It is a :class:`~thence.encode.Scorer`.

    Args:
        alike: likeness of titles.
        arcs: what has followed what.
        k: how many products lend.

    Example:
        >>> nodes = pa.table({"title": ["Karan Fenuvex 1 phone", "Karan Fenuvex 2 phone", "case", "hose"]})
        >>> known = Arcs.from_pairs([0], [2], num_nodes=4)  # a case has followed the first phone
        >>> Lent(Alike(IdMap("abcd"), nodes), known, k=1).scores([1])[0].argmax()
        np.int64(2)
    """

    def __init__(self, alike: Alike, arcs: Arcs, k: int = 10) -> None:
        self.ids, self._alike, self._k = alike.ids, alike, k
        self._arcs: Any = arcs.matrix()

    def scores(self, sources: ArrayLike) -> np.ndarray:
        """Scores ``[len(sources), num_nodes]`` of the arcs from each source to every node."""
        return np.asarray((self._lenders(np.asarray(sources, np.int64)) @ self._arcs).toarray(), np.float32)

    def scores_into(self, targets: ArrayLike) -> np.ndarray:
        """Scores ``[len(targets), num_nodes]`` of the arcs from every node to each target."""
        asked = self._arcs[:, np.asarray(targets, np.int64)]
        return np.asarray((self._every @ asked).toarray().T, np.float32)

    def _lenders(self, own: np.ndarray) -> Any:
        """``[len(own), num_nodes]`` sparse: likeness to the k most like, the product itself left out."""
        rows = self._alike.scores(own)
        rows[np.arange(len(own)), own] = 0
        k = min(self._k, rows.shape[1])
        top = np.argpartition(-rows, k - 1, axis=1)[:, :k]
        values = np.take_along_axis(rows, top, axis=1).ravel()
        place = np.repeat(np.arange(len(own)), k), top.ravel()
        return sp.csr_matrix((values, place), shape=rows.shape)

    @cached_property
    def _every(self) -> Any:
        num = len(self.ids)
        size = max(1, BLOCK // max(num, 1))
        return sp.vstack([self._lenders(np.arange(at, min(at + size, num))) for at in range(0, num, size)])
