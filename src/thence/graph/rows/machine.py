"""What the processor can do and numba has no word for: ask early for memory, copy a line, widen a half.

Lines are 64 bytes, the unit in which memory comes. Nothing here looks at bounds.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LINE = 64
_BYTE = ir.IntType(8)


def _address(context: Any, builder: Any, layout: Any, array: Any, position: Any) -> Any:
    """A pointer to a byte of an array of bytes."""
    data = context.make_array(layout)(context, builder, array).data
    at = context.cast(builder, position[1], position[0], types.intp)
    return builder.bitcast(builder.gep(data, [at]), _BYTE.as_pointer())


def _prefetch_far(typing: Any, array: Any, index: Any) -> Any:
    """Begin to load the line of ``array[index]``, an array of bytes, into an outer cache; never faults."""
    if not isinstance(array, types.Array) or not isinstance(index, types.Integer):
        return None
    signature = types.void(array, index)

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        layout, number = signature.args
        pointer = _address(context, builder, layout, arguments[0], (number, arguments[1]))
        word = ir.IntType(32)
        name = "llvm.prefetch.p0" if "opaque" in str(type(pointer.type)) else "llvm.prefetch.p0i8"
        shape = ir.FunctionType(ir.VoidType(), [pointer.type, word, word, word])
        function = cgutils.get_or_insert_function(builder.module, shape, name)
        builder.call(function, [pointer, word(0), word(1), word(1)])
        return context.get_dummy_value()

    return signature, build


def _copies(past_cache: bool) -> Any:
    """How to build a copy of one line."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds, line = signature.args, ir.VectorType(ir.IntType(64), LINE // 8).as_pointer()
        start = _address(context, builder, kinds[2], arguments[2], (kinds[3], arguments[3]))
        end = _address(context, builder, kinds[0], arguments[0], (kinds[1], arguments[1]))
        value = builder.load(builder.bitcast(start, line))
        value.align = 1
        store = builder.store(value, builder.bitcast(end, line))
        store.align = LINE if past_cache else 1
        if past_cache:
            store.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))
        return context.get_dummy_value()

    return build


def _copy_line(typing: Any, target: Any, at: Any, source: Any, index: Any) -> Any:
    """Copy 64 bytes from ``source[index]`` on to ``target[at]`` on, both arrays of bytes."""
    if not isinstance(target, types.Array) or not isinstance(source, types.Array):
        return None
    return types.void(target, at, source, index), _copies(past_cache=False)


def _stream_line(typing: Any, target: Any, at: Any, source: Any, index: Any) -> Any:
    """The same to a line's beginning, past the caches: what stood there is not fetched first."""
    if not isinstance(target, types.Array) or not isinstance(source, types.Array):
        return None
    return types.void(target, at, source, index), _copies(past_cache=True)


def _settle(typing: Any) -> Any:
    """Let other threads see all that was stored so far, what was streamed included."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), build


def _half(typing: Any, word: Any) -> Any:
    """The float32 that the 16 bits of a half stand for; exact."""
    if word != types.uint16:
        return None

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fpext(builder.bitcast(arguments[0], ir.HalfType()), ir.FloatType())

    return types.float32(types.uint16), build


prefetch_far: Any = intrinsic(_prefetch_far)
"""``prefetch_far(array, index)``: begin to load the line of a byte into an outer cache; never faults."""

copy_line: Any = intrinsic(_copy_line)
"""``copy_line(target, at, source, index)``: copy 64 bytes."""

stream_line: Any = intrinsic(_stream_line)
"""``stream_line(target, at, source, index)``: copy 64 bytes past the caches; call ``settle`` afterwards."""

settle: Any = intrinsic(_settle)
"""``settle()``: let other threads see all that was stored, what was streamed included."""

half: Any = intrinsic(_half)
"""``half(word)``: the float32 that the 16 bits of a half stand for."""
