"""Message-passing layers of ours and PyG's, and which parameter of theirs each of ours is."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from thence.encode.layer.dir import Dir
from thence.encode.layer.gat import GAT, GATv2
from thence.encode.layer.gcn import GCN
from thence.encode.layer.gin import GIN
from thence.encode.layer.sage import SAGE

WIDTH, HEADS = 64, 4
Twins = list[tuple[Tensor, Tensor]]


@dataclass
class Pair:
    """A layer of ours beside PyG's.

    Args:
        ours: called with features and a view.
        theirs: called with features and arcs, in one of ``forms``.
        twins: a parameter of ours and one of theirs that shall hold the same numbers; what stands in none of
            them must not count.
        forms: in which PyG is given the arcs: ``list``, ``matrix``.
        loops: whether they hold loops beforehand.
        norms: whether they hold GCN's norms beforehand; PyG's differ from ours on directed graphs, so the arcs
            of this one stand both ways.
    """

    ours: nn.Module
    theirs: nn.Module
    twins: Twins
    forms: tuple[str, ...] = ("list", "matrix")
    loops: bool = False
    norms: bool = False

    def share_weights(self) -> None:
        """Give PyG's layer the numbers of ours."""
        with torch.no_grad():
            for mine, yours in self.twins:
                yours.copy_(mine.reshape(yours.shape))


def twins(own: nn.Module, other: nn.Module) -> Twins:
    """The parameters of two modules that list them in the same order."""
    return list(zip(own.parameters(), other.parameters(), strict=True))


def layers() -> dict[str, Pair]:
    """GCN, SAGE, GIN, GAT, GATv2 and Dir-GNN."""
    from torch_geometric.nn import DirGNNConv, GATConv, GATv2Conv, GCNConv, GINConv, SAGEConv

    gcn, pyg_gcn = GCN(WIDTH, WIDTH), GCNConv(WIDTH, WIDTH, normalize=False)
    sage, pyg_sage = SAGE(WIDTH, WIDTH), SAGEConv(WIDTH, WIDTH)
    net = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH))
    gin, pyg_gin = GIN(WIDTH, WIDTH), GINConv(net, train_eps=True)
    heads = {"heads": HEADS, "add_self_loops": False}
    gat, pyg_gat = GAT(WIDTH, WIDTH, heads=HEADS), GATConv(WIDTH, WIDTH // HEADS, **heads)
    gatv2, pyg_gatv2 = GATv2(WIDTH, WIDTH, heads=HEADS), GATv2Conv(WIDTH, WIDTH // HEADS, **heads)
    both = Dir(WIDTH, WIDTH, conv=SAGE, alpha=0.3)
    pyg_both = DirGNNConv(SAGEConv(WIDTH, WIDTH, root_weight=False), alpha=0.7)
    mixed = [(gatv2.weight, pyg_gatv2.att), (gatv2.bias, pyg_gatv2.bias)]
    return {
        "gcn": Pair(
            gcn,
            pyg_gcn,
            [(gcn.linear.weight, pyg_gcn.lin.weight), (gcn.linear.bias, pyg_gcn.bias)],
            norms=True,
        ),
        "sage": Pair(sage, pyg_sage, twins(sage.seen, pyg_sage.lin_l) + twins(sage.own, pyg_sage.lin_r)),  # type: ignore[arg-type]
        "gin": Pair(
            gin,
            pyg_gin,
            [(gin.epsilon, pyg_gin.eps), *twins(gin.first, net[0]), *twins(gin.last, net[2])],  # type: ignore[list-item]
        ),
        "gat": Pair(
            gat,
            pyg_gat,
            [
                *twins(gat.value, pyg_gat.lin),
                (gat.of_row, pyg_gat.att_dst),
                (gat.of_column, pyg_gat.att_src),
                (gat.bias, pyg_gat.bias),
            ],
            ("list",),
            loops=True,
        ),
        "gatv2": Pair(
            gatv2,
            pyg_gatv2,
            mixed + twins(gatv2.value, pyg_gatv2.lin_l) + twins(gatv2.row, pyg_gatv2.lin_r),
            ("list",),
            loops=True,
        ),
        "dir": Pair(
            both,
            pyg_both,
            twins(both.into, pyg_both.conv_in)
            + twins(both.out, pyg_both.conv_out)
            + twins(both.own, pyg_both.lin),
            ("list",),
        ),
    }
