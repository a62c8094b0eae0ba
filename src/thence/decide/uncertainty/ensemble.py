"""Deep ensembles: the same network from several beginnings.

    rate = mean_m sigmoid(l_m),    uncertainty = sd of the logits l_m,    epistemic = H(mean) - mean H

Reference: Lakshminarayanan, Pritzel, Blundell, "Simple and scalable predictive uncertainty estimation using
deep ensembles", NeurIPS 2017.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from thence.base.errors import ConfigError
from thence.base.progress import Progress, silent
from thence.base.rng import derive_seed
from thence.decide.uncertainty.believed import Cost, Members
from thence.decide.uncertainty.kept import Kept
from thence.decide.uncertainty.logits import arrays_of, filled, logits_of, memory_of, with_layers


class DeepEnsemble:
    """Several networks of one logit; train them with :meth:`fit`, or give those that are there.

    Args:
        members: two or more fitted networks.

    Raises:
        ConfigError: fewer than two.

    Example:
        >>> def line(weight):
        ...     net = nn.Linear(1, 1, bias=False)
        ...     nn.init.constant_(net.weight, weight)
        ...     return net
        >>> told = DeepEnsemble([line(1.0), line(3.0)]).estimate(torch.tensor([[0.0], [1.0]]))
        >>> told.uncertainty.tolist(), told.mean.round(3).tolist()
        ([0.0, 1.0], [0.5, 0.842])
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        if len(members) < 2:
            raise ConfigError(f"an ensemble of {len(members)}", fix="Give two members or more.")
        self.members = tuple(members)

    @classmethod
    def fit(
        cls, make: Callable[[int], nn.Module], members: int = 5, *, seed: int = 0, progress: Progress = silent
    ) -> DeepEnsemble:
        """Make the members one after another.

        Args:
            make: from a seed to a fitted network.
            members: how many.
            seed: the seeds of the members are derived from it.
            progress: called after each member.
        """
        if members < 2:
            raise ConfigError(f"an ensemble of {members}", fix="Ask for two members or more.")
        made = []
        for place in range(members):
            made.append(make(derive_seed(seed, "uncertainty", "member", place)))
            progress("members", place + 1, members)
        return cls(made)

    def kept(self) -> Kept:
        """What to keep; members that are made otherwise than the first cannot be."""
        arrays = [arrays_of(net, f"member.{place}") for place, net in enumerate(self.members)]
        return Kept(
            {"members": len(self.members)}, {key: value for each in arrays for key, value in each.items()}
        )

    @classmethod
    def of(cls, kept: Kept, net: nn.Module) -> DeepEnsemble:
        """From what :meth:`kept` gave and a network made as the members."""
        blank = (with_layers(net, {}, share=False) for _ in range(int(kept.told["members"])))
        return cls([filled(each, kept.arrays, f"member.{place}") for place, each in enumerate(blank)])

    @property
    def cost(self) -> Cost:
        """A pass and a network's memory for each member."""
        return Cost(float(len(self.members)), sum(memory_of(net) for net in self.members[1:]))

    def estimate(self, inputs: Any) -> Members:
        """What is believed of each row.

        Raises:
            DataError: inputs are no tensors of rows, or a member has not one finite logit a row.
        """
        return Members.make(torch.stack([logits_of(net, inputs) for net in self.members]).numpy())
