"""What every scorer must keep, whatever it is made of: facts as functions of a scorer.

To hold a new scorer to them, make it on each of ``small_graphs()`` and call :func:`keeps_the_contract`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from thence.encode import Scorer
from thence.graph import DiGraph

Make = Callable[[DiGraph], Scorer]


def keeps_the_contract(make: Make, graph: DiGraph) -> None:
    """All facts that need no second graph."""
    scorer = make(graph)
    speaks_of_the_nodes_of_its_graph(scorer, graph)
    answers_in_rows_of_float32(scorer)
    holds_finite_numbers_or_never(scorer)
    says_the_same_from_both_ends(scorer)
    says_the_same_again(scorer)
    answers_in_a_batch_as_alone(scorer)
    is_made_the_same_again(make, graph, scorer)
    needs_no_certain_number_of_threads(make, graph)


def everyone(scorer: Scorer) -> np.ndarray:
    return np.arange(len(scorer.ids))


def speaks_of_the_nodes_of_its_graph(scorer: Scorer, graph: DiGraph) -> None:
    assert scorer.ids == graph.ids


def answers_in_rows_of_float32(scorer: Scorer) -> None:
    n = len(scorer.ids)
    asked: list = [[n - 1, 0, 0], np.array([1], np.int32), [], np.empty(0, np.int64)]
    for score in (scorer.scores, scorer.scores_into):
        for nodes in asked:
            answer = score(nodes)
            assert answer.shape == (len(nodes), n) and answer.dtype == np.float32
        first, _, last = score([0, 1, 0])
        np.testing.assert_array_equal(first, last)


def holds_finite_numbers_or_never(scorer: Scorer) -> None:
    """A score is a finite number, or -inf for what must never be answered."""
    for score in (scorer.scores, scorer.scores_into):
        answer = score(everyone(scorer))
        assert (np.isfinite(answer) | (answer == -np.inf)).all()


def says_the_same_from_both_ends(scorer: Scorer) -> None:
    """The score of i → j is one number, whether it is asked of i or of j."""
    forward, backward = scorer.scores(everyone(scorer)), scorer.scores_into(everyone(scorer))
    close(forward, backward.T)


def says_the_same_again(scorer: Scorer) -> None:
    """Asking changes nothing; what a caller writes into an answer is not kept."""
    before = scorer.scores(everyone(scorer)).copy()
    scorer.scores(everyone(scorer))[:] = 7.0
    scorer.scores_into(everyone(scorer))[:] = 7.0
    np.testing.assert_array_equal(scorer.scores(everyone(scorer)), before)


def answers_in_a_batch_as_alone(scorer: Scorer) -> None:
    for score in (scorer.scores, scorer.scores_into):
        close(score(everyone(scorer)), np.concatenate([score([node]) for node in everyone(scorer)]))


def is_made_the_same_again(make: Make, graph: DiGraph, scorer: Scorer) -> None:
    """The same graph, the same seed, the same threads: the same bytes."""
    again = make(graph)
    np.testing.assert_array_equal(again.scores(everyone(again)), scorer.scores(everyone(scorer)))


def needs_no_certain_number_of_threads(make: Make, graph: DiGraph) -> None:
    close(*(scores_with_threads(make, graph, threads) for threads in (1, 2)))


def scores_with_threads(make: Make, graph: DiGraph, threads: int) -> np.ndarray:
    import torch

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        with threadpool_limits(threads):
            scorer = make(graph)
            return scorer.scores(everyone(scorer))
    finally:
        torch.set_num_threads(before)


def turning_arcs_round_swaps_the_questions(make: Make, graph: DiGraph, other: DiGraph) -> None:
    """What followed i now leads to it: scores of the one graph are scores_into of the other."""
    scorer, turned = make(graph), make(other)
    close(turned.scores(everyone(turned)), scorer.scores_into(everyone(scorer)))
    close(turned.scores_into(everyone(turned)), scorer.scores(everyone(scorer)))


def turning_arcs_round_changes_the_answers(make: Make, graph: DiGraph, other: DiGraph) -> None:
    """A scorer that says the same of a graph and of its reverse has learned no direction."""
    scorer, turned = make(graph), make(other)
    ours, theirs = (np.where(np.isfinite(s), s, 0) for s in (both(scorer), both(turned)))
    assert np.abs(ours - theirs).max() > 0.05 * np.abs(ours).max()


def both(scorer: Scorer) -> np.ndarray:
    return scorer.scores(everyone(scorer))


def close(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Equal to 1e-5 of the largest score, entry by entry; -inf only where the other has it."""
    finite = np.isfinite(theirs)
    np.testing.assert_array_equal(np.isfinite(ours), finite)
    scale = max(float(np.abs(theirs[finite]).max(initial=0.0)), 1.0)
    np.testing.assert_allclose(ours[finite], theirs[finite], rtol=0, atol=1e-5 * scale)
