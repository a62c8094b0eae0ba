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
def _log_lik(num, count, fit, e, total, seen, tried, most, rate):
    """Binomial log likelihood of all views, -inf where one is seen of what was not picked."""
    norm = 0.0
    for j in range(num):
        if count[j] > 0:
            norm += e[j] * (2.0 if fit[j] else 1.0)
    found = 0.0
    for j in range(num):
        if count[j] == 0:
            if seen[j] > 0:
                return -np.inf
            continue
        p = min(total * e[j] * (2.0 if fit[j] else 1.0) / norm, most) / rate
        found += seen[j] * np.log(p) + max(tried[j] - seen[j], 0.0) * np.log(1.0 - p)
    return found


@numba.njit(cache=True)
def _pick(c, begin, fits_from, fitting, share):
    """A pick of type c: its place among the items, and whether it was picked for fitting."""
    some = fits_from[c + 1] - fits_from[c]
    u = np.random.random() ** 2
    if some > 0 and np.random.random() < share:
        return fitting[fits_from[c] + int(u * some)], True
    return begin[c] + int(u * (begin[c + 1] - begin[c])), False


@numba.njit(cache=True)
def _log_tail(k):
    """Log P(K = k)."""
    if k >= MAX_PICKS:
        return -TAIL * np.log(MAX_PICKS)
    return np.log(k**-TAIL - (k + 1.0) ** -TAIL)


@numba.njit(cache=True)
def posterior(begin, fits_from, fitting, share, seen, tried, budget, most, rate, sweeps, burn, seed):
    """Posterior mean of p of every item.

    Args:
        begin: ``[types + 1]`` first item of each type; items of a type by popularity.
        fits_from: ``[types + 1]`` where each type's fitting items begin.
        fitting: places of items that fit the series.
        share: ``[1]`` of picks that are among fitting ones.
        seen: ``[items]`` views that followed.
        tried: ``[items]`` chances given.
        budget: mean of Σ p.
        most: largest p.
        rate: share of views that end in a purchase.
        sweeps: of the chain.
        burn: sweeps before means are taken.
        seed: of the chain.

    Returns:
        ``[items]``.
    """
    np.random.seed(seed)
    num, types = len(seen), len(begin) - 1
    count, fit, e = np.zeros(num, np.int64), np.zeros(num, np.bool_), np.ones(num)
    picks, picked_fit, k_of = (
        np.zeros((types, MAX_PICKS), np.int64),
        np.zeros((types, MAX_PICKS), np.bool_),
        np.zeros(types, np.int64),
    )
    for c in range(types):
        for j in range(begin[c], begin[c + 1]):
            if seen[j] > 0 and k_of[c] < MAX_PICKS:
                near = False
                for f in range(fits_from[c], fits_from[c + 1]):
                    near = near or fitting[f] == j
                picks[c, k_of[c]], picked_fit[c, k_of[c]] = j, near
                count[j], fit[j], e[j] = 1, near, seen[j] + 0.5
                k_of[c] += 1
        if k_of[c] == 0:
            j, near = _pick(c, begin, fits_from, fitting, share[0])
            picks[c, 0], picked_fit[c, 0] = j, near
            count[j] += 1
            fit[j], e[j] = near, 0.5
            k_of[c] = 1
    total = budget
    now = _log_lik(num, count, fit, e, total, seen, tried, most, rate)
    mean = np.zeros(num)
    for sweep in range(sweeps + burn):
        other = budget * (0.5 + np.random.random())
        new = _log_lik(num, count, fit, e, other, seen, tried, most, rate)
        if np.log(np.random.random()) < new - now:
            total, now = other, new
        for j in range(num):
            if count[j] > 0:
                old = e[j]
                step = np.exp(np.random.normal() * 0.8)
                e[j] = old * step
                new = _log_lik(num, count, fit, e, total, seen, tried, most, rate)
                if np.log(np.random.random()) < new - now - (e[j] - old) + np.log(step):
                    now = new
                else:
                    e[j] = old
        for c in range(types):
            for turn in range(3):
                what = turn
                if what == 0:  # one more
                    if k_of[c] >= MAX_PICKS:
                        continue
                    j, near = _pick(c, begin, fits_from, fitting, share[0])
                    fresh, old_fit, old_e = count[j] == 0, fit[j], e[j]
                    count[j] += 1
                    new = now
                    if fresh:
                        fit[j], e[j] = near, np.random.exponential()
                        new = _log_lik(num, count, fit, e, total, seen, tried, most, rate)
                    gain = _log_tail(k_of[c] + 1) - _log_tail(k_of[c])
                    if np.log(np.random.random()) < new - now + gain:
                        picks[c, k_of[c]], picked_fit[c, k_of[c]] = j, near
                        k_of[c] += 1
                        now = new
                    else:
                        count[j] -= 1
                        fit[j], e[j] = old_fit, old_e
                elif what == 1:  # one less
                    if k_of[c] <= 1:
                        continue
                    at = int(np.random.random() * k_of[c])
                    j = picks[c, at]
                    count[j] -= 1
                    new = now
                    if count[j] == 0:
                        new = _log_lik(num, count, fit, e, total, seen, tried, most, rate)
                    gain = _log_tail(k_of[c] - 1) - _log_tail(k_of[c])
                    if np.log(np.random.random()) < new - now + gain:
                        k_of[c] -= 1
                        picks[c, at], picked_fit[c, at] = picks[c, k_of[c]], picked_fit[c, k_of[c]]
                        now = new
                    else:
                        count[j] += 1
                else:  # another in place of one
                    at = int(np.random.random() * k_of[c])
                    j = picks[c, at]
                    other_one, near = _pick(c, begin, fits_from, fitting, share[0])
                    if other_one == j:
                        continue
                    count[j] -= 1
                    fresh, old_fit, old_e = count[other_one] == 0, fit[other_one], e[other_one]
                    count[other_one] += 1
                    if fresh:
                        fit[other_one], e[other_one] = near, np.random.exponential()
                    new = now
                    if fresh or count[j] == 0:
                        new = _log_lik(num, count, fit, e, total, seen, tried, most, rate)
                    if np.log(np.random.random()) < new - now:
                        picks[c, at], picked_fit[c, at] = other_one, near
                        now = new
                    else:
                        count[j] += 1
                        count[other_one] -= 1
                        fit[other_one], e[other_one] = old_fit, old_e
        if sweep >= burn:
            norm = 0.0
            for j in range(num):
                if count[j] > 0:
                    norm += e[j] * (2.0 if fit[j] else 1.0)
            for j in range(num):
                if count[j] > 0:
                    mean[j] += min(total * e[j] * (2.0 if fit[j] else 1.0) / norm, most)
    return mean / sweeps
