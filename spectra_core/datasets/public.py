"""Measured sets that come with an optional package."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from spectra_core.errors import ConfigError, ReadError
from spectra_core.spectra import SetMeta, SpectralAxis, SpectraSet, Target

_BANDS = (950.0, 1550.0)
"""Raman shifts of the fermentation's bands, 1/cm; the range of the calibration in chemotools' documentation."""


@dataclass(frozen=True)
class PublicSet:
    """A set that can be loaded without a file.

    Parameters
    ----------
    title, explanation
        What people call it, and what it is, with its source.
    package
        The optional package that ships it.
    load
        Makes the set.
    """

    title: str
    explanation: str
    package: str
    load: Callable[[], SpectraSet]

    @property
    def installed(self) -> bool:
        """Whether its package is there."""
        return importlib.util.find_spec(self.package) is not None


def _fermentation() -> SpectraSet:
    """Return the 21 off-line spectra with HPLC glucose of chemotools, cut and levelled as its documentation does.

    As shipped, intensities below 950 1/cm are quotients by next to nothing, hundreds of times the bands.
    """
    from chemotools.baseline import LinearCorrection
    from chemotools.datasets import load_fermentation_train

    spectra, reference = load_fermentation_train()
    positions = np.array([float(name) for name in spectra.columns])
    kept = (positions >= _BANDS[0]) & (positions <= _BANDS[1])
    levelled = LinearCorrection().fit_transform(spectra.to_numpy(dtype=np.float64)[:, kept])
    # The ends, through which the line is laid, are zero in every spectrum.
    inside = slice(1, -1)
    targets = pd.DataFrame({"glucose": reference["glucose"].to_numpy(dtype=np.float64)})
    return SpectraSet(
        SpectralAxis(positions[kept][inside], "Raman shift", "cm-1"),
        levelled[:, inside],
        targets,
        target_info=[Target("glucose", "g/L", 0, 180.156)],
        meta=SetMeta(
            "Fermentation, Raman", "measured", "Intensity", "", {"source": PUBLIC["fermentation"].explanation}
        ),
    )


PUBLIC: dict[str, PublicSet] = {
    "fermentation": PublicSet(
        "Fermentation, Raman",
        "21 Raman spectra of fermentation samples, 950 to 1550 1/cm above a straight baseline, glucose by HPLC, g/L "
        "(Cabaneros Lopez et al., 2021; shipped with chemotools, MIT licence).",
        "chemotools",
        _fermentation,
    )
}


def load_public(name: str) -> SpectraSet:
    """Return one of `PUBLIC`.

    Raises
    ------
    ConfigError
        When the name is unknown.
    ReadError
        When its package is not installed, saying which.
    """
    if name not in PUBLIC:
        raise ConfigError(f"Unknown public set {name!r}. Known: {', '.join(PUBLIC)}.")
    if not PUBLIC[name].installed:
        raise ReadError(f"The set {PUBLIC[name].title!r} needs a package: pip install {PUBLIC[name].package}.")
    return PUBLIC[name].load()
