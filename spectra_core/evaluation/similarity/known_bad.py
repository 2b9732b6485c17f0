"""Generators known to be bad, made from a person's own spectra, to see which metric sees what."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spectra_core.errors import SpectraError
from spectra_core.evaluation.channels.noise import noise_level
from spectra_core.spectra import SpectraSet

N_MODES = 5
"""Spectra that the collapsed generator knows."""
SHIFT = 2
"""Channels by which the shifted generator is off."""
OUTLIER_SHARE = 0.1
OUTLIER_SIZE = 3.0
"""Height of the foreign band in an outlier, in standard deviations of the most varying channel."""


@dataclass(frozen=True, eq=False)
class Material:
    """Experimental spectra that bad ones are made from: signal (n, n_channels) and its noise (n_channels,)."""

    signal: NDArray[np.float64]
    noise: NDArray[np.float64]


Make = Callable[[Material, int, np.random.Generator], NDArray[np.float64]]


@dataclass(frozen=True)
class KnownBad:
    """A way of being wrong.

    Parameters
    ----------
    title
        As a person says it.
    sentence
        What is wrong with the spectra.
    from_training
        Whether it is made from the training spectra, so that it holds what the generator saw; else from fresh
        experimental spectra, so that the named defect is its only one.
    make
        From material, number and rng to the signal (number, n_channels).
    """

    title: str
    sentence: str
    from_training: bool
    make: Make

    def spoil(self, material: SpectraSet, n_spectra: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return `n_spectra` bad spectra (n_spectra, n_channels) made from `material`.

        Raises
        ------
        SpectraError
            When there are fewer than two spectra, or fewer than wanted.
        """
        if len(material) < max(2, n_spectra):
            raise SpectraError(
                f"{n_spectra} spectra of the kind “{self.title}” need as many experimental ones, got {len(material)}."
            )
        return self.make(Material(material.signal.astype(np.float64), noise_level(material)), n_spectra, rng)


def _copies(material: Material, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    copied: NDArray[np.float64] = material.signal[rng.permutation(len(material.signal))[:n]]
    return copied


def _near_copies(material: Material, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    # Half the instrument's noise: a second scan of the same solution would differ by more.
    return _copies(material, n, rng) + 0.5 * material.noise * rng.standard_normal((n, len(material.noise)))


def _collapse(material: Material, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    modes = _without_noise(material)[rng.permutation(len(material.signal))[:N_MODES]]
    return modes[rng.integers(len(modes), size=n)] + material.noise * rng.standard_normal((n, len(material.noise)))


def _over_smoothed(material: Material, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return _copies(Material(_without_noise(material), material.noise), n, rng)


def _half_range(material: Material, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    order = np.argsort(material.signal.mean(axis=1), kind="stable")
    weakest: NDArray[np.int64] = order[: max(n, len(order) // 2)]
    return _copies(Material(material.signal[weakest], material.noise), n, rng)


def _outliers(material: Material, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    made = _copies(material, n, rng)
    n_channels = len(material.noise)
    odd = rng.permutation(n)[: max(1, round(OUTLIER_SHARE * n))]
    centres = rng.uniform(0, n_channels, (len(odd), 1))
    bands = np.exp(-0.5 * ((np.arange(n_channels) - centres) / (0.03 * n_channels)) ** 2)
    made[odd] += OUTLIER_SIZE * material.signal.std(axis=0).max() * bands
    return made


def _shifted(material: Material, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    # Whole channels, so that the noise stays what it is.
    return np.pad(_copies(material, n, rng), ((0, 0), (SHIFT, 0)), mode="edge")[:, :-SHIFT]


def _shuffled(material: Material, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.permuted(_copies(material, n, rng), axis=0)


def _without_noise(material: Material) -> NDArray[np.float64]:
    """Keep the principal components that rise above noise: bands as they are, no jitter, as autoencoders do.

    In units of noise, eigenvalues of noise alone end at (1 + sqrt(n_channels / n))^2 (Marchenko & Pastur 1967).
    """
    signal, noise = material.signal, material.noise
    there = noise > 0
    if not there.any():
        return signal
    unit = np.where(there, noise, np.median(noise[there]))
    mean = signal.mean(axis=0)
    left, sizes, right = np.linalg.svd((signal - mean) / unit, full_matrices=False)
    edge = (1 + np.sqrt(signal.shape[1] / len(signal))) ** 2
    kept = max(1, int((sizes**2 / (len(signal) - 1) > 1.5 * edge).sum()))
    cleaned: NDArray[np.float64] = mean + (left[:, :kept] * sizes[:kept]) @ right[:kept] * unit
    return cleaned


KNOWN_BAD: dict[str, KnownBad] = {
    "copies": KnownBad("Copies", "Training spectra, given out as new.", True, _copies),
    "near_copies": KnownBad(
        "Near copies", "Training spectra with half the instrument's noise added to them.", True, _near_copies
    ),
    "collapse": KnownBad("Collapse", "Five spectra over and over, each time with fresh noise.", False, _collapse),
    "over_smoothing": KnownBad(
        "Over-smoothing", "Fresh spectra whose bands are right, but which carry no noise.", False, _over_smoothed
    ),
    "half_range": KnownBad("Half the range", "Fresh spectra, but only the weaker half.", False, _half_range),
    "outliers": KnownBad("Outliers", "Fresh spectra, one in ten with a foreign band.", False, _outliers),
    "wavelength_shift": KnownBad("Wavelength shift", "Fresh spectra, two channels off.", False, _shifted),
    "channel_shuffle": KnownBad(
        "Channel shuffle", "Every channel right by itself, but taken from different spectra.", False, _shuffled
    ),
}
"""Eight ways of being wrong, by name."""
