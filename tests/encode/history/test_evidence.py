"""Evidence and its judge: who is brought forward, what each number says, and who comes behind."""

import numpy as np
import pytest
import torch

from thence.base.errors import ConfigError, FitError
from thence.base.ids import IdMap
from thence.encode.history.data import session_graph
from thence.encode.history.evidence import Evidence, View
from thence.encode.history.plain import Popular
from thence.encode.history.rerank import Judge, Reranker
from thence.encode.history.views import plain_views
from thence.events.datasets.sessions import Sessions
from thence.train.config import TrainConfig
from thence.train.history_rerank import fit_judge, gather

IDS = IdMap("abcdef")


class Fixed:
    """The same scores for every history."""

    def __init__(self, row: list[float]) -> None:
        self.ids, self.row = IDS, np.array(row, np.float32)

    def scores(self, histories: Sessions) -> np.ndarray:
        return np.tile(self.row, (len(histories), 1))


SESSIONS = Sessions.of(IDS, [[0, 1], [2, 3, 2]])
FIRST, SECOND = Fixed([0, 5, 3, 0, 0, 0]), Fixed([0, 0, 2, 8, 1, 0])


def test_each_view_brings_its_best() -> None:
    evidence = Evidence(SESSIONS, {"first": View(FIRST, 2), "second": View(SECOND, 2)})
    found = evidence.candidates(SESSIONS)
    assert found.nodes.tolist() == [[1, 2, 3]] * 2
    assert found.place_of(np.array([3, 5])).tolist() == [2, -1]


def test_numbers_are_what_their_names_say() -> None:
    evidence = Evidence(SESSIONS, {"first": View(FIRST, 2), "second": View(SECOND, 2)})
    table = evidence.candidates(SESSIONS).features
    said = dict(zip(evidence.names, table[1].T.tolist(), strict=True))
    assert said["first"] == pytest.approx([0, np.log(3 / 5), -12])
    assert said["first.rank"] == pytest.approx([0, np.log(2), np.log(3)])
    assert said["second"] == pytest.approx([-12, np.log(2 / 8), 0])
    assert said["in_history"] == [0, 1, 1] and said["is_last"] == [0, 1, 0]
    assert said["steps_back"] == [0, 1, 0.5] and said["times_met"] == pytest.approx([0, np.log(2), 0])
    assert said["length"] == pytest.approx([np.log(3)] * 3) and said["is_first"] == [0, 0, 0]


def test_what_nobody_brings_follows_behind_in_the_first_views_order() -> None:
    evidence = Evidence(SESSIONS, {"all": View(Popular(SESSIONS)), "few": View(SECOND, 2)})
    judge = Judge(np.zeros(len(evidence.names)), np.ones(len(evidence.names)), hidden=2)
    row = Reranker(evidence, judge).scores(SESSIONS)[0]
    assert min(row[[2, 3]]) > max(row[[0, 1, 4, 5]]) and row[0] > row[4]


def test_someone_must_bring_candidates() -> None:
    with pytest.raises(ConfigError):
        Evidence(SESSIONS, {"first": View(FIRST)})
    evidence = Evidence(SESSIONS, {"first": View(FIRST, 1)})
    with pytest.raises(FitError):
        gather(evidence, SESSIONS, np.array([5, 5]))


def test_a_judge_learns_whom_to_trust() -> None:
    """What follows is always the best of ``second``; ``first`` says nothing."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    known = Sessions.of(IDS, [rng.integers(6, size=3) for _ in range(60)])
    evidence = Evidence(known, {"first": View(FIRST, 2), "second": View(SECOND, 2)})
    judged = gather(evidence, known, np.full(60, 3))
    graph = session_graph(known)
    judge = fit_judge(judged, graph, TrainConfig(steps=40, batch_size=32, learning_rate=0.02), hidden=4)
    reranker = Reranker(evidence, judge)
    assert (reranker.scores(known).argmax(1) == 3).all()
    why = reranker.why(np.array([0]), 3)
    assert max(why, key=why.__getitem__).startswith(("first", "second"))
    assert reranker.why(np.array([0]), 5) == {}


def test_the_usual_views_see_a_rule() -> None:
    known = Sessions.of(IDS, [[0, 1], [2, 3]] * 20)
    evidence = Evidence(known, plain_views(known))
    found = evidence.candidates(Sessions.of(IDS, [[0]]))
    said = dict(
        zip(evidence.names, found.features[0, int(found.place_of(np.array([1]))[0])].tolist(), strict=True)
    )
    assert said["next"] == 0 and said["before"] == -12 and said["in_history"] == 0
