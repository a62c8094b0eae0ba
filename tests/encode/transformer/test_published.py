"""The published transformers against formulas written out a second time, in float64 and node by node."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from thence.base.errors import ConfigError
from thence.encode.attention.channel import gates_of
from thence.encode.layer.view import View
from thence.encode.transformer.directed import DirectedConfig, DirectedTransformer
from thence.encode.transformer.gps import GPS, GPSConfig
from thence.encode.transformer.nagphormer import NAGphormer, NAGphormerConfig
from thence.encode.transformer.polynormer import Polynormer, PolynormerConfig
from thence.encode.transformer.sgformer import SGFormer, SGFormerConfig
from thence.graph import Arcs

ARCS = Arcs.from_pairs([0, 1, 2, 3, 0, 4], [1, 2, 0, 1, 3, 2], num_nodes=6)


def features() -> torch.Tensor:
    return torch.randn(6, 5, generator=torch.Generator().manual_seed(0))


def lin(layer: nn.Linear, x: np.ndarray) -> np.ndarray:
    return x @ layer.weight.detach().double().numpy().T + layer.bias.detach().double().numpy()


def layer_norm(x: np.ndarray) -> np.ndarray:
    return (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)


def batch_norm(x: np.ndarray) -> np.ndarray:
    """In evaluation, before training: mean 0, variance 1 are what it knows."""
    return x / np.sqrt(1 + 1e-5)


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def gcn(layer, x: np.ndarray) -> np.ndarray:
    a = ARCS.matrix().toarray()
    a = np.maximum(a, a.T) + np.eye(6)
    d = a.sum(1) ** -0.5
    return (
        d[:, None] * a * d
    ) @ x @ layer.linear.weight.detach().double().numpy().T + layer.linear.bias.detach().numpy()


def all_pairs(layer, x: np.ndarray, form: str) -> np.ndarray:
    q, k, v = (lin(part, x) for part in (layer.query, layer.key, layer.value))
    n = len(x)
    if form == "frobenius":
        weight = q @ k.T / np.linalg.norm(q) / np.linalg.norm(k) + n * np.eye(n)
    else:
        q, k = (part / np.linalg.norm(part, axis=1, keepdims=True) for part in (q, k))
        weight = q @ k.T + (n * np.eye(n) if form == "rows" else 1)
    return weight / weight.sum(1, keepdims=True) @ v


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("form", ["gated", "rows", "frobenius"])
def test_sgformer(form, plain) -> None:
    config = SGFormerConfig(dim=4, layers=2, global_layers=2, graph_weight=0.7, attention=form, plain=plain)
    one, x = SGFormer(5, config, seed=1).eval(), features().double().numpy()
    far = lin(one.global_first, x)
    far = relu(far if plain else layer_norm(far))
    for block in one.attend:
        head = block.heads[0]
        attention = head.layer if form == "gated" else head
        said = all_pairs(attention, far, form)
        if form == "gated":
            said = lin(attention.value, far) + head.gate.gate.item() * said
        far = (said + far) / 2 if plain else relu(layer_norm((said + far) / 2))
    if plain:
        near = gcn(one.convs[1], relu(gcn(one.convs[0], x)))
    else:
        first = near = relu(batch_norm(lin(one.local_first, x)))
        for conv in one.convs:
            near = relu(batch_norm(gcn(conv, near))) + first
    want = 0.7 * near + 0.3 * far
    np.testing.assert_allclose(one(features(), View(ARCS)).detach(), want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("stacked", [False, True])
def test_polynormer(stacked, plain) -> None:
    settings = {"dim": 4, "heads": 2, "layers": 2, "global_layers": 2, "stacked": stacked, "plain": plain}
    config = PolynormerConfig("gcn", beta=0.6, **settings)
    one, x = Polynormer(5, config, seed=1).eval(), features().double().numpy()
    if not stacked:
        with torch.no_grad():
            gates_of(one)[0].gate.fill_(0.3)
    if plain:
        x = lin(one.first, x)
    beta, kept = np.full(4, 0.6), []
    for layer in one.local:
        if plain:
            with torch.no_grad():
                layer.share.logit[1] = -1.5
            beta = 1 / (1 + np.exp(-layer.share.logit.detach().double().numpy()))
        met = gcn(layer.conv, x) + lin(layer.own, x)
        met = relu(met if plain else batch_norm(met))
        x = (1 - beta) * layer_norm(relu(lin(layer.gate, x)) * met) + beta * met
        kept.append(x)
    near = sum(kept)
    far = layer_norm(near)
    for attend, gate, out in zip(one.beyond.attend, one.beyond.gate, one.beyond.out, strict=True):
        heads = []
        k, v = 1 / (1 + np.exp(-lin(attend.query, far))), lin(attend.value, far)
        for cut in (slice(0, 2), slice(2, 4)):
            weight = k[:, cut] @ k[:, cut].T
            heads.append(weight / weight.sum(1, keepdims=True) @ v[:, cut])
        far = relu(lin(out, layer_norm(np.concatenate(heads, 1)) * (lin(gate, far) + 0.6)))
    want = far if stacked else near + 0.3 * far
    np.testing.assert_allclose(one(features(), View(ARCS)).detach(), want, rtol=1e-4, atol=1e-5)


def test_nagphormer_reads_the_tokens_of_each_node_alone() -> None:
    one = NAGphormer(5, NAGphormerConfig(hops=2, dim=4, heads=2, ways=("into", "out")), seed=1).eval()
    view, x = View(ARCS), features()
    tokens = one.tokens(x, view)
    a = ARCS.matrix().toarray().T + np.eye(6)
    into = a / np.sqrt(np.outer(a.sum(1), a.sum(0)))
    want = [x.numpy(), into @ x.numpy(), into @ into @ x.numpy()]
    for k, each in enumerate(want):
        np.testing.assert_allclose(tokens[:, k], each, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(one.read(tokens[[4, 1]]), one(x, view)[[4, 1]])


def test_gps_is_its_formula_for_one_head() -> None:
    config = GPSConfig(channels=("cosine",), dim=4, layers=1, heads=1, gate=0.5)
    one, x = GPS(5, config, seed=1).eval(), features().double().numpy()
    layer = one.layers[0]
    x = lin(one.first, x)
    both = batch_norm(x + gcn(layer.conv, x)) + batch_norm(
        x + 0.5 * all_pairs(layer.channel.layer, x, "cosine")
    )
    want = batch_norm(both + lin(layer.behind.narrow, relu(lin(layer.behind.widen, both))))
    np.testing.assert_allclose(one(features(), View(ARCS)).detach(), want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: GPSConfig(channels=("fulll",)),
        lambda: GPSConfig(conv="none", channels=()),
        lambda: SGFormerConfig(graph_weight=2.0),
        lambda: SGFormerConfig(attention="row"),
        lambda: SGFormerConfig(global_dropout=1.0),
        lambda: PolynormerConfig(global_layers=-1),
        lambda: PolynormerConfig(plain=True, beta=1.0),
        lambda: NAGphormerConfig(ways=("up",)),
        lambda: DirectedConfig(dim=6, heads=4),
        lambda: DirectedConfig(channels=("communities",)),
        lambda: DirectedTransformer(2, DirectedConfig(positions=3)),
        lambda: GPS(2, GPSConfig(positions=3)),
    ],
)
def test_wrong_settings_are_refused(make) -> None:
    with pytest.raises(ConfigError):
        make()
