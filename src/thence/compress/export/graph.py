"""A student's layers as an ONNX graph, node by node.

    z = Σ_k value[k] · P[entry[k]]                       entries of a product's sparse row, padded by value 0
    (source, target, bias) = z W + b + relu(z V + c) U   the cold branch
                           + the same of [z, p]          the warm branch, where a position p is not all noughts

The operators (Gather, Mul, ReduceSum, MatMul, Add, Relu, Concat, Abs, ReduceMax, Greater, Where) are those of
opset 17, which every runtime since 2022 knows.

References:
    ONNX operator specifications, opset 17.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from thence.base.errors import ConfigError
from thence.base.library import library

OPSET, IR_VERSION = 17, 8
EXTRA = "'thence[onnx]'"
ENTRIES, VALUES, POSITION, OUTPUTS = "entries", "values", "position", "outputs"
LARGEST = (1 << 31) - (1 << 20)
"""Bytes that one ONNX file can hold."""

Branch = Mapping[str, np.ndarray]


def student_model(project: np.ndarray, cold: Branch, warm: Branch | None = None) -> Any:
    """The ONNX model (``onnx.ModelProto``) of a student's arrays.

    Args:
        project: ``[num_features, words]`` float32, P.
        cold: ``weight``, ``offset``, ``inner``, ``inner_offset`` and ``outer`` of the cold branch.
        warm: the same of the warm branch; with it, the model takes ``position`` too.

    Returns:
        A checked model with the inputs ``entries`` int64 ``[n, k]``, ``values`` float32 ``[n, k]`` and, with a
        warm branch, ``position`` float32 ``[n, positions]``; the output is ``outputs``, float32
        ``[n, 2 dim + 1]``.

    Raises:
        ConfigError: the arrays are more than an ONNX file can hold, or onnx is not installed (extra ``onnx``).

    Example:
        >>> one = np.ones((1, 1), np.float32)
        >>> branch = {"weight": one, "offset": one[0], "inner": one, "inner_offset": one[0], "outer": one}
        >>> model = student_model(one, branch)
        >>> [node.op_type for node in model.graph.node][:3], model.opset_import[0].version
        (['Gather', 'Unsqueeze', 'Mul'], 17)
    """
    onnx = library("onnx", EXTRA)
    from onnx import TensorProto, helper, numpy_helper

    arrays = {"project": project} | _named("cold", cold) | ({} if warm is None else _named("warm", warm))
    if sum(array.nbytes for array in arrays.values()) > LARGEST:
        raise ConfigError("the student is larger than an ONNX file can be", fix="Teach one with fewer words.")
    arrays |= {"last": np.array([2], np.int64), "middle": np.array([1], np.int64)}
    nodes = [
        helper.make_node("Gather", ["project", ENTRIES], ["rows"], axis=0),
        helper.make_node("Unsqueeze", [VALUES, "last"], ["weights"]),
        helper.make_node("Mul", ["rows", "weights"], ["weighed"]),
        helper.make_node("ReduceSum", ["weighed", "middle"], ["words"], keepdims=0),
        *_branch("cold", "words", OUTPUTS if warm is None else "cold_outputs"),
    ]
    inputs = [
        helper.make_tensor_value_info(ENTRIES, TensorProto.INT64, ["n", "k"]),
        helper.make_tensor_value_info(VALUES, TensorProto.FLOAT, ["n", "k"]),
    ]
    if warm is not None:
        positions = warm["weight"].shape[0] - project.shape[1]
        inputs.append(helper.make_tensor_value_info(POSITION, TensorProto.FLOAT, ["n", positions]))
        arrays["nought"] = np.zeros((), np.float32)
        nodes += _where_known()
    graph = helper.make_graph(
        nodes,
        "student",
        inputs,
        [helper.make_tensor_value_info(OUTPUTS, TensorProto.FLOAT, ["n", len(cold["offset"])])],
        [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in arrays.items()],
    )
    model = helper.make_model(graph, producer_name="thence", opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version = IR_VERSION
    onnx.checker.check_model(model, full_check=True)
    return model


def _named(name: str, branch: Branch) -> dict[str, np.ndarray]:
    return {f"{name}.{part}": np.asarray(array, np.float32) for part, array in branch.items()}


def _branch(name: str, given: str, result: str) -> list[Any]:
    """Nodes of x W + b + relu(x V + c) U."""
    from onnx.helper import make_node

    return [
        make_node("MatMul", [given, f"{name}.weight"], [f"{name}_linear"]),
        make_node("Add", [f"{name}_linear", f"{name}.offset"], [f"{name}_straight"]),
        make_node("MatMul", [given, f"{name}.inner"], [f"{name}_first"]),
        make_node("Add", [f"{name}_first", f"{name}.inner_offset"], [f"{name}_moved"]),
        make_node("Relu", [f"{name}_moved"], [f"{name}_hidden"]),
        make_node("MatMul", [f"{name}_hidden", f"{name}.outer"], [f"{name}_bent"]),
        make_node("Add", [f"{name}_straight", f"{name}_bent"], [result]),
    ]


def _where_known() -> list[Any]:
    """Nodes that add the warm branch to products whose position is not all noughts."""
    from onnx.helper import make_node

    return [
        make_node("Concat", ["words", POSITION], ["placed"], axis=1),
        *_branch("warm", "placed", "warm_outputs"),
        make_node("Abs", [POSITION], ["sizes"]),
        make_node("ReduceMax", ["sizes"], ["largest"], axes=[1], keepdims=1),
        make_node("Greater", ["largest", "nought"], ["known"]),
        make_node("Where", ["known", "warm_outputs", "nought"], ["added"]),
        make_node("Add", ["cold_outputs", "added"], [OUTPUTS]),
    ]
