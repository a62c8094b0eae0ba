"""Next-item prediction: which cases there are, and figures known by hand."""

import numpy as np
import pytest

from thence.base.errors import DataError
from thence.base.ids import IdMap
from thence.evaluate.next_item import next_cases, rank_next
from thence.events.datasets.sessions import Sessions

IDS = IdMap("abcd")


class Fixed:
    """The same scores for every history."""

    def __init__(self, row: list[float], ids: IdMap = IDS) -> None:
        self.ids, self.row = ids, np.array(row, np.float32)

    def scores(self, histories: Sessions) -> np.ndarray:
        return np.tile(self.row, (len(histories), 1))


class Oracle:
    """Knows what follows; sees one history at a time."""

    ids = IDS

    def __init__(self, following: dict[tuple[int, ...], int]) -> None:
        self.following = following

    def scores(self, histories: Sessions) -> np.ndarray:
        rows = np.zeros((len(histories), 4), np.float32)
        for row, items in enumerate(histories.lists()):
            rows[row, self.following[tuple(items)]] = 1
        return rows


SESSIONS = Sessions.of(IDS, [[0, 1, 2], [3], [2, 0]])


def test_every_beginning_is_a_case_and_only_the_past_is_shown() -> None:
    cases = next_cases(SESSIONS)
    assert cases.histories.lists() == [[0], [0, 1], [2]]
    assert cases.following.tolist() == [1, 2, 0] and cases.final.tolist() == [False, True, True]


def test_places_are_those_among_all_items() -> None:
    ranking = rank_next(Fixed([3, 2, 1, 0]), next_cases(SESSIONS))
    assert ranking.above.tolist() == [1, 2, 0]
    assert ranking.figures()["MRR@20"] == pytest.approx((1 / 2 + 1 / 3 + 1) / 3)
    assert ranking.figures(final=True)["MRR@10"] == pytest.approx((1 / 3 + 1) / 2)


def test_who_knows_is_always_right_and_who_says_nothing_guesses() -> None:
    cases = next_cases(SESSIONS)
    right = rank_next(Oracle({(0,): 1, (0, 1): 2, (2,): 0}), cases, batch=1).figures()
    assert right["HR@5"] == right["MRR@20"] == 1
    flat = rank_next(Fixed([0, 0, 0, 0]), cases)
    assert (flat.above == 0).all() and (flat.tied == 4).all()
    assert flat.figures()["MRR@20"] == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)


def test_samples_keep_histories_with_what_followed() -> None:
    rng = np.random.default_rng(0)
    cases = next_cases(Sessions.of(IDS, [rng.integers(4, size=6) for _ in range(50)]))
    few = cases.sample(20, 1)
    whole = {(tuple(h), f) for h, f in zip(cases.histories.lists(), cases.following.tolist(), strict=True)}
    assert len(few) == 20 and few.following.tolist() == cases.sample(20, 1).following.tolist()
    assert all(
        (tuple(h), f) in whole for h, f in zip(few.histories.lists(), few.following.tolist(), strict=True)
    )


@pytest.mark.parametrize(
    "scorer", [Fixed([1, 2, 3]), Fixed([1, np.nan, 3, 4]), Fixed([1, 2, 3, 4], IdMap("abce"))]
)
def test_wrong_scores_are_refused(scorer) -> None:
    with pytest.raises(DataError):
        rank_next(scorer, next_cases(SESSIONS))


def test_no_cases_are_refused() -> None:
    with pytest.raises(DataError):
        rank_next(Fixed([1, 2, 3, 4]), next_cases(Sessions.of(IDS, [[1]])))
