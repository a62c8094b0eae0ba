"""The posterior of one source's arcs in a simulated world, by a Markov chain, compiled.

The law (``thence.events.worlds.affinity``): of each type c that belongs to the source's, K_c items are picked,
P(K_c ≥ k) = k^-1.5, up to 64; a pick is among those that fit the source's series with probability .7 where
there are some, among all of the type otherwise, and takes place ⌊n u²⌋ of the n by popularity. Items picked
have p_j = min(T e_j f_j / Σ e f, .5) with e ~ Exp(1), f 2 for fitting ones and T = budget · U(.5, 1.5). Views
that followed are binomial: v_j of n_j chances, each p_j / .6.

The chain adds and takes away picks, exchanges them, and moves e and T, each by Metropolis and Hastings' rule.
"""

from __future__ import annotations

import numba
import numpy as np

MAX_PICKS = 64
TAIL = 1.5


@numba.njit(cache=True)
def _log_lik(items, views, total, law):
    """Binomial log likelihood of all views, -inf where one is seen of what was not picked."""
    count, fit, e = items
    seen, tried = views
    norm = _norm(items)
    found = 0.0
    for j in range(len(count)):
        if count[j] == 0:
            if seen[j] > 0:
                return -np.inf
            continue
        p = min(total * e[j] * (2.0 if fit[j] else 1.0) / norm, law[1]) / law[2]
        found += seen[j] * np.log(p) + max(tried[j] - seen[j], 0.0) * np.log(1.0 - p)
    return found


@numba.njit(cache=True)
def _norm(items):
    """Σ e f over the items picked."""
    count, fit, e = items
    found = 0.0
    for j in range(len(count)):
        if count[j] > 0:
            found += e[j] * (2.0 if fit[j] else 1.0)
    return found


@numba.njit(cache=True)
def _pick(c, pools):
    """A pick of type c: its place among the items, and whether it was picked for fitting."""
    begin, fits_from, fitting, share = pools
    some = fits_from[c + 1] - fits_from[c]
    u = np.random.random() ** 2
    if some > 0 and np.random.random() < share[0]:
        return fitting[fits_from[c] + int(u * some)], True
    return begin[c] + int(u * (begin[c + 1] - begin[c])), False


@numba.njit(cache=True)
def _log_tail(k):
    """The logarithm of P(K = k)."""
    if k >= MAX_PICKS:
        return -TAIL * np.log(MAX_PICKS)
    return np.log(k**-TAIL - (k + 1.0) ** -TAIL)


@numba.njit(cache=True)
def _fits(j, c, pools):
    """Whether an item is among those that fit the series."""
    return bool((pools[2][pools[1][c] : pools[1][c + 1]] == j).any())


@numba.njit(cache=True)
def _start(items, picks, k_of, pools, views):
    """Everything that is seen is picked; of a type of which nothing is, one item."""
    count, fit, e = items
    begin, seen = pools[0], views[0]
    for c in range(len(k_of)):
        for j in range(begin[c], begin[c + 1]):
            if seen[j] > 0 and k_of[c] < MAX_PICKS:
                picks[c, k_of[c]], count[j], fit[j], e[j] = j, 1, _fits(j, c, pools), seen[j] + 0.5
                k_of[c] += 1
        if k_of[c] == 0:
            j, near = _pick(c, pools)
            picks[c, 0], count[j], fit[j], e[j] = j, 1, near, 0.5
            k_of[c] = 1


@numba.njit(cache=True)
def _strengths(items, views, total, law, now):
    """Move each e by a random factor."""
    count, _, e = items
    for j in range(len(count)):
        if count[j] > 0:
            old, step = e[j], np.exp(np.random.normal() * 0.8)
            e[j] = old * step
            new = _log_lik(items, views, total, law)
            if np.log(np.random.random()) < new - now - (e[j] - old) + np.log(step):
                now = new
            else:
                e[j] = old
    return now


@numba.njit(cache=True)
def _more(c, items, picked, pools, views, total, law, now):
    """One more pick of type c."""
    picks, k_of = picked
    if k_of[c] >= MAX_PICKS:
        return now
    count, fit, e = items
    j, near = _pick(c, pools)
    old_fit, old_e, new = fit[j], e[j], now
    count[j] += 1
    if count[j] == 1:
        fit[j], e[j] = near, np.random.exponential()
        new = _log_lik(items, views, total, law)
    if np.log(np.random.random()) < new - now + _log_tail(k_of[c] + 1) - _log_tail(k_of[c]):
        picks[c, k_of[c]] = j
        k_of[c] += 1
        return new
    count[j] -= 1
    fit[j], e[j] = old_fit, old_e
    return now


@numba.njit(cache=True)
def _less(c, items, picked, views, total, law, now):
    """One pick less of type c."""
    picks, k_of = picked
    if k_of[c] <= 1:
        return now
    count = items[0]
    at = int(np.random.random() * k_of[c])
    j, new = picks[c, at], now
    count[j] -= 1
    if count[j] == 0:
        new = _log_lik(items, views, total, law)
    if np.log(np.random.random()) < new - now + _log_tail(k_of[c] - 1) - _log_tail(k_of[c]):
        k_of[c] -= 1
        picks[c, at] = picks[c, k_of[c]]
        return new
    count[j] += 1
    return now


@numba.njit(cache=True)
def _other(c, items, picked, pools, views, total, law, now):
    """Another item in place of one pick of type c."""
    picks, k_of = picked
    count, fit, e = items
    at = int(np.random.random() * k_of[c])
    gone = picks[c, at]
    j, near = _pick(c, pools)
    if j == gone:
        return now
    old_fit, old_e, new = fit[j], e[j], now
    count[gone] -= 1
    count[j] += 1
    if count[j] == 1:
        fit[j], e[j] = near, np.random.exponential()
    if count[j] == 1 or count[gone] == 0:
        new = _log_lik(items, views, total, law)
    if np.log(np.random.random()) < new - now:
        picks[c, at] = j
        return new
    count[gone] += 1
    count[j] -= 1
    fit[j], e[j] = old_fit, old_e
    return now


@numba.njit(cache=True)
def posterior(pools, views, law, sweeps, burn, seed):
    """Posterior mean of p of every item.

    Args:
        pools: ``[types + 1]`` first item of each type, items of a type by popularity; ``[types + 1]`` where
            each type's fitting items begin; their places; and ``[1]`` the share of picks that are among them.
        views: ``[items]`` views that followed, and ``[items]`` chances given.
        law: mean of Σ p, largest p, and the share of views that end in a purchase.
        sweeps: of the chain.
        burn: sweeps before means are taken.
        seed: of the chain.

    Returns:
        ``[items]``.
    """
    np.random.seed(seed)
    num, types = len(views[0]), len(pools[0]) - 1
    items = np.zeros(num, np.int64), np.zeros(num, np.bool_), np.ones(num)
    picked = np.zeros((types, MAX_PICKS), np.int64), np.zeros(types, np.int64)
    _start(items, *picked, pools, views)
    total, mean = law[0], np.zeros(num)
    now = _log_lik(items, views, total, law)
    for sweep in range(sweeps + burn):
        other = law[0] * (0.5 + np.random.random())
        new = _log_lik(items, views, other, law)
        if np.log(np.random.random()) < new - now:
            total, now = other, new
        now = _strengths(items, views, total, law, now)
        for c in range(types):
            now = _more(c, items, picked, pools, views, total, law, now)
            now = _less(c, items, picked, views, total, law, now)
            now = _other(c, items, picked, pools, views, total, law, now)
        if sweep >= burn:
            norm = _norm(items)
            for j in range(num):
                if items[0][j] > 0:
                    mean[j] += min(total * items[2][j] * (2.0 if items[1][j] else 1.0) / norm, law[1])
    return mean / sweeps
