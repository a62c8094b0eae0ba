"""Random features sent along the arcs: which parts of its surroundings a node shares with which others.

Every node draws a row z of random signs. Words over {out, in} say how the rows travel: X_w = P_w z, where the
word ``out in`` stands for P_out P_in. Two forms:

    statistics   for words v, w the mean over the samples of X_v ⊙ X_w, an estimate of
                 Σ_j (P_v)_ij (P_w)_ij : the chance that two walks from i, one by each word, meet.
                 It depends on the graph alone, not on the draw, as the number of samples grows.
    rows         the X_w themselves: random names of surroundings. ⟨X_v[i], X_w[j]⟩ / channels estimates
                 the chance that a walk from i and one from j meet.

Each hop costs one pass over the arcs. A node's signs hang on its key alone, so rows farther than the longest
word from every changed arc stay as they are: see :mod:`thence.graph.position.update`.

References:
    Kanatsoulis et al., "Learning efficient positional encodings with graph neural networks", ICLR 2025 (arXiv
    2502.01122), section 4: random samples through message passing, then statistics over the samples. Here the
    message passing is fixed and the statistics are second moments. Eliasof et al., "Graph positional encoding
    via random feature propagation", ICML 2023 (arXiv 2303.02918), for the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Literal

import numpy as np

from thence.base.errors import ConfigError
from thence.graph.arcs import Arcs
from thence.graph.position.found import Found
from thence.graph.position.kernel.moments import add_moments
from thence.graph.position.keys import node_keys, signs
from thence.graph.position.operators import walk
from thence.graph.walk.rows import whole

Form = Literal["statistics", "rows"]
Word = tuple[str, ...]
Hop = Callable[[np.ndarray], np.ndarray]
Travel = Callable[[int, int], dict[Word, np.ndarray]]
TURN = {"out": "in", "in": "out"}
AT_ONCE = 32
"""Channels that travel together when statistics are made."""


def propagate(
    arcs: Arcs,
    *,
    hops: int = 2,
    channels: int = 64,
    form: Form = "statistics",
    weight: str | None = None,
    seed: int = 0,
    keys: np.ndarray | None = None,
) -> Found:
    """Random features along all words of at most ``hops`` steps, as statistics or as rows.

    Args:
        arcs: the relation.
        hops: the longest word; there are 2^(hops + 1) - 2 words.
        channels: samples. The statistics' error falls as 1 / √channels, relative to √(X_vv · X_ww).
        form: ``statistics`` or ``rows``.
        weight: the value by which arcs count; all alike when not given.
        seed: of the signs.
        keys: ``[num_nodes]`` uint64, what a node's signs hang on; its int when not given.

    Returns:
        Statistics: ``propagate.out`` and ``propagate.in``, a column for each pair of words and its mirror
        image; ``propagate.both``, the pairs that are their own mirror image. Rows: ``propagate.own``
        ``[num_nodes, channels]``, and ``propagate.out`` and ``propagate.in``, ``channels`` columns for each
        word, by its first step. ``info["words"]`` names the columns.

    Raises:
        ConfigError: a setting is unknown or out of range.
        DataError: there is no such value, or it is negative or not finite for some arc.

    Example:
        >>> arcs = Arcs.from_pairs([0, 1], [1, 2], num_nodes=3)
        >>> found = propagate(arcs, hops=1, channels=8)
        >>> found.info["words"]["propagate.out"], found.blocks["propagate.out"][:, -1].tolist()
        (['own·out', 'out·out'], [1.0, 1.0, 0.0])
    """
    whole("hops", hops, 1)
    whole("channels", channels, 1)
    if form not in ("statistics", "rows"):
        raise ConfigError(f"no form {form!r}", fix="form is 'statistics' or 'rows'.")
    keys = node_keys(None, arcs.num_nodes) if keys is None else keys
    walks = {"out": walk(arcs, "out", weight), "in": walk(arcs, "into", weight)}

    def travel(first: int, count: int) -> dict[Word, np.ndarray]:
        return travelled(walks, signs(keys, count, seed, "propagate", first), hops)

    blocks, names = assembled(travel, channels, form)
    info = {"hops": hops, "channels": channels, "form": form, "weight": weight, "words": names}
    return Found(blocks, info)


def words(hops: int) -> list[Word]:
    """All words of 1 to ``hops`` steps, shorter ones first.

    Example:
        >>> words(1)
        [('out',), ('in',)]
    """
    return [word for length in range(1, hops + 1) for word in product(("out", "in"), repeat=length)]


def travelled(walks: Mapping[str, Hop], z: np.ndarray, hops: int) -> dict[Word, np.ndarray]:
    """X_w of every word, ``()`` included: the first step of a word is the last product."""
    rows: dict[Word, np.ndarray] = {(): z}
    for word in words(hops):
        rows[word] = walks[word[0]](rows[word[1:]])
    return rows


def assembled(travel: Travel, channels: int, form: Form) -> tuple[dict[str, np.ndarray], dict[str, list[str]]]:
    """The blocks of a form, and the names of their columns (of statistics) or words (of rows).

    Args:
        travel: the rows X_w of all words for the channels ``first … first + count - 1``.
        channels: how many there are.
        form: of the blocks. For statistics :data:`AT_ONCE` channels are in memory at a time.
    """
    if form == "rows":
        rows = travel(0, channels)
        begun = [word for word in rows if word[:1] == ("out",)]
        parts = {"propagate.out": begun, "propagate.in": [_mirror(word) for word in begun]}
        blocks = {name: np.hstack([rows[word] for word in part]) for name, part in parts.items()}
        names = {name: [" ".join(word) for word in part] for name, part in parts.items()}
        return {"propagate.own": rows[()], **blocks}, names
    blocks, names = {}, {}
    for first in range(0, channels, AT_ONCE):
        rows = travel(first, min(AT_ONCE, channels - first))
        stack, place = np.stack(list(rows.values())), {word: at for at, word in enumerate(rows)}
        for side, pairs in _moments(list(rows)).items():
            name = f"propagate.{side}"
            total = blocks.setdefault(name, np.zeros((stack.shape[1], len(pairs)), np.float32))
            add_moments(stack, np.array([[place[v], place[w]] for v, w in pairs]), np.float32(channels), total)
            names[name] = [f"{_name(v)}·{_name(w)}" for v, w in pairs]
    return blocks, names


def _moments(known: list[Word]) -> dict[str, list[tuple[Word, Word]]]:
    """Pairs of words, each unordered pair once: one of each two mirror images, the images, and the rest."""
    out, own = [], []
    seen: set[frozenset[Word]] = set()
    for pair in _unordered(known):
        image = _mirror(pair[0]), _mirror(pair[1])
        if frozenset(pair) in seen or pair == ((), ()):
            continue
        seen |= {frozenset(pair), frozenset(image)}
        (own if frozenset(pair) == frozenset(image) else out).append(pair)
    return {"out": out, "in": [(_mirror(v), _mirror(w)) for v, w in out], "both": own}


def _unordered(known: list[Word]) -> Iterator[tuple[Word, Word]]:
    for at, first in enumerate(known):
        for second in known[at:]:
            yield first, second


def _mirror(word: Word) -> Word:
    return tuple(TURN[step] for step in word)


def _name(word: Word) -> str:
    return " ".join(word) or "own"
