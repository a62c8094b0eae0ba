"""Sixty-four products of bytes in one instruction, where the processor has it (AVX-512 VNNI).

``vpdpbusd`` multiplies 64 unsigned bytes by 64 signed ones and adds each four neighbouring products to one of
16 int32 sums. A tile keeps the sums of 8 queries and 32 rows in registers while it walks along the dimensions.
Codes are signed on both sides, so the rows come with 128 added (one bit turned), and who calls takes
128 · Σ query away again; integers, so nothing is rounded.

Nothing here looks at bounds. The instruction is written out as assembly because LLVM has changed the signature
of its intrinsic between releases.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

QUERIES, ROWS, WORD = 8, 32, 4
"""Queries and rows of a tile, and dimensions that are multiplied at a time."""

LANES, LINE = 16, 64
_BYTE, _WORD, _LONG = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_SUMS, _BYTES = ir.VectorType(_WORD, LANES), ir.VectorType(_BYTE, LINE)
_MULTIPLY = ir.FunctionType(_SUMS, [_SUMS, _SUMS, _SUMS])


@cache
def has_byte_products() -> bool:
    """Whether this processor has the instruction."""
    from llvmlite.binding import get_host_cpu_features, initialize_native_asmparser

    try:
        features = get_host_cpu_features()
    except RuntimeError:  # LLVM cannot tell on every platform
        return False
    initialize_native_asmparser()  # numba itself writes no assembly
    return bool(features.get("avx512vnni") and features.get("avx512bw"))


def _address(context: Any, builder: Any, layout: Any, array: Any, offset: Any) -> Any:
    data = context.make_array(layout)(context, builder, array).data
    return builder.gep(builder.bitcast(data, _BYTE.as_pointer()), [offset])


def _at(builder: Any, start: Any, offset: Any, kind: Any) -> Any:
    """What stands ``offset`` bytes after ``start``."""
    value = builder.load(builder.bitcast(builder.gep(start, [offset]), kind.as_pointer()))
    value.align = 1
    return value


def _multiply(builder: Any, sums: Any, rows: Any, query: Any) -> Any:
    code = "vpdpbusd $3, $2, $0"
    return builder.asm(_MULTIPLY, code, "=v,0,v,v", [sums, rows, query], side_effect=False)


def _byte_tile(typing: Any, queries: Any, at: Any, stride: Any, rows: Any, words: Any, out: Any) -> Any:
    """The sums of a tile: ``out[(2 · q + half) · 16 + lane] = Σ query · (row + 128)``."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds, step = signature.args, arguments[2]
        query = _address(context, builder, kinds[0], arguments[0], arguments[1])
        row = _address(context, builder, kinds[3], arguments[3], _LONG(0))
        place = _address(context, builder, kinds[5], arguments[5], _LONG(0))
        sums = [cgutils.alloca_once(builder, _SUMS) for _ in range(2 * QUERIES)]
        for one in sums:
            builder.store(ir.Constant(_SUMS, [0] * LANES), one)
        nothing, first = ir.Constant(_SUMS, ir.Undefined), ir.Constant(_SUMS, [0] * LANES)
        with cgutils.for_range(builder, arguments[4]) as loop:
            line = builder.mul(loop.index, _LONG(2 * LINE))
            halves = [_at(builder, row, builder.add(line, _LONG(half * LINE)), _SUMS) for half in (0, 1)]
            word = builder.mul(loop.index, _LONG(WORD))
            for q in range(QUERIES):
                four = _at(builder, query, builder.add(builder.mul(step, _LONG(q)), word), _WORD)
                one = builder.insert_element(nothing, four, _WORD(0))
                spread = builder.shuffle_vector(one, nothing, first)
                for half in (0, 1):
                    kept = sums[2 * q + half]
                    builder.store(_multiply(builder, builder.load(kept), halves[half], spread), kept)
        for number, one in enumerate(sums):
            pointer = builder.bitcast(builder.gep(place, [_LONG(number * LINE)]), _SUMS.as_pointer())
            builder.store(builder.load(one), pointer).align = 1
        return context.get_dummy_value()

    return types.void(queries, types.int64, types.int64, rows, types.int64, out), build


byte_tile: Any = intrinsic(_byte_tile)
"""``byte_tile(queries, at, stride, rows, words, out)``: the sums of 8 queries and 32 rows.

``queries`` is int8, the first query from byte ``at`` on and each next one ``stride`` bytes later; ``rows`` is a
packed tile, ``words`` groups of 128 bytes; ``out`` is int32 of 256.
"""
