"""Classical augmentation: training spectra with more of what varies in them and says nothing of their targets."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from spectra_core.generators.parents import ParentGenerator, even_rows
from spectra_core.generators.state import require_fitted
from spectra_core.options import Range
from spectra_core.spectra import Frame, SpectraSet
from spectra_core.training.signal_basis import signal_basis

Floats = NDArray[np.float64]
Level = Annotated[float, Range(0, 1000)]


@dataclass
class Nuisances(ParentGenerator):
    """Every training spectrum, in turn, with another offset, slope, gain, place on the axis and noise; labels stay.

    Each nuisance is drawn from a normal distribution around none; its standard deviation is a level times a unit that
    the training spectra show. Let r be what a linear regression on the targets leaves of a spectrum, and s the
    spectrum without its noise (`training.signal_basis`). Units are root mean squares, over the spectra, of the factor
    with which one pattern alone comes closest to r (least squares; divisor: spectra - 1 - rank of the targets):

    - offset: the pattern is 1 at every channel; unit of the signal.
    - slope: a line from -1 to 1 along the axis; unit of the signal at its ends.
    - gain: s itself; a share.
    - shift: the derivative of s; unit of the axis.
    - noise: per channel, the standard deviation of what the principal components above the noise leave, as in `Jitter`.

    Patterns overlap, so units do not add up: each is the most that this nuisance alone can be. Where the targets
    explain all that few spectra show, all units but the noise's are 0. A constant channel stays constant. The levels
    unless told are those that helped networks on four sets; gains and shifts of a whole unit harmed (decision 142).

    Parameters
    ----------
    offset, slope, gain, shift
        Level of each, in its unit; 0 for none.
    noise
        Level of the noise: 1 adds as much again as the spectra hold.
    """

    title: ClassVar[str] = "Nuisances"
    explanation: ClassVar[str] = (
        "Repeats training spectra with other offsets, slopes, gains, shifts and noise, as large as the data show."
    )
    worth: ClassVar[str] = (
        "For networks on a few hundred spectra or fewer: errors were 7 to 23 % lower on four experimental sets, and "
        "19 % by the median of 20 simulated ones of 100, none of which then ended far off; PLS gains hardly "
        "anything, a Gaussian process nothing."
    )

    offset: Level = 1.0
    slope: Level = 1.0
    gain: Level = 0.0
    shift: Level = 0.0
    noise: Level = 10.0

    def generate(self, n_spectra: int, rng: np.random.Generator) -> SpectraSet:
        """Return changed copies; every training spectrum is used equally often."""
        require_fitted(self, self.title)
        rows = even_rows(len(self.ids_), n_spectra, rng)
        offset, slope, gain, shift = (
            getattr(self, kind) * self.units_[kind] * rng.standard_normal((n_spectra, 1)) for kind in KINDS
        )
        parents = self.signal_[rows].astype(np.float64)
        clean = self.clean_[rows]
        signal = (1.0 + gain) * shifted(clean, self.frame_.axis.positions, shift[:, 0]) + (parents - clean)
        signal += offset + slope * self.line_
        signal += self.noise * self.noise_ * rng.standard_normal(signal.shape)
        signal[:, self.constant_] = parents[:, self.constant_]
        return self._children(signal, self.targets_[rows], [self.ids_[row] for row in rows])

    def _keep(
        self,
        frame: Frame,
        signal: NDArray[np.floating[Any]],
        targets: Floats,
        ids: tuple[str, ...],
    ) -> None:
        super()._keep(frame, signal, targets, ids)
        basis = signal_basis(signal)
        values = signal.astype(np.float64)
        mean = values.mean(axis=0)
        self.noise_ = basis.noise
        self.constant_ = np.ptp(signal, axis=0) == 0
        self.clean_ = mean + ((values - mean) @ basis.directions) @ basis.directions.T
        positions = frame.axis.positions
        self.line_ = np.linspace(-1.0, 1.0, len(positions))
        if len(positions) > 1:
            self.line_ = 2.0 * (positions - positions[0]) / (positions[-1] - positions[0]) - 1.0
        left, n_free = unexplained(values - mean, targets)
        self.units_ = {
            kind: float(np.sqrt((_factors(left, pattern) ** 2).sum() / n_free))
            for kind, pattern in self._patterns(positions).items()
        }

    def _patterns(self, positions: Floats) -> dict[str, Floats]:
        along = np.zeros_like(self.clean_)
        if len(positions) > 1:
            along = -np.gradient(self.clean_, positions, axis=1)
        ones = np.ones_like(self.line_)
        patterns = {"offset": ones, "slope": self.line_, "gain": self.clean_, "shift": along}
        return {kind: np.where(self.constant_, 0.0, pattern) for kind, pattern in patterns.items()}


KINDS = ("offset", "slope", "gain", "shift")
"""Nuisances that all channels of a spectrum share."""


def unexplained(deviations: Floats, targets: Floats) -> tuple[Floats, int]:
    """Return what a linear regression on the targets leaves of spectra, and the number of free spectra.

    Parameters
    ----------
    deviations : (n_spectra, n_channels)
        From the mean spectrum.
    targets : (n_spectra, n_targets)
        Linearly dependent ones, as charge-balanced ions, count once.
    """
    centred = targets - targets.mean(axis=0)
    spread = centred.std(axis=0)
    span, sizes, _ = np.linalg.svd(centred / np.where(spread > 0, spread, 1.0), full_matrices=False)
    span = span[:, sizes > 1e-9 * sizes.max(initial=0.0)]
    n_free = len(targets) - 1 - span.shape[1]
    if n_free < 1:
        return np.zeros_like(deviations), 1
    return deviations - span @ (span.T @ deviations), n_free


def shifted(spectra: Floats, positions: Floats, shift: Floats) -> Floats:
    """Return every spectrum moved along the axis by its `shift` (n_spectra,), read between channels; ends repeat."""
    order = np.argsort(positions)
    moved = np.empty_like(spectra)
    for row, (spectrum, by) in enumerate(zip(spectra, shift, strict=True)):
        moved[row] = np.interp(positions - by, positions[order], spectrum[order])
    return moved


def _factors(left: Floats, pattern: Floats) -> Floats:
    """Return the factor (n_spectra,) with which the pattern comes closest to what is left of each spectrum."""
    size = np.broadcast_to((pattern**2).sum(axis=-1), len(left))
    found: Floats = np.divide((left * pattern).sum(axis=1), size, out=np.zeros(len(left)), where=size > 0)
    return found
