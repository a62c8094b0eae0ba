"""Telling the processor which memory is needed soon: LLVM's prefetch, for kernels that hop about in memory."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


def _prefetch(typing: Any, array: Any, index: Any) -> Any:
    """Begin to load ``array[index]`` (one-dimensional, contiguous) into the cache; never faults."""
    if not isinstance(array, types.Array) or not isinstance(index, types.Integer):
        return None
    signature = types.void(array, index)

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        layout, (values, position) = signature.args[0], arguments
        struct = context.make_array(layout)(context, builder, values)
        offset = context.cast(builder, position, signature.args[1], types.intp)
        address = cgutils.get_item_pointer2(
            context,
            builder,
            struct.data,
            cgutils.unpack_tuple(builder, struct.shape),
            cgutils.unpack_tuple(builder, struct.strides),
            layout.layout,
            [offset],
            wraparound=False,
            boundscheck=False,
        )
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        pointer = builder.bitcast(address, byte)
        name = "llvm.prefetch.p0" if "opaque" in str(type(pointer.type)) else "llvm.prefetch.p0i8"
        shape = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        function = cgutils.get_or_insert_function(builder.module, shape, name)
        builder.call(function, [pointer, word(0), word(3), word(1)])
        return context.get_dummy_value()

    return signature, build


prefetch: Any = intrinsic(_prefetch)
"""``prefetch(array, index)``: begin to load ``array[index]`` (one-dimensional) into the cache; never faults."""
