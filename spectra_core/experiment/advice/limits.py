"""What keeps an error from falling: the floor of the physics, the instrument's noise, labels that do not fit."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from spectra_core.datasets.simulator.bounds import identifiability_of
from spectra_core.errors import SpectraCoreError
from spectra_core.evaluation.channels.noise import POINTS, noise_level
from spectra_core.regressors import Ridge
from spectra_core.spectra import SpectraSet

Floats = NDArray[np.float64]

AT_THE_FLOOR = 1.2
"""An error within so many times what any calibration can be expected to reach is at the floor."""
MOST = 0.5
"""A cause of so large a share of the squared error is named."""


def limits(
    spectra: SpectraSet, errors: Floats, told: Sequence[str], suspicious: NDArray[np.int64], seed: int
) -> list[str]:
    """Say what the remaining error comes from, as far as it shows.

    Parameters
    ----------
    errors : (n_spectra, n_targets)
        Predicted - reference of the best way, every spectrum left out.
    told
        Targets that the spectra tell.
    suspicious
        Rows with a label that does not fit its spectrum.
    """
    squares = (errors**2).mean(axis=0)
    of = {name: float(squares[spectra.target_names.index(name)]) for name in told}
    said = []
    floor = _expected(spectra)
    reached = [name for name in told if name in floor and np.sqrt(of[name]) <= AT_THE_FLOOR * floor[name]]
    if reached:
        said.append(
            f"At the floor: the error of {_listed(reached)} is within {100 * (AT_THE_FLOOR - 1):.0f} % of what the "
            "best calibration of such spectra can be expected to reach; only a better measurement lowers it."
        )
    passed_on = _noise_passed_on(spectra, seed)
    noisy = [name for name in told if name not in reached and passed_on.get(name, 0.0) >= MOST * of[name]]
    if noisy:
        said.append(
            f"Noise: at least half of the squared error of {_listed(noisy)} is what a linear calibration makes of the "
            "instrument's noise. Measure longer, or several times and average."
        )
    if len(suspicious):
        share = (errors[suspicious] ** 2).sum(axis=0) / np.maximum((errors**2).sum(axis=0), np.finfo(float).tiny)
        wrong = [name for name in told if share[spectra.target_names.index(name)] >= MOST]
        if wrong:
            said.append(
                f"Labels: {len(suspicious)} of {len(spectra)} spectra do not fit their labels, and make most of the "
                f"error of {_listed(wrong)}. Look at these first: no calibration lowers the error of a wrong label or "
                "of a disturbed spectrum; where both are right, these are the solutions that are hard to read."
            )
    return said


def _expected(spectra: SpectraSet) -> dict[str, float]:
    """Return the error that the best calibration can be expected to reach, where the simulator knows it."""
    table = identifiability_of(spectra)
    return {} if table is None else dict(zip(table["target"], table["expected_error"].tolist(), strict=True))


def _noise_passed_on(spectra: SpectraSet, seed: int) -> Mapping[str, float]:
    """Return by target the variance that ridge regression makes of white noise in every channel."""
    if spectra.n_channels < POINTS:
        return {}
    try:
        ridge = Ridge().fit(spectra, seed=seed)
    except SpectraCoreError:
        return {}
    slopes = ridge.coefficients_ / ridge.signal_scaling_.scale[:, None] * ridge.target_scaling_.scale
    variances = noise_level(spectra) ** 2 @ slopes**2
    return dict(zip(spectra.target_names, variances.tolist(), strict=True))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
