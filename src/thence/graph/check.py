"""What arcs must be: checked once where they are made, and again where they are loaded."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from operator import index
from typing import TYPE_CHECKING

import numpy as np

from thence.base.errors import ArtifactError, DataError

if TYPE_CHECKING:
    from thence.graph.arcs import Arcs

BLOCK = 1 << 20
KERNEL_FROM = 1 << 22
"""Arcs; smaller relations are checked without compiled code, which costs its import."""
POSITIONS = (np.int32, np.int64)
"""Types that positions of arcs are kept in."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def node_count(num_nodes: int) -> int:
    """A number of nodes, checked.

    Raises:
        DataError: it is no int, negative, or more than int32 can number.
    """
    try:
        count = index(num_nodes)
    except TypeError as error:
        raise DataError(f"num_nodes is {num_nodes!r}, not an int") from error
    if not 0 <= count < 2**31:
        raise DataError(f"num_nodes is {count}", fix="It is at least 0 and below 2147483648.")
    return count


def position_type(num_arcs: int) -> type[np.signedinteger]:
    """The smaller type that numbers so many arcs and their end: int32 where it fits, int64 beyond.

    Example:
        >>> position_type(2**31 - 1).__name__, position_type(2**31).__name__
        ('int32', 'int64')
    """
    return np.int32 if num_arcs < 2**31 else np.int64


def node_array(nodes: np.ndarray | Sequence[int], name: str) -> np.ndarray:
    """Nodes as an array of ints ``[n]``; int32 and int64 stay as they are.

    Raises:
        DataError: they are not a list of ints.
    """
    array = np.asarray(nodes)
    if array.ndim != 1:
        raise DataError(f"{name} has shape {array.shape}", fix="Give a list of node ints.")
    if not len(array):
        return array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise DataError(f"{name} holds {array.dtype}, not ints", fix="Encode ids with IdMap.encode first.")
    return array if array.dtype in (np.int32, np.int64) else array.astype(np.int64)


def check_pairs(src: np.ndarray, dst: np.ndarray, num_nodes: int, values: Mapping[str, np.ndarray]) -> None:
    """Refuse arcs that no relation can have.

    Raises:
        DataError: lengths differ, a node is out of range, an arc leads to its own source, or a value is wrong.
    """
    if len(src) != len(dst):
        raise DataError(f"{len(src)} sources but {len(dst)} targets")
    check_values(values, len(src))
    if not len(src):
        return
    low, high = min(src.min(), dst.min()), max(src.max(), dst.max())
    if low < 0 or high >= num_nodes:
        raise DataError(f"node {low if low < 0 else high} is out of range", where=f"{num_nodes} nodes")
    loop = src == dst
    if loop.any():
        raise DataError(f"node {src[np.argmax(loop)]} has an arc to itself", fix="Drop self-loops.")


def check_values(values: Mapping[str, np.ndarray], num_arcs: int) -> None:
    """Refuse values that are not one number an arc.

    Raises:
        DataError: a name cannot be a file's, a shape or a type is wrong, or a weight is not finite.
    """
    check_shapes(values, num_arcs)
    weight = values.get("weight", np.zeros(0))
    for at in range(0, len(weight), BLOCK):
        if not np.isfinite(weight[at : at + BLOCK]).all():
            raise DataError("an arc's weight is not finite", fix="Drop the arc or give it a weight.")


def check_shapes(values: Mapping[str, np.ndarray], num_arcs: int) -> None:
    """Refuse values whose names, shapes or types are wrong, without reading them.

    Raises:
        DataError: a name cannot be a file's, or a shape or a type is wrong.
    """
    for name, array in values.items():
        check_name(name, "value")
        if array.shape != (num_arcs,):
            raise DataError(f"value {name!r} has shape {array.shape} for {num_arcs} arcs")
        if array.dtype.kind not in "biuf":
            raise DataError(f"value {name!r} holds {array.dtype}, not numbers")


def check_name(name: str, what: str) -> None:
    """Refuse a name that could not be part of a file's name on every system.

    Raises:
        DataError: it is not made of letters, digits, ``_`` and ``-``.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise DataError(
            f"a {what} cannot be named {name!r}",
            fix="Use up to 64 letters, digits, _ and -, a letter or digit first.",
        )


def frozen(array: np.ndarray) -> np.ndarray:
    """The same array, read-only; whoever made it may still hold a writable one."""
    if not array.flags.writeable:
        return array
    view = array.view()
    view.setflags(write=False)
    return view


def check_opened(arcs: Arcs) -> None:
    """Check what can be seen without reading the arrays: their types, shapes, and first and last offsets.

    Raises:
        ArtifactError: they cannot be the arrays of one relation.
    """
    num_nodes, num_arcs = arcs.num_nodes, arcs.num_arcs
    for name, indptr, nodes in (
        ("targets", arcs.indptr, arcs.targets),
        ("sources", arcs.in_indptr, arcs.sources),
    ):
        _demand(nodes.shape == (num_arcs,) and nodes.dtype == np.int32, f"{name} are malformed")
        fits = num_nodes >= 0 and indptr.shape == (num_nodes + 1,) and indptr.dtype in POSITIONS
        _demand(fits, f"rows of {name} are malformed")
        _demand(indptr[0] == 0 and indptr[-1] == num_arcs, f"rows of {name} do not follow one another")
    fits = arcs.in_order.shape == (num_arcs,) and arcs.in_order.dtype in POSITIONS
    _demand(fits, "in_order is malformed")
    _demand("weight" in arcs.values, "there is no weight")
    try:
        check_shapes(arcs.values, num_arcs)
    except DataError as error:
        raise ArtifactError(error.what) from error


def check_stored(arcs: Arcs) -> None:
    """Check everything that :meth:`Arcs.from_pairs` promises, in one pass over each array.

    It is run on loaded graphs: digests tell that bytes are those that were written, not that they make sense.

    Raises:
        ArtifactError: the arrays do not describe a relation.
    """
    check_opened(arcs)
    for name, indptr in (("targets", arcs.indptr), ("sources", arcs.in_indptr)):
        falls = bool((indptr[1:] < indptr[:-1]).any())
        _demand(not falls, f"rows of {name} do not follow one another")
    for at in range(0, arcs.num_arcs, BLOCK):
        _demand(bool(np.isfinite(arcs.weight[at : at + BLOCK]).all()), "an arc's weight is not finite")
    if arcs.num_arcs < KERNEL_FROM:
        _check_rows(arcs)
    else:
        from thence.graph.check_kernel import first_fault

        fault = first_fault(arcs)
        _demand(not fault, fault)
    if not arcs.directed:
        same = np.array_equal(arcs.indptr, arcs.in_indptr) and np.array_equal(arcs.targets, arcs.sources)
        _demand(same, "an arc of an undirected relation lacks its reverse")


def _check_rows(arcs: Arcs) -> None:
    """Rows list nodes that exist, ascending and not their own; the in-side lists the out-side's arcs."""
    _check_side("targets", arcs.indptr, arcs.targets)
    _check_side("sources", arcs.in_indptr, arcs.sources)
    source = np.repeat(np.arange(arcs.num_nodes, dtype=np.int32), arcs.out_degree)
    target = np.repeat(np.arange(arcs.num_nodes, dtype=np.int32), arcs.in_degree)
    _demand(not (source == arcs.targets).any(), "a node has an arc to itself")
    for at in range(0, arcs.num_arcs, BLOCK):
        part = slice(at, at + BLOCK)
        order = arcs.in_order[part]
        _demand(order.min() >= 0 and order.max() < arcs.num_arcs, "in_order is out of range")
        agree = (source[order] == arcs.sources[part]) & (arcs.targets[order] == target[part])
        _demand(bool(agree.all()), "the sources of a node are not those whose targets it is")


def _check_side(name: str, indptr: np.ndarray, nodes: np.ndarray) -> None:
    if not len(nodes):
        return
    _demand(nodes.min() >= 0 and nodes.max() < len(indptr) - 1, f"{name} are out of range")
    rising = np.empty(len(nodes), bool)
    np.less(nodes[:-1], nodes[1:], out=rising[1:])
    rising[indptr[:-1][indptr[:-1] < indptr[1:]]] = True
    _demand(bool(rising.all()), f"{name} do not ascend inside a row")


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ArtifactError(otherwise)
