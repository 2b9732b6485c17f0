"""All metrics of a generated set beside what two halves of the experimental set give."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.contracts import SILENT, Reporter, derived_seed, random_stream
from spectra_core.errors import ConfigError, SpectraError
from spectra_core.evaluation.roles import require_comparable
from spectra_core.evaluation.similarity.metrics import METRICS
from spectra_core.evaluation.similarity.point_clouds import CloudPair, PointCloud
from spectra_core.spectra import SpectraSet

Result = TypeVar("Result")

N_REPEATS = 5
"""Halvings: values beyond all five floors on one side happen by chance in 2 of C(10, 5) = 252 cases."""
MOST = 2000
"""Spectra per set and halving."""
FEWEST = 20


def judgement(
    sets: Mapping[str, SpectraSet],
    *,
    metrics: Iterable[str] | None = None,
    n_repeats: int = N_REPEATS,
    most: int = MOST,
    seed: int = 0,
    n_workers: int = 1,
    reporter: Reporter = SILENT,
) -> pd.DataFrame:
    """Measure generated spectra by every metric, each beside its real-versus-real floor.

    The training set is halved at random `n_repeats` times, replicates and duplicates staying together. Each time
    the first half is compared with as many generated spectra (the value) and with the second half (the floor), so
    that both have the same reference and the same size. Halvings share spectra: their spread understates that
    of fresh experiments.

    Parameters
    ----------
    sets
        Needs "training" and "generated".
    metrics
        Names of `METRICS`; None for all that need no unseen spectra.
    n_repeats
        Halvings.
    most
        Spectra per set and halving at most; of larger sets a fresh random part each time.
    seed
        Decides halves and parts.
    n_workers
        Halvings judged at the same time, by threads; it changes nothing but the time and the memory.

    Returns
    -------
    DataFrame, one row per metric
        ``metric``, ``value`` and ``floor`` (means over halvings), ``value_low``, ``value_high``, ``floor_low``,
        ``floor_high`` (extremes), ``separation`` (value - floor in half widths of the floor's range; infinite where
        the floor does not vary but the value differs, NaN where not defined), ``verdict`` ("as real" where the
        ranges overlap; else "worse than real" or "beyond real", the suspicious side; "not defined"),
        ``n_per_set``, ``n_repeats``.

    Raises
    ------
    SpectraError
        When a set is missing or too small, or axes differ.
    """
    require_comparable(sets)
    for role in ("training", "generated"):
        if role not in sets:
            raise SpectraError(f"Metrics compare generated with training spectra, but the {role} set is missing.")
    names = chosen_metrics(metrics, unseen=False)
    training, generated = sets["training"], sets["generated"]
    groups = training.groups
    centre = training.signal.mean(axis=0, dtype=np.float64)
    stage = Stage(reporter, "Judging the generated spectra", n_repeats * sum(METRICS[name].weight for name in names))

    def judged(repeat: int) -> tuple[int, list[float], list[float]]:
        rng = random_stream(seed, "halves", repeat)
        first, second = parts(groups, (1, 1), rng)
        n = min(len(first), len(second), len(generated), most)
        if n < FEWEST:
            raise SpectraError(
                f"Metrics need at least {FEWEST} spectra in each half of the training set and in the generated "
                f"set, but only {n} can be compared. Use larger sets."
            )
        of_generated = rng.permutation(len(generated))[:n]
        real, other, made = (
            PointCloud(spectra.signal[rows] - centre)
            for spectra, rows in ((training, first[:n]), (training, second[:n]), (generated, of_generated))
        )
        pair_seed = derived_seed(seed, "pair", repeat)
        pairs = (
            CloudPair(real, made, training.axis, seed=pair_seed),
            CloudPair(real, other, training.axis, seed=pair_seed),
        )
        found: tuple[list[float], list[float]] = ([], [])
        for name in names:
            for pair, kept in zip(pairs, found, strict=True):
                kept.append(METRICS[name].compute(pair.first(METRICS[name].most)))
            stage.step(METRICS[name].weight)
        return n, *found

    repeats = at_once(judged, n_repeats, n_workers)
    stage.end()
    values, floors = (
        dict(zip(names, zip(*part, strict=True), strict=True)) for part in list(zip(*repeats, strict=True))[1:]
    )
    n = repeats[-1][0]
    rows = [{"metric": name, **beside_floor(name, values[name], floors[name])} for name in names]
    table = pd.DataFrame(rows)
    table["n_per_set"] = [min(n, METRICS[name].most) for name in names]
    table["n_repeats"] = n_repeats
    return table


def beside_the_band(judgement: pd.DataFrame) -> pd.DataFrame:
    """Place every metric beside the range of its floor, for a figure that shades the range, and word it so.

    Parameters
    ----------
    judgement
        As from `judgement`; also one that was kept by an earlier version.

    Returns
    -------
    DataFrame
        The same with ``separation`` from the middle of the floor's range, in half widths of it, so that 1 and -1 are
        its ends; and with the verdict "not told apart" in place of "as real" where the ranges overlap, but the value
        lies outside the floor's range.
    """
    middle = (judgement["floor_low"] + judgement["floor_high"]) / 2
    half_width = (judgement["floor_high"] - judgement["floor_low"]) / 2
    apart = (judgement["value"] - middle).tolist()
    separation = [_share(one, half) for one, half in zip(apart, half_width.tolist(), strict=True)]
    outside = (judgement["value"] < judgement["floor_low"]) | (judgement["value"] > judgement["floor_high"])
    verdict = judgement["verdict"].mask(judgement["verdict"].eq("as real") & outside, "not told apart")
    return judgement.assign(separation=separation, verdict=verdict)


class Stage:
    """Counts the steps of a stage, whichever thread does them."""

    def __init__(self, reporter: Reporter, name: str, total: int) -> None:
        self._reporter, self._name, self._total = reporter, name, total
        self._done = 0
        self._lock = Lock()
        self.step(0)

    def step(self, steps: int = 1) -> None:
        """Say that so many more steps are done."""
        with self._lock:
            self._done += steps
            self._reporter.progress(self._name, self._done, self._total)

    def end(self) -> None:
        """Say that all steps are done."""
        self._reporter.progress(self._name, self._total, self._total)


def at_once(work: Callable[[int], Result], n_repeats: int, n_workers: int) -> list[Result]:
    """Return what `work` makes of every repeat, in order, some of them at the same time."""
    if min(n_workers, n_repeats) <= 1:
        return [work(repeat) for repeat in range(n_repeats)]
    with ThreadPoolExecutor(min(n_workers, n_repeats), thread_name_prefix="judging") as pool:
        return list(pool.map(work, range(n_repeats)))


def chosen_metrics(metrics: Iterable[str] | None, *, unseen: bool) -> list[str]:
    """Return the names asked for, or all that can be computed with or without unseen spectra.

    Raises
    ------
    ConfigError
        Naming an unknown metric, or one that needs unseen spectra where there are none.
    """
    if metrics is None:
        return [name for name, metric in METRICS.items() if unseen or not metric.needs_unseen]
    names = list(metrics)
    for name in names:
        if name not in METRICS:
            raise ConfigError(f"Unknown metric {name!r}. Known metrics: {', '.join(METRICS)}.")
        if METRICS[name].needs_unseen and not unseen:
            raise ConfigError(f"The metric {name!r} needs spectra that the generator did not see.")
    return names


def parts(groups: NDArray[np.int64], shares: tuple[int, ...], rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Deal whole groups of rows to parts with the given shares of all rows; rows of a part in random order."""
    shuffled = rng.permutation(np.unique(groups))
    rank = np.empty(int(groups.max()) + 1, dtype=np.int64)
    rank[shuffled] = np.arange(len(shuffled))
    order = np.argsort(rank[groups], kind="stable")
    # A group belongs to the part in which its first row falls.
    first = np.full(len(shuffled), len(groups))
    np.minimum.at(first, rank[groups[order]], np.arange(len(order)))
    bounds = np.cumsum(shares)[:-1] * len(groups) / sum(shares)
    part = np.searchsorted(bounds, first[rank[groups]], side="right")
    return [rng.permutation(np.flatnonzero(part == number)) for number in range(len(shares))]


def beside_floor(name: str, values: Sequence[float], floors: Sequence[float]) -> dict[str, object]:
    """Sum up values and floors of one metric over repeats, with the verdict; see `judgement`."""
    value, floor = np.array(values), np.array(floors)
    defined = bool(np.isfinite(value).all() and np.isfinite(floor).all())
    apart, half_width = float(value.mean() - floor.mean()), float(np.ptp(floor)) / 2
    return {
        "value": float(value.mean()),
        "value_low": float(value.min()),
        "value_high": float(value.max()),
        "floor": float(floor.mean()),
        "floor_low": float(floor.min()),
        "floor_high": float(floor.max()),
        "separation": _share(apart, half_width) if defined else float("nan"),
        "verdict": _verdict(METRICS[name].better, value, floor) if defined else "not defined",
    }


def _share(apart: float, half_width: float) -> float:
    if half_width > 0:
        return apart / half_width
    return float(np.copysign(np.inf, apart)) if apart else 0.0


def _verdict(better: str, value: NDArray[np.float64], floor: NDArray[np.float64]) -> str:
    higher, lower = bool(value.min() > floor.max()), bool(value.max() < floor.min())
    if not (higher or lower):
        return "as real"
    if better in ("one", "half"):
        return "worse than real"
    return "beyond real" if higher == (better == "higher") else "worse than real"
