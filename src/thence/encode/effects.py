"""What a single arc does to a score of the dual encoder: the score worked out anew on a graph without it.

The encoder is linear, so a node's vectors follow from the start vectors around it, row by row,

    s ← s + Σ_r a_r Σ_m P_r(i, m) t_m ,      t ← t + Σ_r b_r Σ_m Q_r(j, m) s_m ,

with the shares P, Q of :func:`~thence.encode.propagate.neighborhoods`. Removing an arc changes the rows of its
two ends: what it weighed is shared out again among the other neighbours, a neighbour that was beyond the
fan-out moves up, and the sums by which common neighbours are damped shrink. All of that is worked out; the
learned numbers stay as they are, as nothing is trained anew. Other nodes' vectors are worked out only as far as
the two ends see them.

Reference: the encoder is :class:`~thence.encode.dual.DualEncoder`. What an arc does is told by leaving it out,
the view of Ying et al., GNNExplainer, NeurIPS 2019; here it is exact, because the encoder is linear.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from thence.base.artifact import open_artifact, write_artifact
from thence.base.errors import ArtifactError, DataError
from thence.graph import Arcs, DiGraph

if TYPE_CHECKING:
    from thence.encode.dual import DualEncoder

KIND = "arc-effects"
POWER = 0.5
Role = Literal["source", "target"]
OTHER: dict[Role, Role] = {"source": "target", "target": "source"}


class Arc(NamedTuple):
    """One arc of one relation (node ints); of an undirected relation it stands for both directions."""

    relation: str
    source: int
    target: int


@dataclass(frozen=True, eq=False, repr=False)
class ArcEffects:
    """A trained dual encoder, ready to score single pairs on a graph that lacks an arc. Immutable.

    Args:
        source: ``[num_nodes, dim]`` float32, start vectors as sources: free vector and features.
        target: ``[num_nodes, dim]`` float32, the same as targets.
        bias: ``[num_nodes]`` float32.
        directed: ``[layers, 2, num_directed]`` float32, learned coefficients a and b.
        undirected: ``[layers, 2, num_undirected]`` float32.
        fan_out: neighbours that a node looks at.

    Raises:
        DataError: the shapes disagree.

    Example:
        >>> from thence.base.ids import IdMap
        >>> from thence.encode.dual import DualConfig, DualEncoder
        >>> arcs = Arcs.from_pairs([0, 0, 1], [1, 2, 2], num_nodes=3)
        >>> graph = DiGraph(IdMap("abc"), {"bought_after": arcs})
        >>> effects = ArcEffects.of(DualEncoder(graph, DualConfig(dim=4)))
        >>> effects
        ArcEffects(3 nodes, dim 4, 1 layers)
        >>> whole = effects.score(graph, 0, 2)
        >>> whole != effects.score(graph, 0, 2, without=Arc("bought_after", 0, 2))
        True
    """

    source: np.ndarray
    target: np.ndarray
    bias: np.ndarray
    directed: np.ndarray
    undirected: np.ndarray
    fan_out: int

    def __post_init__(self) -> None:
        rows, dim = self.source.shape if self.source.ndim == 2 else (-1, -1)
        fits = self.target.shape == (rows, dim) and self.bias.shape == (rows,) and self.fan_out >= 1
        shares = self.directed.ndim == 3 and self.undirected.shape[:2] == self.directed.shape[:2]
        if not (fits and shares and self.directed.shape[1:2] == (2,)):
            raise DataError("the arrays of arc effects do not fit together")

    def __repr__(self) -> str:
        """One line with the counts."""
        rows, dim = self.source.shape
        return f"ArcEffects({rows:,} nodes, dim {dim}, {len(self.directed)} layers)"

    @classmethod
    def of(cls, encoder: DualEncoder) -> ArcEffects:
        """Those of an encoder as it stands."""
        start = {
            role: encoder.alive * getattr(encoder, f"free_{role}")
            + encoder.features(getattr(encoder, f"feature_{role}"))
            for role in ("source", "target")
        }
        shares = (encoder.bias, encoder.directed_share, encoder.undirected_share)
        arrays = [tensor.numpy(force=True) for tensor in (*start.values(), *shares)]
        return cls(*arrays, fan_out=encoder.config.fan_out)

    def score(self, graph: DiGraph, i: int, j: int, without: Arc | None = None) -> float:
        """⟨source_i, target_j⟩ + bias_j, on the graph without an arc.

        Raises:
            DataError: the graph is not the encoder's, or there is no such arc.
        """
        source, target = self.vectors(graph, i, j, without)
        return float(source @ target + self.bias[j])

    def vectors(
        self, graph: DiGraph, i: int, j: int, without: Arc | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Vectors ``[dim]`` of i as a source and of j as a target, on the graph without an arc.

        Raises:
            DataError: the graph is not the encoder's, or there is no such arc.
        """
        around, layers = _Around(self, graph, without), len(self.directed)
        source = around.vectors("source", np.array([i]), layers)
        return source[0], around.vectors("target", np.array([j]), layers)[0]

    def save(self, folder: str | Path) -> None:
        """Write it as an artifact of kind ``arc-effects``."""
        with write_artifact(folder, KIND) as draft:
            draft.tensors("start", {name: getattr(self, name) for name in ARRAYS})
            draft.counts.update(nodes=len(self.source), dim=self.source.shape[1])
            draft.config["fan_out"] = self.fan_out

    @classmethod
    def load(cls, folder: str | Path) -> ArcEffects:
        """Open saved ones.

        Raises:
            ArtifactError: they are absent, torn, tampered with, or no arc effects.
        """
        art = open_artifact(folder, KIND)
        try:
            tensors = art.tensors("start")
            return cls(*(tensors[name] for name in ARRAYS), fan_out=int(art.config["fan_out"]))
        except (DataError, KeyError, TypeError, ValueError) as error:
            raise ArtifactError(f"inconsistent arc effects: {error}", where=folder) from error


_SUMS: WeakKeyDictionary[Arcs, dict[str, np.ndarray]] = WeakKeyDictionary()
ARRAYS = ("source", "target", "bias", "directed", "undirected")


@dataclass(frozen=True, eq=False)
class _Around:
    """Vectors of few nodes on a graph that lacks an arc, worked out from the start vectors around them."""

    effects: ArcEffects
    graph: DiGraph
    without: Arc | None

    def __post_init__(self) -> None:
        kinds = [arcs.directed for arcs in self.graph.relations.values()]
        shape = (len(self.effects.source), self.effects.directed.shape[2], self.effects.undirected.shape[2])
        if shape != (self.graph.num_nodes, sum(kinds), len(kinds) - sum(kinds)):
            raise DataError("the encoder is of another graph", where=repr(self.graph))
        if self.without is not None:
            name, source, target = self.without
            if self.graph[name].positions([source], [target])[0] < 0:
                raise DataError(f"no arc {source} → {target}", where=name)

    def vectors(self, role: Role, nodes: np.ndarray, layer: int) -> np.ndarray:
        """``[len(nodes), dim]`` float64 after so many layers."""
        if not layer:
            return getattr(self.effects, role)[nodes].astype(np.float64)
        found = self.vectors(role, nodes, layer - 1)
        at, side = {True: 0, False: 0}, 0 if role == "source" else 1
        for name, arcs in self.graph.relations.items():
            shares = self.effects.directed if arcs.directed else self.effects.undirected
            looked_at = OTHER[role] if arcs.directed else role
            rows = [self._row(name, arcs, role, int(node)) for node in nodes]
            every, place = np.unique(np.concatenate([near for near, _ in rows]), return_inverse=True)
            if len(every):
                theirs = self.vectors(looked_at, every, layer - 1)
                ends = np.cumsum([0, *(len(near) for near, _ in rows)])
                share = float(shares[layer - 1, side, at[arcs.directed]])
                for n, (_, part) in enumerate(rows):
                    found[n] += share * (part @ theirs[place[ends[n] : ends[n + 1]]])
            at[arcs.directed] += 1
        return found

    def _row(self, name: str, arcs: Arcs, role: Role, node: int) -> tuple[np.ndarray, np.ndarray]:
        """Whom a node looks at in a role, and their shares, as of ``neighborhoods``."""
        out = role == "source" or not arcs.directed
        if out:
            near, at = arcs.out(node), slice(arcs.indptr[node], arcs.indptr[node + 1])
        else:
            near, at = arcs.into(node), arcs.in_order[arcs.in_indptr[node] : arcs.in_indptr[node + 1]]
        weight = np.asarray(arcs.weight[at], np.float64)
        common = _sums(arcs)["in" if out else "out"][near]
        for source, target in self._gone(name):
            lost = float(arcs.weight[arcs.positions([source], [target])[0]])
            common[near == (target if out else source)] -= lost
            if node == (source if out else target):
                keep = near != (target if out else source)
                near, weight, common = near[keep], weight[keep], common[keep]
        value = weight * np.maximum(common, 1e-12) ** -POWER
        kept = np.sort(np.lexsort((near, -value))[: self.effects.fan_out])
        return near[kept], value[kept] / max(float(value[kept].sum()), 1e-12)

    def _gone(self, name: str) -> list[tuple[int, int]]:
        if self.without is None or self.without.relation != name:
            return []
        pair = (self.without.source, self.without.target)
        return [pair] if self.graph[name].directed else [pair, (pair[1], pair[0])]


def _sums(arcs: Arcs) -> dict[str, np.ndarray]:
    """``[num_nodes]`` float64 sums of the weights that lead out of and into each node, once for a relation."""
    if arcs not in _SUMS:
        weight = np.asarray(arcs.weight, np.float64)
        source = np.repeat(np.arange(arcs.num_nodes), arcs.out_degree)
        _SUMS[arcs] = {
            way: np.bincount(ends, weight, arcs.num_nodes)
            for way, ends in (("out", source), ("in", arcs.targets))
        }
    return _SUMS[arcs]
