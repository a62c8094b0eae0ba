"""What every encoder of nodes must keep, whatever it is made of: facts as functions of how it is made.

An encoder is ``forward(x [n, inputs], view) -> [n, dim]`` with its width as ``dim``. To hold a new one to the
facts, add it to the registry, or call :func:`keeps_the_contract` with a function from ``inputs, seed`` to it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import torch
from tests.encode.layer.worlds import cycle, random_view, rows
from torch import Tensor, nn

from thence.base.rng import torch_generator
from thence.encode.layer.view import View
from thence.graph import Arcs

Make = Callable[[int, int], nn.Module]
"""From ``inputs`` and ``seed`` to an encoder."""

INPUTS = 5


def keeps_the_contract(make: Make) -> None:
    """All facts but that of direction."""
    tells_its_width(make)
    rows_follow_their_nodes(make)
    stays_finite_on_odd_graphs(make)
    answers_side_by_side_as_alone(make)
    says_the_same_again(make)
    is_made_the_same_again(make)
    every_parameter_learns(make)
    resumes_to_the_byte(make)


def quiet(make: Make, inputs: int = INPUTS, seed: int = 1) -> nn.Module:
    """The encoder after two steps of training, so that nothing stands at a start value, in evaluation mode."""
    encoder = make(inputs, seed)
    trained(encoder, optimizer_of(encoder), range(2), *world(inputs))
    return encoder.eval()


def world(inputs: int = INPUTS) -> tuple[Tensor, View]:
    """Fourteen nodes with weighted arcs, two of them without any."""
    view = random_view(12, 50, seed=3)
    arcs = view.arcs
    wider = Arcs.from_pairs(*arcs.pairs, num_nodes=14, weight=arcs.weight)
    return rows(14, inputs), View(wider)


def tells_its_width(make: Make) -> None:
    x, view = world()
    encoder = make(INPUTS, 1)
    out = encoder.eval()(x, view)
    assert out.shape == (14, encoder.dim) and out.dtype == torch.float32


def rows_follow_their_nodes(make: Make) -> None:
    """Other numbers for the nodes change nothing but the order of the rows."""
    x, view = world()
    encoder, to = quiet(make), np.random.default_rng(0).permutation(14)
    source, target = to[view.arcs.pairs]
    moved = View(Arcs.from_pairs(source, target, num_nodes=14, weight=view.arcs.weight))
    other = torch.empty_like(x)
    other[to] = x
    torch.testing.assert_close(encoder(other, moved)[to], encoder(x, view), rtol=1e-4, atol=1e-5)


def stays_finite_on_odd_graphs(make: Make) -> None:
    """One node, two without arcs, a lone arc, no features, features all alike, features far too large."""
    one, bare = View(Arcs.from_pairs([], [], num_nodes=1)), View(Arcs.from_pairs([], [], num_nodes=2))
    arc = View(Arcs.from_pairs([0], [1], num_nodes=3))
    x, view = world()
    cases = [(x[:1], one), (x[:2], bare), (x[:3], arc), (torch.zeros(14, 5), view), (1e4 * x, view)]
    cases += [(x, View.stacked([one, view, bare])) for x in [rows(17, INPUTS)]]
    cases += [(torch.zeros(14, 0), view), (torch.zeros(1, 0), one)]
    for features, graph in cases:
        encoder = make(features.shape[1], 1)
        for mode in (True, False):
            out = encoder.train(mode)(features, graph)
            assert out.shape == (graph.num_nodes, encoder.dim)
            assert out.isfinite().all()


def answers_side_by_side_as_alone(make: Make) -> None:
    """What stands beside a graph does not change its answers, in evaluation mode."""
    encoder = quiet(make)
    graphs = [world()[1], View(Arcs.from_pairs([], [], num_nodes=1)), cycle(5), random_view(8, 20, seed=5)]
    features = [rows(graph.num_nodes, INPUTS, seed=k) for k, graph in enumerate(graphs)]
    together = encoder(torch.cat(features), View.stacked(graphs))
    alone = torch.cat([encoder(x, graph) for x, graph in zip(features, graphs, strict=True)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def says_the_same_again(make: Make) -> None:
    x, view = world()
    encoder = quiet(make)
    assert torch.equal(encoder(x, view), encoder(x, view))


def is_made_the_same_again(make: Make) -> None:
    """A seed gives the same bytes, whatever stands in torch's global generator; another seed gives others."""
    x, view = world()
    first = make(INPUTS, 1)
    with torch.random.fork_rng():
        torch.manual_seed(99)
        second, other = make(INPUTS, 1), make(INPUTS, 2)
    state = second.state_dict()
    assert all(torch.equal(part, state[name]) for name, part in first.state_dict().items())
    assert torch.equal(first.eval()(x, view), second.eval()(x, view))
    assert not torch.equal(first(x, view), other.eval()(x, view))


def every_parameter_learns(make: Make) -> None:
    """After a few steps no parameter stands where it stood."""
    encoder = make(INPUTS, 1)
    before = copy.deepcopy(encoder.state_dict())
    trained(encoder, optimizer_of(encoder), range(4), *world())
    still = [name for name, part in encoder.named_parameters() if torch.equal(part, before[name])]
    assert still == []
    assert all(part.isfinite().all() for part in encoder.parameters())


def resumes_to_the_byte(make: Make) -> None:
    """Two steps, a copy of what is kept, two more: as four steps in one go."""
    straight = make(INPUTS, 1)
    trained(straight, optimizer_of(straight), range(4), *world())
    begun = make(INPUTS, 1)
    optimizer = optimizer_of(begun)
    trained(begun, optimizer, range(2), *world())
    resumed = make(INPUTS, 1)
    resumed.load_state_dict(begun.state_dict())
    going = optimizer_of(resumed)
    going.load_state_dict(optimizer.state_dict())
    trained(resumed, going, range(2, 4), *world())
    state = resumed.state_dict()
    assert all(torch.equal(part, state[name]) for name, part in straight.state_dict().items())


def sees_direction(make: Make, directed: bool = True) -> None:
    """On a directed cycle with one marked node, turning all arcs round changes the answers, or must not."""
    x = torch.zeros(6, INPUTS)
    x[0] = 1.0
    encoder = quiet(make)
    there, back = encoder(x, cycle(6)), encoder(x, cycle(6, turned=True))
    same = torch.allclose(there, back, rtol=1e-4, atol=1e-5)
    assert same != directed, "turning the arcs round changes " + ("nothing" if same else "the answers")


def optimizer_of(encoder: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(encoder.parameters(), lr=0.01)


def trained(encoder: nn.Module, optimizer: torch.optim.Optimizer, steps: range, x: Tensor, view: View) -> None:
    """Some steps towards random rows, each with the dropout of its own number."""
    encoder.train()
    goal = rows(len(x), encoder.dim, seed=11)  # type: ignore[arg-type]
    for step in steps:
        with torch.random.fork_rng():
            torch.set_rng_state(torch_generator(0, "layers", step).get_state())
            loss = ((encoder(x, view) - goal) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
