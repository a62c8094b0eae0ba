"""Settings of an index that are rarely touched."""

from __future__ import annotations

from dataclasses import dataclass

from thence.base.errors import ConfigError
from thence.index.neighbors import DIRECTIONS, Question, check_question


@dataclass(frozen=True)
class IndexOptions:
    """What to build, and how it is measured.

    Args:
        questions: those that will be asked; one structure is built for each role that answers one.
        queries: nodes to choose by, and as many others to report the recall on.
        seed: of samples, clusters and codes.
        sample: rows to train on, at most; a share of all, drawn at random.
        lists: number of inverted lists; chosen by the number of nodes when not given.
        links: links a node of HNSW (M).
        breadth: breadth of the search while HNSW is built (efConstruction).

    Raises:
        ConfigError: a number is out of range, or a question is unknown.

    Example:
        >>> IndexOptions(questions=("next",), lists=256).queries
        256
    """

    questions: tuple[Question, ...] = DIRECTIONS
    queries: int = 256
    seed: int = 0
    sample: int = 1 << 18
    lists: int | None = None
    links: int = 16
    breadth: int = 100

    def __post_init__(self) -> None:
        for question in self.questions:
            check_question(question)
        if not self.questions:
            raise ConfigError("no question is named", fix="Give questions=('next', 'before').")
        for name, least in (("queries", 1), ("sample", 1), ("links", 2), ("breadth", 1)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name}={getattr(self, name)}", fix=f"Give at least {least}.")
        if self.lists is not None and self.lists < 1:
            raise ConfigError(f"lists={self.lists}", fix="Give at least 1, or None.")
