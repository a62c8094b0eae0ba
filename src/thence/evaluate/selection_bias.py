"""Selection bias: pairs that nobody could buy together because nobody was shown them.

Customers buy what they are shown, so that a missing arc may say nothing of the products. Two products that are
viewed beside each other stand for each other, and what is bought after the one would be bought after the
other::

    a → b bought,  b ~ c viewed   ⇒   a → c
    a ~ b viewed,  b → c bought   ⇒   a → c

The test arcs together with these *transitive* arcs are what a model free of the bias should find.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from thence.base.errors import DataError
from thence.base.rng import generator
from thence.graph.arcs import Arcs


def transitive_arcs(
    bought: Arcs, viewed: Arcs, exclude: tuple[Arcs, ...] = (), *, limit: int | None = None, seed: int = 0
) -> Arcs:
    """The arcs that follow from bought ones by one step through co-views, and are not known otherwise.

    Args:
        bought: arcs a → b; give the *test* arcs, so that none of these can be read off what a model has seen.
        viewed: the co-view relation; where it has a direction, either one counts.
        exclude: arcs that are left out, such as those that the model knows.
        limit: at most so many, drawn at random; all when None.
        seed: of that draw.

    Returns:
        arcs without any of ``bought``, of ``exclude``, and self-loops; the weight is how many ways lead to one.

    Raises:
        DataError: the relations are over different nodes.

    Example:
        >>> bought = Arcs.from_pairs([0], [1], num_nodes=4)  # phone → case
        >>> viewed = Arcs.from_pairs([1, 3], [2, 0], num_nodes=4)  # another case; another phone
        >>> transitive_arcs(bought, viewed).pairs.tolist()  # phone → other case, other phone → case
        [[0, 3], [2, 1]]

    References:
        Virinchi et al., ECML-PKDD 2022, section 4.4 (Lemma 2) and evaluation question 5.
    """
    for arcs in (viewed, *exclude):
        if arcs.num_nodes != bought.num_nodes:
            raise DataError(f"relations among {bought.num_nodes} and {arcs.num_nodes} nodes")
    beside, once = _ones(viewed), _ones(bought)
    beside = beside.maximum(beside.T)
    found = sp.coo_matrix(once @ beside + beside @ once)
    source, target, ways = found.row.astype(np.int64), found.col.astype(np.int64), found.data
    fresh = source != target
    for arcs in (bought, *exclude):
        fresh[fresh] &= ~arcs.contains(source[fresh], target[fresh])
    kept = np.flatnonzero(fresh)
    if limit is not None and len(kept) > limit:
        kept = generator(seed, "transitive").choice(kept, limit, replace=False)
    return Arcs.from_pairs(source[kept], target[kept], num_nodes=bought.num_nodes, weight=ways[kept])


def _ones(arcs: Arcs) -> sp.csr_matrix:
    shape = (arcs.num_nodes, arcs.num_nodes)
    return sp.csr_matrix((np.ones(arcs.num_arcs, np.float32), arcs.targets, arcs.indptr), shape=shape)
