"""The line between where a rule acts and where it does not, on a grid of points."""

from __future__ import annotations

import numpy as np

Point = tuple[int, int]
Path = tuple[list[float], list[float]]


def outline(act: np.ndarray, cells: tuple[int, int]) -> list[Path]:
    """Paths along the sides of points whose neighbours are decided otherwise.

    Args:
        act: ``[rows, columns]`` bool.
        cells: rows and columns of the cells that the points lie in; both divide the shape of ``act``.

    Returns:
        ``x`` and ``y`` of each path, in cells; corners only.

    Example:
        >>> outline(np.array([[False, True], [False, True]]), (2, 2))
        [([1.0, 1.0], [0.0, 2.0])]
        >>> outline(np.ones((2, 2), bool), (2, 2))
        []
    """
    pieces: list[tuple[Point, Point]] = []
    for row, column in zip(*np.nonzero(act[:, 1:] != act[:, :-1]), strict=True):
        pieces.append(((int(column) + 1, int(row)), (int(column) + 1, int(row) + 1)))
    for row, column in zip(*np.nonzero(act[1:] != act[:-1]), strict=True):
        pieces.append(((int(column), int(row) + 1), (int(column) + 1, int(row) + 1)))
    width, height = act.shape[1] / cells[1], act.shape[0] / cells[0]
    return [
        ([x / width for x, _ in path], [y / height for _, y in path]) for path in map(_corners, _joined(pieces))
    ]


def _joined(pieces: list[tuple[Point, Point]]) -> list[list[Point]]:
    """Pieces that meet as paths, open ones first, so that dashes run on."""
    meets: dict[Point, list[int]] = {}
    for place, piece in enumerate(pieces):
        for point in piece:
            meets.setdefault(point, []).append(place)
    left, paths = set(range(len(pieces))), []
    for start in sorted(meets, key=lambda point: (len(meets[point]) == 2, point)):
        point, path = start, [start]
        while (next_ := next((place for place in meets[point] if place in left), None)) is not None:
            left.discard(next_)
            first, second = pieces[next_]
            point = second if point == first else first
            path.append(point)
        if len(path) > 1:
            paths.append(path)
    return paths


def _corners(path: list[Point]) -> list[Point]:
    """The path without the points at which it goes straight on."""
    kept = [path[0]]
    for before, at, after in zip(path, path[1:], path[2:], strict=False):
        if (at[0] - before[0], at[1] - before[1]) != (after[0] - at[0], after[1] - at[1]):
            kept.append(at)
    return [*kept, path[-1]]
