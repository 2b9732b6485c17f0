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
    p: Sequence[Sequence[float]], shares: NDArray[np.float64], arrows: NDArray[np.float64]
) -> list[list[float]]:
    """Return p adjusted by the graph: a hypothesis is rejected at a level where its adjusted p does not exceed it.

    Parameters
    ----------
    p : n kinds of hypotheses
        Hypotheses of a kind hold equal shares and equal arrows, and so they do whatever was rejected. That keeps the
        graph of hundreds of arms small.
    shares : (n,)
        Of the level, at the beginning, that one hypothesis of each kind holds; at most 1 in all.
    arrows : (n, n)
        Row i: the part of its share that one of kind i hands to one (other) of each kind when it is rejected; at most
        1 in all.
    """
    shares, arrows = shares.astype(float), arrows.astype(float)
    adjusted, reached = [[1.0] * len(own) for own in p], 0.0
    left = [sorted(range(len(own)), key=own.__getitem__, reverse=True) for own in p]
    smallest = np.array([min(own) for own in p], dtype=float)
    while any(left):
        wanted = np.divide(smallest, shares, out=np.full(len(p), np.inf), where=shares > 0)
        first = int(np.argmin(wanted))
        reached = max(reached, wanted[first])
        if reached > 1.0:
            break
        adjusted[first][left[first].pop()] = float(reached)
        into, out = arrows[:, first].copy(), arrows[first].copy()
        shares = shares + shares[first] * out
        both = 1.0 - into * out  # 1 - g_ji g_ij for row j
        inverse = np.divide(1.0, both, out=np.zeros_like(both), where=both > 0)
        arrows *= inverse[:, None]
        arrows += np.outer(into * inverse, out)
        if left[first]:
            smallest[first] = p[first][left[first][-1]]
        else:
            shares[first] = arrows[first] = arrows[:, first] = 0.0
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
    p: list[Sequence[float]] = []
    shares: list[float] = []
    entries, members = [], []
    for mean, own in zip(means, targets, strict=True):
        of_mean, of_target = starting_shares(n_arms, len(own))
        entries.append(len(p))
        if len(own) > 1:
            p.append([mean])
            shares.append(of_mean)
        members.append(len(p))
        p.append(own)
        shares.append(of_target)
    arrows = np.zeros((len(p), len(p)))
    for entry, member in zip(entries, members, strict=True):
        n_siblings = len(p[member]) - 1
        kept = 1.0 - _CRUMB if n_siblings else 0.0
        if n_siblings:
            arrows[entry, member] = 1.0 / len(p[member])
            arrows[member, member] = kept / n_siblings
        others = [other for other in entries if other != entry]
        if others:
            arrows[member, others] = (1.0 - kept) / len(others)
    adjusted = graph_adjusted(p, np.array(shares), arrows)
    return [adjusted[entry][0] for entry in entries], [adjusted[member] for member in members]
