"""What the estimators for networks share: rows of tensors in, one logit a row out.

Their networks are any ``nn.Module`` called with a tuple of tensors that have a row for each case, and giving
``[n]`` or ``[n, 1]`` logits. Estimators put the network into evaluation mode and leave it there.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from thence.base.errors import ArtifactError, ConfigError, DataError
from thence.decide.uncertainty.kept import Arrays

Inputs = Tensor | tuple[Tensor, ...]
Net = TypeVar("Net", bound=nn.Module)
AT_ONCE = 16_384
"""Rows that go through a network at once."""


def rows_of(inputs: Any) -> tuple[Tensor, ...]:
    """The inputs as a tuple of tensors with as many rows each.

    Raises:
        DataError: they are none.

    Example:
        >>> len(rows_of(torch.zeros(3, 2)))
        1
    """
    found = inputs if isinstance(inputs, tuple) else (inputs,)
    rows = -1
    for each in found:
        if not isinstance(each, Tensor) or not each.dim():
            break
        count = each.size(0)  # quicker than its shape, which counts where one row is asked for
        if rows not in (-1, count):
            raise DataError(f"inputs of {rows} and {count} rows", fix="Give each as many rows.")
        rows = count
    else:
        if found:
            return found
    raise DataError("inputs are no tensors with rows", fix="Give a tensor, or a tuple of tensors.")


def device_of(net: nn.Module) -> torch.device:
    """Where the network is."""
    for each in net.parameters():
        return each.device
    return next((each.device for each in net.buffers()), torch.device("cpu"))


def forward(net: nn.Module, inputs: Any, device: torch.device | None = None) -> Tensor:
    """What the network gives for all rows, ``[n, …]`` on the CPU, in evaluation mode, batch by batch.

    Args:
        net: the network.
        inputs: its rows.
        device: where it is; looked for when None.
    """
    found, device = rows_of(inputs), device or device_of(net)
    if net.training:
        net.eval()
    rows = found[0].size(0)
    with torch.inference_mode():
        if device.type == "cpu" and rows <= AT_ONCE:
            return net(*found)
        parts = [
            net(*(each[first : first + AT_ONCE].to(device) for each in found)).cpu()
            for first in range(0, max(rows, 1), AT_ONCE)
        ]
    return torch.cat(parts)


def one_logit(told: Tensor, rows: int) -> Tensor:
    """Logits ``[n]`` of a network's answer for so many rows.

    Raises:
        DataError: there is not one for each row.
    """
    found = told[:, 0] if told.ndim == 2 and told.shape[1] == 1 else told
    if found.shape != (rows,):
        raise DataError(
            f"the network gives {tuple(told.shape)} for {rows} rows", fix="Give one that has one logit a row."
        )
    return found


def logits_of(net: nn.Module, inputs: Any) -> Tensor:
    """One logit ``[n]`` for each row, as float64 on the CPU."""
    return one_logit(forward(net, inputs), len(rows_of(inputs)[0])).double()


def last_linear(net: nn.Module) -> str:
    """Name of the last layer: the last ``nn.Linear`` in the order of modules.

    Raises:
        ConfigError: there is none, or it has not one output.
    """
    names = [name for name, layer in net.named_modules() if isinstance(layer, nn.Linear)]
    layer = net.get_submodule(names[-1]) if names else None
    if not isinstance(layer, nn.Linear) or layer.weight.shape[0] != 1:
        raise ConfigError("the network's last layer is no Linear with one output", fix="Name the layer.")
    return names[-1]


def with_layers(net: nn.Module, layers: dict[str, nn.Module], *, share: bool) -> nn.Module:
    """A copy of the network with some of its modules replaced.

    Args:
        net: the network, which stays as it is.
        layers: new modules by the names of those that they stand for; the name ``""`` is the network itself.
        share: whether the others share their parameters with the network, so that they take no memory.
    """
    kept = {id(each): each for each in (*net.parameters(), *net.buffers())} if share else {}
    made = copy.deepcopy(net, kept)
    for name, layer in layers.items():
        if not name:
            return layer
        parent, _, last = name.rpartition(".")
        setattr(made.get_submodule(parent), last, layer)
    return made


def memory_of(module: nn.Module, beside: nn.Module | None = None) -> int:
    """Bytes of the module's parameters and buffers that are not those of another."""
    kept = {id(each) for each in (*beside.parameters(), *beside.buffers())} if beside is not None else set()
    own = {id(each): each for each in (*module.parameters(), *module.buffers()) if id(each) not in kept}
    return sum(each.numel() * each.element_size() for each in own.values())


def fresh_linear(inputs: int, outputs: int, rng: torch.Generator, *, bias: bool = True) -> nn.Linear:
    """A layer with normal weights of variance 1 / inputs, from a generator of its own."""
    layer = nn.Linear(inputs, outputs, bias=bias, device="meta")  # takes nothing from the global generator
    layer.weight = nn.Parameter(torch.randn(outputs, inputs, generator=rng) * inputs**-0.5)
    if bias:
        layer.bias = nn.Parameter(torch.zeros(outputs))
    return layer


def arrays_of(module: nn.Module, name: str) -> Arrays:
    """Weights and buffers of a module, by names that begin with ``name``.

    Raises:
        ArtifactError: numbers of a kind that files do not hold, such as bfloat16.

    Example:
        >>> {key: value.shape for key, value in arrays_of(nn.Linear(3, 1), "net").items()}
        {'net.weight': (1, 3), 'net.bias': (1,)}
    """
    try:
        return {f"{name}.{key}": value.numpy(force=True) for key, value in module.state_dict().items()}
    except TypeError as error:
        raise ArtifactError(
            f"weights that cannot be kept: {error}", fix="Turn the network to float32."
        ) from error


def filled(module: Net, arrays: Mapping[str, np.ndarray], name: str) -> Net:
    """The module itself, in evaluation mode, with the numbers that :func:`arrays_of` took.

    Raises:
        ArtifactError: one is missing or too many, or of another shape or kind.
    """
    begin, wanted = f"{name}.", module.state_dict()
    given = {key.removeprefix(begin): value for key, value in arrays.items() if key.startswith(begin)}
    if given.keys() != wanted.keys():
        other = sorted(given.keys() ^ wanted.keys())
        raise ArtifactError(f"{name} is of another network: {', '.join(other[:3])}", fix="Give one made alike.")
    found = {}
    for key, value in given.items():
        made = torch.from_numpy(np.array(value))
        if made.shape != wanted[key].shape or made.dtype != wanted[key].dtype:
            shape = f"{tuple(made.shape)} {made.dtype}"
            raise ArtifactError(f"{name}.{key} is {shape}, not {tuple(wanted[key].shape)} {wanted[key].dtype}")
        found[key] = made
    module.load_state_dict(found)
    return module.eval()
