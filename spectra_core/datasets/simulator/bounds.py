"""What can be known at all: lower bounds on the error of any calibration, ion by ion.

Two bounds. The plain Cramér-Rao bound holds for estimators without bias, at one solution. Regressors shrink towards
the mean of their calibration set, so their RMSEP is compared with a Bayesian bound of van Trees' kind, which takes the
design as prior and never exceeds what is known without any spectrum. The latter is strict, and therefore low where
solutions differ much in what they reveal; beside it stands the error that the best calibration can be expected to
reach, which is an approximation.

Both rest on the Fisher information of the measured absorbance about the salts, with the instrument's nuisances (path,
wavelength, blank temperature, lamp change, offset, tilt) marginalised as Gaussian. Noise is taken as Gaussian with the
variance at the true spectrum; what that variance itself tells is left out, which is far below a percent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.contracts import NO_MEMO, SILENT, Memo, Reporter, random_stream
from spectra_core.datasets.simulator.instrument import Instrument, noise_sd, stray_light_share
from spectra_core.datasets.simulator.ions import IONS, TARGETS, ions_of, salt_matrix
from spectra_core.datasets.simulator.optics import clean_absorbance, optics_of
from spectra_core.datasets.simulator.settings import SimulationSettings
from spectra_core.datasets.simulator.solutions import Solutions, speciate, with_acid
from spectra_core.errors import ConfigError
from spectra_core.spectra import SpectraSet

Array = NDArray[np.float64]

_STEP = 1e-4
"""Step of the derivative, as a share of the salt's largest concentration."""
_PRIOR_DRAWS = 4096
_LEAST_SHARE = 0.1
_RIDGE = 1e-2
_LN10 = float(np.log(10.0))


@dataclass(frozen=True, eq=False)
class Information:
    """Fisher information about independent salts at some solutions.

    Parameters
    ----------
    salts
        The independent salts: as many as the ions have degrees of freedom.
    fisher : (n_points, n_independent, n_independent), L2/mol2
    """

    salts: tuple[str, ...]
    fisher: Array


def identifiability(
    settings: SimulationSettings,
    *,
    n_points: int = 100,
    seed: int = 0,
    reporter: Reporter = SILENT,
    memo: Memo = NO_MEMO,
) -> pd.DataFrame:
    """Bound the error of any calibration under `settings`, ion by ion.

    Parameters
    ----------
    n_points
        Solutions of the design at which information is computed.
    memo
        Where equilibria are kept: the most of the work.

    Returns
    -------
    DataFrame, one row per target
        Columns ``target``, ``unit``, ``prior_sd`` (standard deviation in the design: the error of always guessing the
        mean), ``plain_bound`` (Cramér-Rao standard deviation without bias, median over solutions), ``plain_low`` and
        ``plain_high`` (its 10 and 90 % quantiles), ``bayesian_bound`` (no RMSEP on this design can be lower),
        ``expected_error`` (about the RMSEP of the best calibration: spectra linear around each solution, design taken
        as Gaussian; root mean square of ``a^T (F + covariance^-1)^-1 a``),
        ``identifiable`` (whether the plain bound is below the prior standard deviation: whether reading a spectrum
        without bias beats guessing the mean).

    Raises
    ------
    ConfigError
        When the instrument has no noise: then everything can be known, and no bound exists.
    """
    if n_points < 2:
        raise ConfigError(f"A bound needs at least 2 solutions of the design, got {n_points}.")
    rng = random_stream(seed, "simulator", "bounds")
    shares = settings.design_model.draw(n_points, len(settings.salts), rng)
    ions = with_acid(shares * settings.largest @ salt_matrix(settings.salts), settings)
    information = fisher_information(settings, ions, reporter=reporter, memo=memo)
    names = ions_of(settings.salts, settings.acid)
    columns = [IONS.index(name) for name in names]
    low, plain, high = np.quantile(_plain_bounds(information)[:, columns], [0.1, 0.5, 0.9], axis=0)
    prior = settings.design_model.draw(_PRIOR_DRAWS, len(settings.salts), rng)
    prior_sd = (prior * settings.largest @ salt_matrix(settings.salts)).std(axis=0)[columns]
    return pd.DataFrame(
        {
            "target": names,
            "unit": [TARGETS[column].unit for column in columns],
            "prior_sd": prior_sd,
            "plain_bound": plain,
            "plain_low": low,
            "plain_high": high,
            "bayesian_bound": np.minimum(_bayesian_bounds(settings, shares, prior, information)[columns], prior_sd),
            "expected_error": np.minimum(_expected_errors(settings, prior, information)[columns], prior_sd),
            "identifiable": plain < prior_sd,
        }
    )


def identifiability_of(
    spectra: SpectraSet, *, n_points: int = 100, seed: int = 0, memo: Memo = NO_MEMO
) -> pd.DataFrame | None:
    """Return the table of `identifiability` for the physics a simulated set was made with; None for other sets."""
    recipe = spectra.meta.provenance.get("simulator")
    if spectra.meta.origin != "simulated" or recipe is None:
        return None
    return identifiability(SimulationSettings.from_dict(recipe), n_points=n_points, seed=seed, memo=memo)


def independent_salts(salts: Sequence[str]) -> tuple[str, ...]:
    """Return the first salts that span the ions of all `salts`.

    >>> independent_salts(["Zn(NO3)2", "ZnSO4", "Cu(NO3)2", "CuSO4"])
    ('Zn(NO3)2', 'ZnSO4', 'Cu(NO3)2')
    """
    chosen: list[str] = []
    for salt in salts:
        if np.linalg.matrix_rank(salt_matrix([*chosen, salt])) > len(chosen):
            chosen.append(salt)
    return tuple(chosen)


def fisher_information(
    settings: SimulationSettings, ions: Array, *, reporter: Reporter = SILENT, memo: Memo = NO_MEMO
) -> Information:
    """Return the information of one measured spectrum about the independent salts, at each of the solutions.

    Parameters
    ----------
    ions : (n_points, 8), mol/L
    """
    salts = independent_salts(settings.salts)
    clean, jacobian = clean_jacobian(settings, ions, salts, reporter=reporter, memo=memo)
    fisher = np.stack([_fisher(settings, one, slopes) for one, slopes in zip(clean, jacobian, strict=True)])
    return Information(salts, fisher)


def clean_jacobian(
    settings: SimulationSettings,
    ions: Array,
    salts: Sequence[str],
    *,
    reporter: Reporter = SILENT,
    memo: Memo = NO_MEMO,
) -> tuple[Array, Array]:
    """Return clean spectra (n_points, n_channels) and their derivatives by salts (n_points, n_salts, n_channels).

    One-sided differences of second order, since a salt that is absent can only be added.
    """
    largest = dict(zip(settings.salts, settings.largest, strict=True))
    steps = _STEP * np.array([largest[salt] or 1e-3 for salt in salts])
    added = salt_matrix(salts) * steps[:, None]
    stencil = np.concatenate([np.zeros((1, len(IONS))), added, 2.0 * added])
    points = (ions[:, None, :] + stencil).reshape(-1, len(IONS))
    solutions = Solutions(None, points, speciate(settings, points, reporter=reporter, memo=memo))
    if not solutions.speciation.solved.all():
        raise ConfigError("Some solutions of this design find no equilibrium. Choose smaller concentrations.")
    spectra = clean_absorbance(settings, solutions).reshape(len(ions), len(stencil), -1)
    here, once, twice = spectra[:, :1], spectra[:, 1 : 1 + len(salts)], spectra[:, 1 + len(salts) :]
    return here[:, 0], (4.0 * once - twice - 3.0 * here) / (2.0 * steps[:, None])


def _fisher(settings: SimulationSettings, clean: Array, jacobian: Array) -> Array:
    """Return ``J^T (D + V V^T)^-1 J`` by Woodbury's identity: noise D, nuisances V."""
    optics, instrument = optics_of(settings), settings.instrument_model
    passed = 10.0**-clean
    stray = stray_light_share(optics.wavelengths, instrument)
    detected = (passed + stray) / (1.0 + stray)
    seen = np.where(detected > 10.0**-instrument.max_absorbance, passed / np.maximum(passed + stray, 1e-300), 0.0)
    # The display's rounding acts like uniform noise.
    variance = (
        noise_sd(detected, optics.wavelengths, instrument) / (detected * _LN10)
    ) ** 2 + instrument.digit**2 / 12.0
    if not (variance > 0).all():
        raise ConfigError("An instrument without noise lets everything be known. Give it dark or shot noise.")
    nuisances = _nuisances(clean, optics.wavelengths, optics.water_by_temperature, instrument) * seen
    slopes = jacobian * seen
    weighted = slopes / variance
    inner = np.eye(len(nuisances)) + (nuisances / variance) @ nuisances.T
    crossed = weighted @ nuisances.T
    return np.asarray(weighted @ slopes.T - crossed @ np.linalg.solve(inner, crossed.T))


def _nuisances(clean: Array, wavelengths: Array, water_by_temperature: Array, instrument: Instrument) -> Array:
    """Return what one standard deviation of each nuisance does to the absorbance, (n_nuisances, n_channels)."""
    gradient = np.gradient(clean, wavelengths) if len(wavelengths) > 1 else np.zeros_like(clean)
    tilt = 2.0 * (wavelengths - wavelengths.min()) / (float(np.ptp(wavelengths)) or 1.0) - 1.0
    return np.stack(
        [
            instrument.path_sd * clean,
            instrument.wavelength_sd * gradient,
            instrument.blank_temperature_sd * water_by_temperature,
            instrument.lamp_change_sd * (wavelengths < instrument.lamp_change_at),
            np.full(len(wavelengths), instrument.offset_sd),
            instrument.slope_sd * tilt,
        ]
    )


def _plain_bounds(information: Information) -> Array:
    """Return the Cramér-Rao standard deviation of each ion, (n_points, 8), mol/L."""
    to_ions = salt_matrix(information.salts)
    return np.array([np.sqrt(np.einsum("ki,kl,li->i", to_ions, _inverse(one), to_ions)) for one in information.fisher])


def _inverse(fisher: Array) -> Array:
    """Invert information; a direction that the spectrum says nothing about gets a huge, finite variance."""
    scale = 1.0 / np.sqrt(np.maximum(np.diag(fisher), 1e-30))
    values, vectors = np.linalg.eigh(fisher * scale[:, None] * scale)
    spread = vectors / np.maximum(values, 1e-15)
    return np.asarray(spread @ vectors.T * scale[:, None] * scale)


def _expected_errors(settings: SimulationSettings, prior: Array, information: Information) -> Array:
    """Return the linearised error of the best calibration, root mean square over solutions, (8,), mol/L."""
    independent = prior * settings.largest @ _as_independent(settings, information)
    precision = np.linalg.inv(np.atleast_2d(np.cov(independent.T)))
    to_ions = salt_matrix(information.salts)
    variances = [np.einsum("ki,kl,li->i", to_ions, _inverse(one + precision), to_ions) for one in information.fisher]
    return np.asarray(np.sqrt(np.mean(variances, axis=0)))


def _as_independent(settings: SimulationSettings, information: Information) -> Array:
    """Return every salt of the design as a mixture of the independent ones, which is all that ions can tell apart."""
    matrix = salt_matrix(settings.salts)
    return np.asarray(np.linalg.lstsq(salt_matrix(information.salts).T, matrix.T, rcond=None)[0].T)


def _bayesian_bounds(settings: SimulationSettings, shares: Array, prior: Array, information: Information) -> Array:
    """Return the bound on the root mean square error of each ion over the design, (8,), mol/L.

    A van Trees inequality (Gill & Levit, Bernoulli 1 (1995) 59). Move a solution x along a direction v: with room f
    ahead and b behind, ``tau = f b / 2`` vanishes where the design ends, so integration by parts leaves no edge term;
    its derivative along v is ``(f - b) / 2``. For any weights c over such directions, information F and ions a^T x,

        error**2 >= (sum c E[tau] a^T v)**2 / (c^T (E[tau tau' v^T F v'] + E[(f - b) (f' - b') / 4]) c) .

    Without a spectrum (F = 0) one salt's direction gives its variance back. Directions add one salt, or exchange two
    that share an ion, which is how ions hide behind each other. Weights are found on one half of the solutions and the
    bound is computed on the other, so that they cannot profit from chance. Where salts are sparse this is the bound for
    somebody who knows which salts are present, so it holds for everybody else too.
    """
    matrix, as_independent = salt_matrix(settings.salts), _as_independent(settings, information)
    directions = _directions(settings)  # (n_directions, n_salts), in shares
    along = directions * settings.largest @ as_independent
    to_ions = directions * settings.largest @ matrix  # (n_directions, 8)
    tau, tilt = _room_terms(settings, prior, directions)
    prior_term, gain = tilt.T @ tilt / len(prior), tau.mean(axis=0)[:, None] * to_ions
    tau, _ = _room_terms(settings, shares, directions)
    seen = np.einsum("dk,pkl,el->pde", along, information.fisher, along) * tau[:, :, None] * tau[:, None, :]
    squares = []
    for one, other in ((slice(0, None, 2), slice(1, None, 2)), (slice(1, None, 2), slice(0, None, 2))):
        weights = _weights(gain, seen[one].mean(axis=0) + prior_term)
        told = np.einsum("di,pde,ei->pi", weights, seen[other], weights)
        # Two standard errors on top, and no more gain than these very solutions show: information varies a lot between
        # solutions, and a bound must not profit from what a small sample happens to miss.
        told_at_most = told.mean(axis=0) + 2.0 * told.std(axis=0) / np.sqrt(len(told))
        shown = np.sum(weights * tau[other].mean(axis=0)[:, None] * to_ions, axis=0)
        gained = np.clip(np.minimum(np.sum(weights * gain, axis=0), shown), 0.0, None)
        cost = told_at_most + np.einsum("di,de,ei->i", weights, prior_term, weights)
        squares.append(gained**2 / np.maximum(cost, 1e-300))
    return np.asarray(np.sqrt(np.mean(squares, axis=0)))


def _weights(gain: Array, cost: Array) -> Array:
    """Return the weights of the directions that make the bound of each ion highest, (n_directions, 8)."""
    scale = 1.0 / np.sqrt(np.diag(cost))
    # A touch of ridge: any weights give a bound, and huge ones that cancel would only fit the sample.
    scaled = cost * scale[:, None] * scale + _RIDGE * np.eye(len(cost))
    return np.asarray(scale[:, None] * np.linalg.solve(scaled, gain * scale[:, None]))


def _directions(settings: SimulationSettings) -> Array:
    """Return each salt alone, and each exchange of two salts that keeps a shared ion constant, in shares."""
    matrix, largest = salt_matrix(settings.salts), settings.largest
    present = [row for row in range(len(largest)) if largest[row] > 0]
    directions = [np.eye(len(largest))[row] for row in present]
    for one, other in combinations(present, 2):
        for ion in np.flatnonzero(matrix[one] * matrix[other]):
            exchange = np.zeros(len(largest))
            exchange[one] = 1.0 / (matrix[one, ion] * largest[one])
            exchange[other] = -1.0 / (matrix[other, ion] * largest[other])
            exchange /= np.abs(exchange).max()
            # Where one salt is far scarcer, its room alone decides, and the exchange says nothing new.
            if np.abs(exchange[[one, other]]).min() >= _LEAST_SHARE:
                directions.append(exchange)
    return np.array(directions)


def _room_terms(settings: SimulationSettings, shares: Array, directions: Array) -> tuple[Array, Array]:
    """Return ``f b / 2`` and ``(f - b) / 2``, each (n_points, n_directions)."""
    design = settings.design_model
    ahead = np.stack([design.room(shares, direction) for direction in directions], axis=1)
    behind = np.stack([design.room(shares, -direction) for direction in directions], axis=1)
    return ahead * behind / 2.0, (ahead - behind) / 2.0
