"""The space that vectors are coded in: their means apart, both roles of equal size, and no dimension special.

Scores stay what they are under any change of basis that the two roles share, s' = A⁻ᵀ s and t' = A t, while the
error of codes does not. With one step size for all dimensions the expected squared error of a score is
Σ_d E s'_d² · Σ_d E t'_d² up to a factor, and among diagonal A it is least where both roles have the same mean
square in each dimension, A_dd² = rms(s_d) / rms(t_d) (by Cauchy and Schwarz). Then a random rotation (signs
and Hadamard transforms in turn) spreads each vector evenly over the dimensions, so that its largest entry is
not far from its root mean square. Before both, what all vectors of a role have in common is taken away and kept
exactly:

    ⟨s, t⟩ = ⟨s − μ, t − ν⟩ + ⟨s − μ, ν⟩ + ⟨μ, t⟩

whose last two terms are one number a source and one a target.

References:
    Ailon and Chazelle, The fast Johnson-Lindenstrauss transform, SIAM J. Comput. 2009 (signs and Hadamard).
    Gao and Long, RaBitQ, SIGMOD 2024, section 3 (centred, rotated at random, then coded).
    Moore, Principal component analysis in linear systems, IEEE TAC 1981 (balancing).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thence.base.rng import generator
from thence.compress.quantize.codes import row_blocks

ROUNDS = 4
COMMON = 0.02
"""The share of a role's energy that its mean has to have to be kept apart."""

TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Space:
    """A change of basis for both roles, and what of each was taken away.

    Args:
        gain: ``[dim]`` float32, what source vectors are multiplied by and target vectors divided by.
        signs: ``[rounds, dim]`` int8, ±1.
        source_mean: ``[dim]`` float32, noughts where it is not taken away.
        target_mean: the same of target vectors.
    """

    gain: np.ndarray
    signs: np.ndarray
    source_mean: np.ndarray
    target_mean: np.ndarray

    @classmethod
    def fit(cls, source: np.ndarray, target: np.ndarray, seed: int) -> Space:
        """The space for these vectors, ``[num_rows, dim]`` float32 each.

        Example:
            >>> source = np.array([[100.0, 0.0], [0.0, 100.0], [-100.0, -100.0]], np.float32)
            >>> space = Space.fit(source, source / 100, seed=0)
            >>> space.gain.round(3)  # both roles become a tenth of the larger, and ten times the smaller
            array([0.1, 0.1], dtype=float32)
        """
        means = [_mean(source), _mean(target)]
        powers = [_power(side, mean) for side, mean in zip((source, target), means, strict=True)]
        least = max(max(float(power.max(initial=0.0)) for power in powers) * TINY, 1e-30)
        gain = ((powers[1] + least) / (powers[0] + least)) ** 0.25
        kept = []
        for mean, power, factor in zip(means, powers, (gain, 1 / gain), strict=True):
            common, rest = float(((mean * factor) ** 2).sum()), float((power * factor**2).sum())
            kept.append(mean if common > COMMON * (common + rest) else np.zeros_like(mean))
        signs = generator(seed, "rotation").integers(0, 2, (ROUNDS, source.shape[1]))
        return cls(gain.astype(np.float32), (2 * signs - 1).astype(np.int8), *kept)

    def into(self, vectors: np.ndarray, side: str) -> np.ndarray:
        """Vectors ``[b, dim]`` of a side (``"source"`` or ``"target"``) as they are coded, float32."""
        from thence.compress.quantize.kernel import rotate_rows

        mean, factor = self._of(side)
        turned = np.empty(vectors.shape, np.float32)
        for block in row_blocks(len(vectors)):
            turned[block] = (vectors[block] - mean) * factor
        rotate_rows(turned, self.signs)
        return turned

    def back(self, vectors: np.ndarray, side: str) -> np.ndarray:
        """The reverse of :meth:`into`, but for the mean, which stays away."""
        from thence.compress.quantize.kernel import rotate_rows_back

        turned = np.array(vectors, np.float32)
        rotate_rows_back(turned, self.signs)
        return turned / self._of(side)[1]

    def own(self, source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What each source and each target adds to a score by itself, float32; see above."""
        of_source = source @ self.target_mean - self.source_mean @ self.target_mean
        return of_source.astype(np.float32), (target @ self.source_mean).astype(np.float32)

    def tensors(self) -> Mapping[str, np.ndarray]:
        """What is kept."""
        return {name: getattr(self, name) for name in ("gain", "signs", "source_mean", "target_mean")}

    def _of(self, side: str) -> tuple[np.ndarray, np.ndarray]:
        if side == "source":
            return self.source_mean, self.gain
        return self.target_mean, 1 / self.gain


def _power(vectors: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Mean squares ``[dim]`` about a mean."""
    total = np.zeros(vectors.shape[1])
    for block in row_blocks(len(vectors)):
        total += np.square(vectors[block] - mean).sum(axis=0, dtype=np.float64)
    return total / max(len(vectors), 1)


def _mean(vectors: np.ndarray) -> np.ndarray:
    return vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
