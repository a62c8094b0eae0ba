"""One list for a history: what may stand in it, what may not, and what is refused."""

import numpy as np
import pytest

from thence.base.errors import ConfigError, DataError
from thence.base.ids import IdMap
from thence.encode.embeddings import Embeddings
from thence.encode.history import NextItems
from thence.encode.history.neighbours import SessionNeighbours
from thence.events.datasets.sessions import Sessions

IDS = IdMap(["phone", "case", "cable", "sock"])
PHONE, CASE, CABLE, SOCK = np.eye(4)
VECTORS = Embeddings(
    IDS, [PHONE, CASE, CABLE, SOCK], [CABLE, PHONE, CASE, SOCK]
)  # phone → case → cable → phone


def names(answers) -> list[str]:
    return [item for item, _ in answers]


def test_the_latest_item_leads() -> None:
    following = NextItems(VECTORS, decay=1.0)
    assert names(following.recommend(["sock", "phone"], k=1)) == ["case"]
    assert names(following.recommend(["phone", "case"], k=1)) == ["cable"]


def test_the_direction_is_kept() -> None:
    assert names(NextItems(VECTORS).recommend(["phone"], k=1)) == ["case"]
    assert names(NextItems(VECTORS).recommend(["case"], k=1)) == ["cable"]  # and never phone first


def test_what_is_owned_never_comes() -> None:
    following = NextItems(VECTORS)
    answers = names(following.recommend(["phone"], k=4, exclude=["case", "not in the shop"]))
    assert "case" not in answers and "phone" not in answers and len(answers) == 2
    assert "sock" in names(following.recommend(["sock"], k=1, again=True))


def test_unknown_items_are_passed_over_but_not_alone() -> None:
    following = NextItems(VECTORS)
    assert following.recommend(["phone", "gone"], k=2) == following.recommend(["phone"], k=2)
    for history in ([], ["gone"]):
        with pytest.raises(DataError):
            following.recommend(history)


def test_faults_are_refused() -> None:
    with pytest.raises(ConfigError):
        NextItems(VECTORS).recommend(["phone"], k=0)
    with pytest.raises(ConfigError):
        NextItems(VECTORS, decay=-1.0)
    with pytest.raises(DataError):
        NextItems(VECTORS).recommend_many([["phone"]], exclude=[[], []])


def test_many_are_answered_as_each() -> None:
    following = NextItems(VECTORS)
    histories = [["phone"], ["case", "sock"]]
    alone = [following.recommend(history, k=2) for history in histories]
    assert [names(row) for row in following.recommend_many(histories, k=2)] == [names(row) for row in alone]


def test_any_scorer_of_histories_serves() -> None:
    sessions = Sessions.of(IDS, [[0, 1], [0, 1], [0, 2]])
    following = NextItems(SessionNeighbours(sessions, before=0.0))
    assert names(following.recommend(["phone"], k=2)) == ["case", "cable"]
    with pytest.raises(DataError):
        following.sources([["phone"]])
    assert NextItems(VECTORS).sources([["phone"]]).shape == (1, 4)
