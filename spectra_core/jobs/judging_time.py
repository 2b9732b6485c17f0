"""How long a judgement and the metric bench take: counted from their sizes, at the pace of this computer."""

from collections.abc import Mapping
from dataclasses import dataclass

from spectra_core.contracts import Memo, Reporter, random_stream
from spectra_core.evaluation.similarity import bench, judgement
from spectra_core.evaluation.similarity.known_bad import KNOWN_BAD
from spectra_core.experiment.busy import slowdown
from spectra_core.experiment.cost import BESIDES
from spectra_core.experiment.pace import NotMeasuredError, against_usual, known, measured, presumed
from spectra_core.spectra import SpectraSet

_DRAWN = 64
"""Spectra of each of the timed sets."""
_TREES_SEE = 500
"""Of more spectra the classifier takes no longer."""
_GAIN = 1.25
"""How many times sooner two halvings at once are done than one after the other: metrics hold Python's lock."""


@dataclass(frozen=True)
class Judging:
    """All metrics on two pairs of sets, as `pace` times them: it hangs on sizes, hardly on what the spectra are."""

    def fit(self, few: SpectraSet, seed: int) -> None:
        """Judge noise on the channels of `few`."""
        sets = {
            role: SpectraSet(few.axis, random_stream(seed, role).normal(size=(n, few.n_channels)))
            for role, n in (("training", 2 * _DRAWN), ("generated", _DRAWN))
        }
        judgement.judgement(sets, n_repeats=1, seed=seed)


@dataclass(frozen=True)
class Work:
    """What a job computes, counted in Gflop: on pairs of sets, and besides them."""

    of_pairs: float
    besides: float = 0.0

    @property
    def in_pairs(self) -> float:
        """Share of the time that pairs take."""
        return self.of_pairs / _GAIN / (self.of_pairs / _GAIN + self.besides)


def of_pair(n: int, n_channels: int) -> float:
    """Return Gflop of all metrics on two sets of `n` spectra, fitted to times of 80 to 2000 spectra on one processor.

    >>> round(of_pair(180, 911)), round(of_pair(2000, 911))
    (21, 97)
    """
    return 4.0 + 0.065 * min(n, _TREES_SEE) + 3.3e-5 * n * n_channels


def of_judgement(n_training: int, n_generated: int, n_channels: int) -> Work:
    """Count a judgement with physics and labels."""
    n = min(n_training // 2, n_generated, judgement.MOST)
    besides = (2.4e-5 * (n_training + n_generated) + 1.5e-4 * n_training) * n_channels
    return Work(2 * judgement.N_REPEATS * of_pair(n, n_channels), besides)


def of_bench(n_spectra: int, n_channels: int) -> Work:
    """Count the metric bench: a fifth of the spectra in each set; the floor, the control and every defect."""
    return Work(judgement.N_REPEATS * (len(KNOWN_BAD) + 2) * of_pair(min(n_spectra // 5, bench.MOST), n_channels))


def measure(spectra: SpectraSet, memo: Memo) -> None:
    """Measure the pace of this computer on as many channels, unless it is known."""
    measured(memo)(Judging(), _timed, spectra)


def coarse_seconds(work: Work, spectra: SpectraSet, memo: Memo, niceness: int = 0) -> tuple[float, bool]:
    """Return about how long it takes beside what this computer does now, and whether this computer was measured."""
    try:
        pace, is_measured = known(memo)(Judging(), _timed, spectra), True
    except NotMeasuredError:
        pace, is_measured = presumed(Judging(), _timed, spectra), False
    alone = pace * (work.of_pairs / _GAIN + work.besides) + BESIDES * against_usual()
    return alone * slowdown(1, niceness), is_measured


def _timed(_member: Judging, few: SpectraSet) -> float:
    return 2 * of_pair(_DRAWN, few.n_channels)


class Within:
    """Tells progress of a part of a job as progress of the whole, in per cent, so that the time left is its own."""

    def __init__(self, reporter: Reporter, share: float) -> None:
        self._reporter, self._share = reporter, share

    def progress(self, stage: str, done: int, total: int, values: Mapping[str, float] | None = None) -> None:
        """Say how much of the whole is done."""
        self._reporter.progress(stage, int(100 * self._share * done / total), 100, values)

    def message(self, text: str) -> None:
        """Hand on a message."""
        self._reporter.message(text)
