"""The figures once more, as literally as their definitions: loops over lists, ties by averaging over orders."""

import math
from itertools import pairwise, permutations

import numpy as np

from thence.base.ids import IdMap


class Table:
    """A scorer that reads its scores from a square table; entry (i, j) is the score of i → j."""

    def __init__(self, scores):
        self.table = np.asarray(scores, np.float64)
        self.ids = IdMap([f"n{i}" for i in range(len(self.table))])

    def scores(self, sources):
        return self.table[np.asarray(sources)]

    def scores_into(self, targets):
        return self.table.T[np.asarray(targets)]


def candidates(cases, source):
    known = set() if cases.known is None else set(cases.known.out(source).tolist())
    return [node for node in range(cases.num_nodes) if node != source and node not in known]


def lists(table, cases, source):
    """All orders of the candidates that agree with the scores."""
    nodes = candidates(cases, source)
    for order in permutations(nodes):
        row = [table[source][node] for node in order]
        if all(a >= b for a, b in pairwise(row)):
            yield list(order)


def hit_rate(table, cases, k):
    return _mean_over_cases(table, cases, lambda rank: float(rank <= k))


def mrr(table, cases, k):
    return _mean_over_cases(table, cases, lambda rank: 1 / rank if rank <= k else 0.0)


def _mean_over_cases(table, cases, gain):
    total = weight = 0.0
    for source, target, w in zip(cases.source, cases.target, cases.weight, strict=True):
        orders = list(lists(table, cases, source))
        total += w * sum(gain(order.index(target) + 1) for order in orders) / len(orders)
        weight += w
    return total / weight


def recall(table, cases, k):
    def one(order, relevant):
        return len(relevant & set(order[:k])) / len(relevant)

    return _mean_over_queries(table, cases, one)


def ndcg(table, cases, k):
    def one(order, relevant):
        gained = sum(1 / math.log2(1 + rank) for rank, node in enumerate(order[:k], 1) if node in relevant)
        return gained / sum(1 / math.log2(1 + rank) for rank in range(1, min(k, len(relevant)) + 1))

    return _mean_over_queries(table, cases, one)


def _mean_over_queries(table, cases, one):
    queries = {}
    for source, target, group in zip(cases.source, cases.target, cases.group, strict=True):
        queries.setdefault((source, group), set()).add(target)
    values = []
    for (source, _), relevant in queries.items():
        orders = list(lists(table, cases, source))
        values.append(sum(one(order, relevant) for order in orders) / len(orders))
    return sum(values) / len(values)
