"""Each kind of code by its formula: bytes known by hand, errors within their bounds, nothing else rounded."""

from __future__ import annotations

import numpy as np
import pytest

from thence.base.errors import DataError
from thence.compress.quantize.codes import by_tiles, bytes_of
from thence.compress.quantize.halves import BrainHalves, Halves
from thence.compress.quantize.integers import ByteDims, ByteRows
from thence.compress.quantize.packed import PackedRows
from thence.compress.quantize.product import ProductRows

ALL = slice(None)


def vectors(rows: int = 50, dim: int = 13, seed: int = 1) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (random.normal(size=(rows, dim)) * random.lognormal(0, 1, (rows, 1))).astype(np.float32)


def test_halves_round_to_the_nearest_half() -> None:
    x = vectors()
    decoded = Halves.fit(x).decode(ALL)
    np.testing.assert_array_equal(decoded, x.astype(np.float16).astype(np.float32))
    assert (np.abs(decoded - x) <= 2.0**-11 * np.abs(x) + 2.0**-25).all()
    with pytest.raises(DataError, match="bfloat16"):
        Halves.fit(np.array([[70_000.0]], np.float32))


def test_brain_halves_are_the_nearest_of_all_upper_halves() -> None:
    x = vectors()
    decoded = BrainHalves.fit(x).decode(ALL)
    assert (np.abs(decoded - x) <= 2.0**-8 * np.abs(x)).all()
    import torch

    np.testing.assert_array_equal(decoded, torch.from_numpy(x).to(torch.bfloat16).float().numpy())
    ties = np.array([[0x3F808000, 0x3F818000]], np.uint32).view(np.float32)  # half-way: to the even one
    assert BrainHalves.fit(ties).codes.tolist() == [[0x3F80, 0x3F82]]


def test_bytes_are_within_half_a_step_of_the_row_or_of_the_dimension() -> None:
    x = vectors()
    rows, dims = ByteRows.fit(x), ByteDims.fit(x)
    np.testing.assert_allclose(rows.scale, np.abs(x).max(axis=1) / 127, rtol=1e-6)
    np.testing.assert_allclose(dims.scale, np.abs(x).max(axis=0) / 127, rtol=1e-6)
    assert (np.abs(rows.decode(ALL) - x) <= rows.scale[:, None] * 0.5001).all()
    assert (np.abs(dims.decode(ALL) - x) <= dims.scale * 0.5001).all()
    assert bytes_of(rows) == 50 * (16 + 4) and bytes_of(dims) == 50 * 13 + 13 * 4


def test_rows_of_noughts_come_back_as_noughts() -> None:
    x = vectors()
    x[3] = 0
    kinds = [ByteRows.fit(x), ByteDims.fit(x), *(PackedRows.fit(x, bits) for bits in (1, 2, 4))]
    for codes in kinds:
        assert (codes.decode(ALL)[3] == 0).all()


def test_packing_by_hand() -> None:
    two = PackedRows(np.array([[0b11_10_01_00, 0b01]], np.uint8), np.ones(1, np.float32), None, 2, 5)
    assert two.bytes_at(ALL).tolist() == [[-3, -1, 1, 3, -1, 0, 0, 0]]
    four = PackedRows(np.array([[0xF0, 0x78, 0x0A]], np.uint8), np.full(1, 0.5, np.float32), None, 4, 5)
    assert four.bytes_at(ALL).tolist() == [[-15, 15, 1, -1, 5, 0, 0, 0]]
    assert four.decode(ALL).tolist() == [[-7.5, 7.5, 0.5, -0.5, 2.5]]
    one = PackedRows(np.array([[0b00000101, 0b1]], np.uint8), np.ones(1, np.float32), None, 1, 9)
    assert one.bytes_at(ALL)[0, :9].tolist() == [1, -1, 1, -1, -1, -1, -1, -1, 1]
    assert not one.bytes_at(ALL)[0, 9:].any()


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("dim", [1, 7, 8, 13, 32])
def test_few_bits_take_their_bytes_and_keep_the_length_along_the_row(bits: int, dim: int) -> None:
    x = vectors(dim=dim)
    codes = PackedRows.fit(x, bits)
    assert codes.codes.shape == (50, -(-dim * bits // 8))
    whole = codes.bytes_at(ALL)[:, :dim].astype(np.float64)
    assert set(np.unique(whole)) <= set(range(-(2**bits) + 1, 2**bits, 2))
    np.testing.assert_array_equal(np.sign(whole), np.where(x >= 0, 1, -1))
    decoded = codes.decode(ALL).astype(np.float64)
    np.testing.assert_allclose((decoded * x).sum(1), (x.astype(np.float64) ** 2).sum(1), rtol=1e-5)
    part = codes.decode(np.array([7, 3]))
    np.testing.assert_array_equal(part, decoded[[7, 3]].astype(np.float32))


def test_more_bits_point_more_nearly_the_same_way() -> None:
    x = np.random.default_rng(0).normal(size=(200, 64)).astype(np.float32)

    def cosine(decoded: np.ndarray) -> float:
        norms = np.linalg.norm(x, axis=1) * np.linalg.norm(decoded, axis=1)
        return float(((x * decoded).sum(1) / norms).mean())

    found = [cosine(PackedRows.fit(x, bits).decode(ALL)) for bits in (1, 2, 4)]
    # of normal numbers: √(2/π) for signs, √(1 − .1188) with four even levels, √(1 − .0115) with sixteen
    np.testing.assert_allclose(found, [0.798, 0.939, 0.994], atol=0.006)


def test_products_are_prototypes_times_the_factor() -> None:
    x = vectors(400, 10)
    codes = ProductRows.fit(x, seed=0)
    assert codes.codes.shape == (400, 3) and codes.table.shape == (3, 256, 4)
    literal = np.stack(
        [
            np.concatenate([codes.table[p, codes.codes[i, p]].astype(np.float32) for p in range(3)])[:10]
            * codes.scale[i]
            for i in range(400)
        ]
    )
    np.testing.assert_array_equal(codes.decode(ALL), literal)
    filled = np.pad(x, ((0, 0), (0, 2))).reshape(400, 3, 4)
    near = ((filled[:, :, None] - codes.wide[None]) ** 2).sum(3)  # no other prototype is nearer
    chosen = np.take_along_axis(near, codes.codes[:, :, None].astype(int), axis=2)[:, :, 0]
    assert (chosen <= near.min(axis=2) + 1e-2 * (filled**2).sum(2) + 1e-6).all()
    asked, bias = vectors(3, 10, seed=2), np.arange(400, dtype=np.float32)
    np.testing.assert_allclose(codes.products(asked, bias), by_tiles(codes, asked, bias), rtol=1e-4, atol=1e-3)


def test_too_few_vectors_for_prototypes_are_told() -> None:
    with pytest.raises(DataError, match="256 prototypes"):
        ProductRows.fit(vectors(255), seed=0)


def test_blocks_of_rows_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from thence.compress.quantize import codes as module
    from thence.compress.quantize.space import Space

    x, y = vectors(50, 13, 1), vectors(50, 13, 2)

    def made() -> list[np.ndarray]:
        space = Space.fit(x, y, seed=0)
        found = [ByteRows.fit(x).codes, ByteDims.fit(x).codes, ByteDims.fit(x).scale]
        return [*found, space.gain, space.into(x, "source")]

    whole = made()
    monkeypatch.setattr(module, "BLOCK_ROWS", 7)
    for ours, theirs in zip(made(), whole, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)
