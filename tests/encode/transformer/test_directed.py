"""The house's transformer: its formula literally, and that what it gives turns with the arcs."""

from __future__ import annotations

import re

import numpy as np
import torch

from thence.encode.attention.channel import gates_of
from thence.encode.layer.view import View
from thence.encode.transformer.directed import DirectedConfig, DirectedTransformer
from thence.graph import Arcs
from thence.graph.position import positions

CYCLE = Arcs.from_pairs(range(8), [*range(1, 8), 0], num_nodes=8)


def marked() -> torch.Tensor:
    """One node of the cycle is marked."""
    return torch.eye(8)[:, :1] + torch.zeros(8, 3)


def swapped(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights of each role given to the other."""
    role = {"layers.0.out": "layers.0.into", "layers.1.out": "layers.1.into", "first.0": "first.1"}
    role |= {other: one for one, other in role.items()}
    return {
        re.sub("|".join(role), lambda found: role[found[0]], name, count=1): value
        for name, value in state.items()
    }


def encoder(**settings) -> DirectedTransformer:
    config = DirectedConfig(dim=4, layers=2, heads=2, dropout=0.0, **settings)
    return DirectedTransformer(3, config, seed=1).eval()


def test_turning_all_arcs_round_exchanges_the_roles() -> None:
    one, other, x = encoder(), encoder(), marked()
    other.load_state_dict(swapped(one.state_dict()))
    source, target = one.roles(x, View(CYCLE))
    as_target, as_source = other.roles(x, View(CYCLE.reversed()))
    torch.testing.assert_close(source, as_source)
    torch.testing.assert_close(target, as_target)


def test_direction_is_seen_and_a_blind_mutant_does_not_see_it() -> None:
    """Nodes one before and one after the mark differ; once both ways are the same matrix they cannot."""
    one, x, view = encoder(channels=()), marked(), View(CYCLE)
    seen = one(x, view)
    assert (seen[1] - seen[7]).abs().max() > 0.01
    blind = View(CYCLE)
    for way in ("out", "into"):
        blind.kept(("mean", way), lambda: View(CYCLE).matrix("mean", "both"))
    mutant = one(x, blind)
    torch.testing.assert_close(mutant[1], mutant[7])


def test_a_layer_is_its_formula() -> None:
    one, x = encoder(channels=()), marked()
    layer = one.layers[0]
    dense = CYCLE.matrix().toarray()
    s, t = (first(x).detach().numpy() for first in one.first)
    for role, own, across, look in ((layer.out, s, t, dense), (layer.into, t, s, dense.T)):
        mean = look / np.maximum(look.sum(1, keepdims=True), 1)
        near = mapped(role.near, np.concatenate([mean @ own, mean @ across], 1))
        both = normed(own + near)
        hidden = np.maximum(mapped(role.behind.widen, both), 0)
        want = normed(both + mapped(role.behind.narrow, hidden))
        got = layer(*(torch.from_numpy(part) for part in (s, t)), mean_of(), View(CYCLE))
        np.testing.assert_allclose(got[0 if role is layer.out else 1].detach(), want, rtol=1e-4, atol=1e-5)


def mapped(layer: torch.nn.Linear, x: np.ndarray) -> np.ndarray:
    return x @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()


def mean_of() -> tuple:
    view = View(CYCLE)
    return view.matrix("mean", "out"), view.matrix("mean", "into")


def normed(x: np.ndarray) -> np.ndarray:
    return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)


def test_a_channel_reaches_where_the_layers_do_not() -> None:
    """Twenty hops away on a path, two layers: with channels a change arrives, with silent ones nothing does."""
    path = Arcs.from_pairs(range(20), range(1, 21), num_nodes=21)
    where = torch.from_numpy(positions(path, {"profile": {}}).matrix())
    x = torch.cat([torch.zeros(21, 3), where], 1)
    changed = x.clone()
    changed[0, 0] = 1.0
    config = DirectedConfig(dim=4, layers=2, heads=2, positions=where.shape[1])
    one, view = DirectedTransformer(x.shape[1], config, seed=1).eval(), View(path)
    assert not torch.equal(one(x, view)[20], one(changed, view)[20])
    for gate in gates_of(one):
        gate.silent = True
    assert torch.equal(one(x, view)[20], one(changed, view)[20])
