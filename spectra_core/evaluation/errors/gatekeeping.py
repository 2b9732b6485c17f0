"""Several declared comparisons at once: an arm's mean over targets first, then its targets, at 5 % in all.

A graphical procedure (Bretz, Maurer, Brannath & Posch, Statistics in Medicine 2009, 28, 586-604): every hypothesis
holds a share of the significance level, and hands it on along weighted arrows when it is rejected. Whatever the
hypotheses have to do with each other, the chance of any false rejection stays below the level.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

GATE_SHARE = 0.5
"""Share of the level that the means over targets start with; the rest is for effects on single targets."""
_CRUMB = 1e-6
"""Weight of an arrow that matters only once its neighbours are gone."""


def graph_adjusted(
    p: NDArray[np.float64], shares: NDArray[np.float64], arrows: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return p adjusted by the graph: a hypothesis is rejected at a level where its adjusted p does not exceed it.

    Parameters
    ----------
    p : (n,)
    shares : (n,)
        Of the level, at the beginning; their sum is at most 1.
    arrows : (n, n)
        Row i: the parts of its share that i hands to the others when it is rejected; sums of rows at most 1.
    """
    shares, arrows = shares.astype(float), arrows.astype(float)
    adjusted, reached = np.ones(len(p)), 0.0
    left = list(range(len(p)))
    while left:
        wanted = [p[i] / shares[i] if shares[i] > 0 else np.inf for i in left]
        first = left[int(np.argmin(wanted))]
        reached = max(reached, min(wanted))
        if reached > 1.0:
            break
        adjusted[first] = reached
        left.remove(first)
        shares = shares + shares[first] * arrows[first]
        into, out = arrows[:, first], arrows[first]
        both = 1.0 - np.outer(into * out, np.ones(len(p)))  # 1 - g_ji g_ij for row j
        new = np.divide(arrows + np.outer(into, out), both, out=np.zeros_like(arrows), where=both > 0)
        new[:, first] = new[first] = 0.0
        np.fill_diagonal(new, 0.0)
        arrows = new
    return adjusted


def starting_shares(n_arms: int, n_targets: int) -> tuple[float, float]:
    """Return the parts of the level with which an arm's mean, and each of its targets, begin.

    >>> starting_shares(2, 5), starting_shares(2, 1)
    ((0.25, 0.05), (0.0, 0.5))
    """
    of_mean = GATE_SHARE if n_targets > 1 else 0.0
    return of_mean / n_arms, (1.0 - of_mean) / n_arms / n_targets


def gatekeeping(means: Sequence[float], targets: Sequence[Sequence[float]]) -> tuple[list[float], list[list[float]]]:
    """Adjust the p of every arm's mean over targets, and of its targets.

    Half of the level is dealt to the means, half to single targets. A mean that is told hands its share to its targets,
    a target to the others of its arm, and what an arm no longer needs goes to the other arms. An arm with one target
    has one hypothesis, which holds all of the arm's share.

    Parameters
    ----------
    means
        p of every arm's mean over its targets.
    targets
        p of its targets, for every arm.

    Returns
    -------
    Adjusted p of the means, and of the targets.

    Examples
    --------
    >>> means, targets = gatekeeping([0.01], [[0.02, 0.6]])
    >>> [round(p, 3) for p in means], [[round(p, 3) for p in each] for each in targets]
    ([0.02], [[0.04, 0.6]])
    """
    n_arms = len(means)
    p: list[float] = []
    shares: list[float] = []
    gates, members = [], []
    for mean, own in zip(means, targets, strict=True):
        single = len(own) == 1
        gates.append(None if single else len(p))
        of_mean, of_target = starting_shares(n_arms, len(own))
        if not single:
            p.append(mean)
            shares.append(of_mean)
        members.append(list(range(len(p), len(p) + len(own))))
        p += own
        shares += [of_target] * len(own)
    entry_of = [own[0] if gate is None else gate for gate, own in zip(gates, members, strict=True)]
    arrows = np.zeros((len(p), len(p)))
    for arm, (gate, own_nodes) in enumerate(zip(gates, members, strict=True)):
        entries = [entry for other, entry in enumerate(entry_of) if other != arm]
        if gate is not None:
            arrows[gate, own_nodes] = 1.0 / len(own_nodes)
        for node in own_nodes:
            siblings = [other for other in own_nodes if other != node]
            kept = 1.0 - _CRUMB if siblings else 0.0
            if siblings:
                arrows[node, siblings] = kept / len(siblings)
            if entries:
                arrows[node, entries] = (1.0 - kept) / len(entries)
    adjusted = graph_adjusted(np.array(p, dtype=float), np.array(shares), arrows)
    return [float(adjusted[entry]) for entry in entry_of], [[float(adjusted[node]) for node in own] for own in members]
