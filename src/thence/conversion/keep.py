"""What a checkpoint keeps of an estimator: its arrays and the networks beside the main one, byte for byte.

An estimator is walked through field by field. Numbers, texts, arrays, tensors, classifiers, learners and what
holds them are kept; exposures and other things are not. After a restart ``begin`` is run again on what was
known when the stream began, which gives the same bytes, and what was kept is laid over it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from thence.base.errors import ArtifactError
from thence.conversion.exposures import Exposures
from thence.conversion.features import Features
from thence.conversion.lab import Classifier
from thence.conversion.learn import LearnConfig, Learner
from thence.conversion.net import ConversionNet, NetConfig, Scale
from thence.conversion.rows import Rows

Arrays = dict[str, np.ndarray]
LAYOUT = "layout"
_LEFT_OUT = (Exposures, Features, Rows)
_OTHER = {"is": "other"}


def kept(owner: object) -> Arrays:
    """The state of an object as arrays by name.

    Example:
        >>> from types import SimpleNamespace
        >>> old = SimpleNamespace(rate=0.1, sums=np.arange(3), never=Classifier(None, 0.25))
        >>> new = SimpleNamespace(rate=0.0, sums=None, never=None)
        >>> lay_over(new, kept(old))
        >>> new.rate, new.sums.tolist(), new.never.constant
        (0.1, [0, 1, 2], 0.25)
    """
    arrays: Arrays = {}
    layout = {name: _pack(value, arrays, name) for name, value in vars(owner).items()}
    arrays[LAYOUT] = np.frombuffer(json.dumps(layout).encode(), np.uint8)
    return arrays


def lay_over(owner: object, arrays: Mapping[str, np.ndarray], *, strict: bool = True) -> None:
    """Give an object the state that :func:`kept` returned.

    Args:
        owner: the object.
        arrays: its state.
        strict: when False, fields with networks, and those that cannot be put back before ``begin`` has run,
            are left as they are: what a prediction needs of an estimator is numbers.

    Raises:
        ArtifactError: the state is of another kind of object.
    """
    if LAYOUT not in arrays:
        raise ArtifactError(f"the checkpoint does not know how {type(owner).__name__} is laid out")
    layout = json.loads(arrays[LAYOUT].tobytes())
    for name, part in layout.items():
        if not strict and '"is": "learner"' in json.dumps(part):
            continue
        try:
            value = _unpack(part, arrays, name, getattr(owner, name, None))
        except ArtifactError:
            if strict:
                raise
            continue
        object.__setattr__(owner, name, value)


def learner_arrays(learner: Learner, name: str) -> Arrays:
    """Weights of a learner's network and Adam's moments, by names that begin with ``name``."""
    arrays = {f"{name}.net.{key}": value.numpy(force=True) for key, value in learner.net.state_dict().items()}
    for index, slots in learner.optimizer.state_dict()["state"].items():
        for slot, value in slots.items():
            arrays[f"{name}.adam.{index}.{slot}"] = value.numpy(force=True)
    return arrays


def set_learner(learner: Learner, arrays: Mapping[str, np.ndarray], name: str) -> None:
    """Put back what :func:`learner_arrays` took."""
    set_net(learner, arrays, name)
    slots: dict[int, dict[str, Tensor]] = {}
    begin = f"{name}.adam."
    for key, value in arrays.items():
        if key.startswith(begin):
            index, slot = key.removeprefix(begin).split(".", 1)
            shape = () if slot == "step" else value.shape  # files know no scalars
            slots.setdefault(int(index), {})[slot] = torch.from_numpy(np.array(value).reshape(shape))
    groups = learner.optimizer.state_dict()["param_groups"]
    learner.optimizer.load_state_dict({"state": slots, "param_groups": groups})


def set_net(learner: Learner, arrays: Mapping[str, np.ndarray], name: str) -> None:
    """Put back the network alone, which is all that predictions need."""
    _set_module(learner.net, arrays, f"{name}.net.")


def _set_module(module: nn.Module, arrays: Mapping[str, np.ndarray], begin: str) -> None:
    shapes = {key: value.shape for key, value in module.state_dict().items()}
    try:
        found = {
            key: torch.from_numpy(np.array(arrays[begin + key])).reshape(shape) for key, shape in shapes.items()
        }
    except (KeyError, RuntimeError) as error:
        raise ArtifactError(f"the checkpoint is of another network: {error}") from error
    module.load_state_dict(found, strict=True)


def _pack(value: Any, arrays: Arrays, name: str) -> dict[str, Any]:
    """Describe a value; its arrays go into ``arrays``."""
    if value is None or type(value) in (bool, int, float, str):
        return {"is": "plain", "value": value}
    if isinstance(value, np.ndarray | np.generic | Tensor) and str(value.dtype) != "object":
        array = value.numpy(force=True) if isinstance(value, Tensor) else np.asarray(value)
        arrays[name] = array.reshape(-1)
        kind = "tensor" if isinstance(value, Tensor) else "array" if isinstance(value, np.ndarray) else "scalar"
        return {"is": kind, "shape": array.shape}
    if isinstance(value, list | tuple):
        parts = [_pack(item, arrays, f"{name}.{place}") for place, item in enumerate(value)]
        return {"is": type(value).__name__, "parts": parts} if type(value) in (list, tuple) else _OTHER
    if isinstance(value, dict) and all(isinstance(key, str | int) for key in value):
        pairs = [
            [key, _pack(item, arrays, f"{name}.{place}")] for place, (key, item) in enumerate(value.items())
        ]
        return {"is": "dict", "parts": pairs}
    if isinstance(value, Learner) and isinstance(value.net, ConversionNet):
        arrays |= learner_arrays(value, name)
        shape = {"net": asdict(value.net.config), "heads": value.net.heads, "numbers": len(value.net.mean)}
        return {"is": "learner", **shape, "buckets": _buckets(value.net), "learn": asdict(value.config),
                "seed": value.seed}  # fmt: skip
    if isinstance(value, nn.Module):
        arrays |= {f"{name}.{key}": item.numpy(force=True) for key, item in value.state_dict().items()}
        return {"is": "module"}
    return _pack_object(value, arrays, name)


def _pack_object(value: Any, arrays: Arrays, name: str) -> dict[str, Any]:
    ours = type(value).__module__.startswith("thence.conversion") and hasattr(value, "__dict__")
    if not ours or isinstance(value, _LEFT_OUT):
        return _OTHER
    fields = {field: _pack(item, arrays, f"{name}.{field}") for field, item in vars(value).items()}
    return {"is": "object", "of": type(value).__name__, "fields": fields}


def _unpack(part: Mapping[str, Any], arrays: Mapping[str, np.ndarray], name: str, current: Any) -> Any:
    """The value that was described; things that were not kept stay as they are."""
    match part["is"]:
        case "plain":
            return part["value"]
        case "array" | "scalar" | "tensor":
            array = np.array(arrays[name]).reshape(part["shape"])
            if part["is"] == "tensor":
                return torch.from_numpy(array).to(getattr(current, "device", "cpu"))
            return array if part["is"] == "array" else array[()]
        case "list" | "tuple":
            old = current if isinstance(current, list | tuple) else ()
            items = [
                _unpack(item, arrays, f"{name}.{place}", old[place] if place < len(old) else None)
                for place, item in enumerate(part["parts"])
            ]
            return items if part["is"] == "list" else tuple(items)
        case "dict":
            known = current if isinstance(current, dict) else {}
            pairs = enumerate(part["parts"])
            return {key: _unpack(item, arrays, f"{name}.{at}", known.get(key)) for at, (key, item) in pairs}
        case "learner":
            return _learner(part, arrays, name)
        case "module" if isinstance(current, nn.Module):
            _set_module(current, arrays, f"{name}.")
        case "object":
            return _object(part, arrays, name, current)
    return current


def _object(part: Mapping[str, Any], arrays: Mapping[str, np.ndarray], name: str, current: Any) -> Any:
    if part["of"] == Classifier.__name__ and not isinstance(current, Classifier):
        current = Classifier(None)
    if type(current).__name__ != part["of"]:
        raise ArtifactError(f"{name!r} was a {part['of']} when the checkpoint was written")
    for field, item in part["fields"].items():
        value = _unpack(item, arrays, f"{name}.{field}", getattr(current, field, None))
        object.__setattr__(current, field, value)
    return current


def _learner(part: Mapping[str, Any], arrays: Mapping[str, np.ndarray], name: str) -> Learner:
    config = NetConfig(**{**part["net"], "hidden": tuple(part["net"]["hidden"])})
    blank = Scale(np.zeros(part["numbers"], np.float32), np.ones(part["numbers"], np.float32))
    net = ConversionNet(tuple(part["buckets"]), blank, config, heads=part["heads"], seed=part["seed"])
    learner = Learner(net, LearnConfig(**part["learn"]), part["seed"])
    set_learner(learner, arrays, name)
    return learner


def _buckets(net: ConversionNet) -> list[int]:
    """How many categories each column of a network can have."""
    ends = [*net.offset.tolist(), len(net.table)]
    return [end - start for start, end in pairwise(ends)]
