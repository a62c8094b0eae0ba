"""Monte Carlo dropout: several passes of a network that was trained with dropout, each with another mask.

    l_t = net(x; mask_t),  mask ~ Bernoulli(1 - d) / (1 - d),    rate = mean sigmoid(l_t),  uncertainty = sd l_t

Only dropout is turned on: all else stays in evaluation mode, batch normalisation too. The masks come from a
generator of their own, anew for every estimate, so that the same rows are answered alike.

Reference: Gal, Ghahramani, "Dropout as a Bayesian approximation", ICML 2016.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from thence.base.errors import ConfigError
from thence.base.rng import torch_generator
from thence.decide.uncertainty.believed import Cost, Members
from thence.decide.uncertainty.kept import Kept
from thence.decide.uncertainty.logits import arrays_of, device_of, filled, logits_of, with_layers

CHANNELS = nn.Dropout1d | nn.Dropout2d | nn.Dropout3d
"""These drop whole channels: the dimensions behind the second share a mask."""


class SeededDropout(nn.Dropout):
    """Dropout whose masks come from a generator of its own, in training too.

    Args:
        rate: probability that a number is dropped.
        seed: of the masks.

    Example:
        >>> one, other = SeededDropout(0.5, seed=1), SeededDropout(0.5, seed=1)
        >>> torch.equal(one(torch.ones(6)), other(torch.ones(6)))
        True
    """

    def __init__(self, rate: float = 0.2, *, seed: int = 0) -> None:
        if not 0 <= rate < 1:
            raise ConfigError(f"a dropout rate of {rate}", fix="Give one in [0, 1).")
        super().__init__(rate)
        self.seed, self.turn = seed, 0

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """The input with some numbers dropped in training, the rest larger; the input itself otherwise."""
        if not self.training:
            return input
        self.turn += 1
        rng = torch_generator(self.seed, "uncertainty", "dropout", self.turn, device=input.device.type)
        return input * _mask(self, input, rng)


class MonteCarloDropout:
    """Beliefs of a network with dropout.

    Args:
        net: trained with dropout; it is not copied, and not for several threads at once.
        passes: how many.
        seed: of the masks.

    Raises:
        ConfigError: there is no dropout in the network, or fewer than two passes.

    Example:
        >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 1))
        >>> x, sure = torch.ones(3, 4), MonteCarloDropout(net, 20)
        >>> bool((sure.estimate(x).uncertainty > 0).all()), sure.cost.passes
        (True, 20.0)
    """

    def __init__(self, net: nn.Module, passes: int = 20, *, seed: int = 0) -> None:
        layers = [each for each in net.modules() if isinstance(each, nn.Dropout | CHANNELS) and each.p > 0]
        if not layers:
            raise ConfigError("the network has no dropout", fix="Train one with nn.Dropout layers.")
        if passes < 2:
            raise ConfigError(f"{passes} passes", fix="Ask for two or more.")
        self.net, self.passes, self.seed, self._layers = net, passes, seed, layers

    def kept(self) -> Kept:
        """What to keep."""
        return Kept({"passes": self.passes, "seed": self.seed}, arrays_of(self.net, "net"))

    @classmethod
    def of(cls, kept: Kept, net: nn.Module) -> MonteCarloDropout:
        """From what :meth:`kept` gave and a network made as that one, with the same rates of dropout."""
        made = filled(with_layers(net, {}, share=False), kept.arrays, "net")
        return cls(made, int(kept.told["passes"]), seed=int(kept.told["seed"]))

    @property
    def cost(self) -> Cost:
        """As many passes as were asked for; no memory."""
        return Cost(float(self.passes), 0)

    def estimate(self, inputs: Any) -> Members:
        """What is believed of each row.

        Raises:
            DataError: inputs are no tensors of rows, or there is not one finite logit a row.
        """
        rng = torch_generator(self.seed, "uncertainty", "passes", device=device_of(self.net).type)
        with self._dropping(rng):
            told = [logits_of(self.net, inputs) for _ in range(self.passes)]
        return Members.make(torch.stack(told).numpy())

    @contextmanager
    def _dropping(self, rng: torch.Generator) -> Iterator[None]:
        """Dropout layers, which do nothing in evaluation mode, drop by masks of the generator."""

        def drop(layer: nn.Module, _: tuple[Tensor, ...], out: Tensor) -> Tensor:
            return out * _mask(layer, out, rng)

        hooks = [layer.register_forward_hook(drop) for layer in self._layers]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()


def _mask(layer: nn.Module, out: Tensor, rng: torch.Generator) -> Tensor:
    rate = float(layer.p)  # type: ignore[arg-type]
    shape = (*out.shape[:2], *(1 for _ in out.shape[2:])) if isinstance(layer, CHANNELS) else out.shape
    kept = torch.rand(shape, generator=rng, device=out.device) >= rate
    return kept.to(out.dtype) / (1 - rate)
