"""Whether generated spectra lie closer to the training set than to spectra the generator never saw."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.contracts import random_stream
from spectra_core.errors import SpectraError
from spectra_core.evaluation.roles import require_comparable
from spectra_core.evaluation.similarity.distances import FeatureSpace, nearest, nearest_and_closer
from spectra_core.evaluation.similarity.neighbours import copy_of
from spectra_core.spectra import SpectraSet


def memorisation(
    sets: Mapping[str, SpectraSet], *, metric: str = "euclidean", confidence: float = 0.95, seed: int = 0
) -> pd.DataFrame:
    """Estimate the share of spectra closer to the training set than to an equal-size hold-out.

    A set that is larger has a nearer nearest spectrum, so the training set is cut to the size of the
    hold-out; instead of one random cut, the share is the exact mean over all of them. With r of N training
    spectra closer to a generated spectrum than the nearest of m held-out ones, a cut to m spectra holds at
    least one of them with probability 1 - C(N - r, m) / C(N, m). Ties count one half.

    Generated spectra that share a nearest held-out spectrum are not independent: the interval is Wilson's
    (J Am Stat Assoc 1927) at the effective number of Kish (1965), n^2 / sum of squared counts of generated
    spectra per nearest held-out spectrum.

    Parameters
    ----------
    sets
        Needs "training", "held-out" and "generated".
    metric
        A name of `distances.DISTANCES`.
    confidence
        Confidence of the interval.
    seed
        Halves the held-out set for the floor.

    Returns
    -------
    DataFrame, two rows
        ``role``: "generated", and "held-out" as the real-versus-real floor (one half of the held-out spectra, at most
        as many as generated ones, judged against the training set and the other half; left out below 4 held-out
        spectra); ``share`` (0.5 where nothing is memorised, 1 where every spectrum is a copy), ``lower``, ``upper``,
        ``n_spectra``, ``n_effective``, ``n_training``, ``n_held_out`` (to which the training set is cut),
        ``n_copies`` (spectra equal to a training spectrum), ``median_distance`` and ``median_distance_held_out``
        (to the nearest training spectrum of the whole set, and to the nearest held-out one).

    Raises
    ------
    SpectraError
        When one of the three sets is missing, axes differ, or the training set is smaller than the hold-out.
    """
    require_comparable(sets)
    missing = [role for role in ("training", "held-out", "generated") if role not in sets]
    if missing:
        raise SpectraError(
            f"Memorisation is judged against held-out spectra, but the {missing[0]} set is missing. "
            "Train the generator with a held-out share."
        )
    training, held_out, generated = (sets[role] for role in ("training", "held-out", "generated"))
    space = FeatureSpace.of(training, metric)
    rows = [_judge("generated", generated, training, held_out, space=space, confidence=confidence)]
    if len(held_out) >= 4:
        shuffled = random_stream(seed, "memorisation floor").permutation(len(held_out))
        half = len(held_out) // 2
        # No more than the generated spectra: so many are enough for them, and the search takes its time.
        judged = held_out.take(shuffled[: min(half, len(generated))])
        against = held_out.take(shuffled[half : 2 * half])
        rows.append(_judge("held-out", judged, training, against, space=space, confidence=confidence))
    return pd.DataFrame(rows)


def _judge(
    role: str,
    judged: SpectraSet,
    training: SpectraSet,
    held_out: SpectraSet,
    *,
    space: FeatureSpace,
    confidence: float,
) -> dict[str, object]:
    n_training, n_held_out = len(training), len(held_out)
    if n_training < n_held_out:
        raise SpectraError(
            f"The training set ({n_training} spectra) is smaller than the held-out set ({n_held_out}). "
            "Hold out a smaller share."
        )
    query, pool = space.place(judged.signal), space.place(training.signal)
    held_row, held_distance = nearest(query, space.place(held_out.signal), 1)
    limit = held_distance[:, 0]
    # Squared distances from the product carry rounding of this size; it must not decide between equal ones.
    slack = 1e-12 * (np.einsum("ij,ij->i", query, query) + limit**2)
    limits = np.stack([limit**2 - slack, limit**2 + slack], axis=1)
    distance, counts = nearest_and_closer(query, pool, limits)
    absent, absent_or_tied = (_share_without(n_training, n_held_out, count) for count in counts.T)
    share = float((1.0 - 0.5 * (absent + absent_or_tied)).mean())
    per_neighbour = np.bincount(held_row[:, 0])
    n_effective = len(judged) ** 2 / float((per_neighbour.astype(float) ** 2).sum())
    lower, upper = _wilson(share, n_effective, confidence)
    return {
        "role": role,
        "share": share,
        "lower": lower,
        "upper": upper,
        "n_spectra": len(judged),
        "n_effective": n_effective,
        "n_training": n_training,
        "n_held_out": n_held_out,
        "n_copies": int((copy_of(judged, training) >= 0).sum()),
        "median_distance": float(np.median(space.measure(distance))),
        "median_distance_held_out": float(np.median(space.measure(limit))),
    }


def _share_without(n_all: int, n_cut: int, n_marked: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of the cuts to `n_cut` of `n_all` spectra that hold none of `n_marked` of them.

    C(n_all - n_marked, n_cut) / C(n_all, n_cut), by logarithms of factorials.
    """
    from scipy.special import gammaln

    left = (n_all - n_marked).astype(np.float64)
    possible = left >= n_cut
    kept = np.where(possible, left, float(n_cut))
    log_share = gammaln(kept + 1) - gammaln(kept - n_cut + 1) - gammaln(n_all + 1.0) + gammaln(n_all - n_cut + 1.0)
    return np.where(possible, np.exp(np.minimum(log_share, 0.0)), 0.0)


def _wilson(share: float, n: float, confidence: float) -> tuple[float, float]:
    """Interval of a share from `n` independent cases (Wilson, J Am Stat Assoc 1927)."""
    from scipy import stats

    z = float(stats.norm.ppf(0.5 + confidence / 2))
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half_width = z / (1 + z**2 / n) * float(np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)))
    return max(0.0, middle - half_width), min(1.0, middle + half_width)
