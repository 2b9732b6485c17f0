"""What only simulated data allow: new spectra from the simulator that made them."""

import numpy as np
from numpy.typing import NDArray

from spectra_core.contracts import derived_seed
from spectra_core.datasets.simulator import SimulationSettings
from spectra_core.errors import ConfigError
from spectra_core.spectra import SpectraSet


def require_simulator(spectra: SpectraSet) -> SimulationSettings:
    """Return the settings that made these spectra.

    Raises
    ------
    ConfigError
        When they are not simulated.
    """
    if "simulator" not in spectra.meta.provenance:
        raise ConfigError(
            "An oracle arm, or fresh training sets, take new spectra from the true simulator, but these spectra are "
            "not simulated. Leave the oracle, arms with true spectra and fresh sets out."
        )
    return SimulationSettings.from_dict(spectra.meta.provenance["simulator"])


def fresh_simulation(train: SpectraSet, n_spectra: int, seed: int) -> SpectraSet:
    """Return new spectra from the design and simulator that made `train`, with its targets."""
    from spectra_core.datasets.simulator import simulate_like

    return simulate_like(require_simulator(train), n_spectra, seed=seed).with_targets(train.target_names)


def fresh_training_set(spectra: SpectraSet, n_spectra: int, seed: int, number: int) -> SpectraSet:
    """Return the training set of that number: independent of `spectra` and of all others, made as they were."""
    return fresh_simulation(spectra, n_spectra, derived_seed(seed, "fresh training set", number))


def fresh_test_set(spectra: SpectraSet, n_spectra: int, seed: int) -> SpectraSet:
    """Return the spectra that all fresh training sets of a seed are tested on."""
    return fresh_simulation(spectra, n_spectra, derived_seed(seed, "fresh test set"))


def truly_measured(generated: SpectraSet, train: SpectraSet, seed: int) -> SpectraSet:
    """Return what the simulator measures at the labels of `generated`, instead of the generated spectra.

    Labels need not be possible: charges may not cancel, concentrations be negative. So every label is first moved
    into the training range, then to the nearest solution that the salts can make (non-negative least squares,
    Lawson & Hanson 1974); the new spectrum is labelled with that solution. Spectra and labels then belong together,
    and the concentrations are those of the arm, as nearly as chemistry allows.

    Raises
    ------
    ConfigError
        When `train` is not simulated, or its targets are not all ions of the simulator.
    """
    from scipy.optimize import nnls

    from spectra_core.datasets.simulator import simulate_in_detail
    from spectra_core.datasets.simulator.ions import IONS, ions_of, salt_matrix

    settings = require_simulator(train)
    ions = ions_of(settings.salts, settings.acid)
    missing = sorted(set(ions) - set(train.target_names))
    if missing:
        raise ConfigError(
            f"True spectra are simulated at the concentrations of all ions, but {', '.join(missing)} "
            "are not among the targets. Use all targets, or leave arms with true spectra out."
        )
    known = [train.target_names.index(ion) for ion in ions]
    low, high = train.target_values.min(axis=0), train.target_values.max(axis=0)
    labels = np.clip(generated.target_values, low, high)[:, known]
    stoichiometry = salt_matrix(settings.salts)[:, [IONS.index(ion) for ion in ions]].T
    if settings.acid:
        # The acid brings its own nitrate, which no salt has to account for.
        labels[:, ions.index("NO3-")] = np.maximum(labels[:, ions.index("NO3-")] - settings.acid, 0.0)
    salts: NDArray[np.float64] = np.array([nnls(stoichiometry, label)[0] for label in labels])
    table = {salt: salts[:, column] for column, salt in enumerate(settings.salts)}
    import pandas as pd

    measured = simulate_in_detail(settings, salts=pd.DataFrame(table), seed=seed).spectra
    measured = measured.with_targets(train.target_names)
    return measured.with_meta(
        origin="simulated",
        name=f"{generated.meta.name}, truly measured",
        provenance={**generated.meta.provenance, "truly_measured": seed},
    )
