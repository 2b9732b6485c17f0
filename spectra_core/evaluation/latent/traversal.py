"""What a step in latent space does to the spectrum: a walk along one dimension, or from one spectrum to another."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.errors import ConfigError, SpectraError
from spectra_core.evaluation.latent.distance import nearest_mean, remote_from
from spectra_core.generators.base import LatentGenerator
from spectra_core.spectra import SpectraSet
from spectra_core.spectra.latent import LatentPosterior

N_STEPS = 41
"""Steps of a walk: with the ends below, one falls on zero, and on either spectrum."""
REACH = 4.0
"""How far a walk along a dimension goes to either side, in units of the prior: 4 is beyond what a prior ever draws."""
BEYOND = 0.5
"""How far a walk between two spectra goes on behind either of them, as a share of the way."""


def walk_along(
    generator: LatentGenerator,
    training: SpectraSet,
    dimension: int,
    *,
    start: int | None = None,
    reach: float = REACH,
    n_steps: int = N_STEPS,
    conditions: Mapping[str, float] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Change one latent dimension, the others as they are, and decode every step.

    Parameters
    ----------
    generator
        Fitted.
    training
        The spectra it was fitted on: their posteriors say where the data lie.
    dimension
        From 1, as in `latent_dimensions`.
    start
        Row of the training spectrum whose posterior mean gives the other dimensions; None for the mean of all.
    reach
        The dimension goes from -reach to reach, in units of the prior.
    conditions
        Concentrations at which a conditional generator decodes, every target; by default those of the spectrum at
        the start, or their mean over the training set.

    Returns
    -------
    steps : DataFrame, one row per step
        ``step`` (from 0), ``at`` (value of the dimension, units of the prior), ``nearest`` (distance to the nearest
        posterior mean of a training spectrum on the active dimensions, units of the prior; NaN where none is
        active), ``remote`` (farther than 95 % of the training spectra are from one of another group),
        ``outside_range`` (a changed dimension is beyond every posterior mean of a training spectrum),
        ``channels_outside`` (share of channels in which the decoded signal is beyond every training spectrum); for a
        conditional generator one column ``target NAME`` per target.
    spectra : DataFrame, one row per (step, channel)
        ``step``, ``position`` [axis unit], ``signal`` (decoded, signal unit).

    Raises
    ------
    ConfigError
        When there is no such dimension or row, fewer than two steps, or concentrations are missing or not asked for.
    """
    posterior = generator.encode(training)
    if not 1 <= dimension <= posterior.n_latent:
        raise ConfigError(f"The generator has the latent dimensions 1 to {posterior.n_latent}, got {dimension}.")
    if not reach > 0:
        raise ConfigError(f"A walk goes a positive distance to either side, got {reach:g}.")
    _require_rows(training, *(() if start is None else (start,)))
    at = np.linspace(-reach, reach, _at_least_two(n_steps))
    points = np.tile(posterior.mean.mean(axis=0) if start is None else posterior.mean[start], (n_steps, 1))
    points[:, dimension - 1] = at
    labels = training.target_values.mean(axis=0) if start is None else training.target_values[start]
    asked = _conditions(generator, training, np.tile(labels, (n_steps, 1)), conditions)
    return _walked(generator, training, posterior, points=points, at=at, asked=asked)


def walk_between(
    generator: LatentGenerator,
    training: SpectraSet,
    first: int,
    second: int,
    *,
    beyond: float = BEYOND,
    n_steps: int = N_STEPS,
    conditions: Mapping[str, float] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Go straight from the posterior mean of one training spectrum to that of another, and decode every step.

    Parameters
    ----------
    generator, training
        As for `walk_along`.
    first, second
        Rows of the two spectra.
    beyond
        The walk begins this share of the way before the first spectrum and ends as far behind the second.
    conditions
        As for `walk_along`; by default concentrations go from those of the first to those of the second at the same
        pace, and stay at them beyond.

    Returns
    -------
    As for `walk_along`; ``at`` is the share of the way, 0 at the first spectrum and 1 at the second.

    Raises
    ------
    ConfigError
        As for `walk_along`, or when `beyond` is negative or both rows are the same.
    """
    if beyond < 0:
        raise ConfigError(f"A walk goes on behind a spectrum by no share of the way or a positive one, got {beyond:g}.")
    _require_rows(training, first, second)
    if first == second:
        raise ConfigError("A walk goes from one spectrum to another one: choose two different ones.")
    posterior = generator.encode(training)
    at = np.linspace(-beyond, 1.0 + beyond, _at_least_two(n_steps))
    start, end = posterior.mean[first], posterior.mean[second]
    points = start + at[:, None] * (end - start)
    low, high = training.target_values[[first, second]]
    asked = _conditions(generator, training, low + np.clip(at, 0.0, 1.0)[:, None] * (high - low), conditions)
    return _walked(generator, training, posterior, points=points, at=at, asked=asked)


def _walked(
    generator: LatentGenerator,
    training: SpectraSet,
    posterior: LatentPosterior,
    *,
    points: NDArray[np.float64],
    at: NDArray[np.float64],
    asked: pd.DataFrame | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    decoded = generator.decode(points, asked)
    nearest = nearest_mean(posterior, points)
    changes = np.ptp(points, axis=0) > 0
    beyond = (points < posterior.mean.min(axis=0)) | (points > posterior.mean.max(axis=0))
    outside = (decoded < training.signal.min(axis=0)) | (decoded > training.signal.max(axis=0))
    steps = pd.DataFrame(
        {
            "step": np.arange(len(at)),
            "at": at,
            "nearest": nearest,
            "remote": nearest > remote_from(posterior, training.groups),
            "outside_range": beyond[:, changes].any(axis=1),
            "channels_outside": outside.mean(axis=1),
        }
    )
    if asked is not None:
        steps = pd.concat([steps, asked.rename(columns=lambda name: f"target {name}")], axis=1)
    spectra = pd.DataFrame(
        {
            "step": np.repeat(np.arange(len(at)), training.n_channels),
            "position": np.tile(training.axis.positions, len(at)),
            "signal": decoded.ravel(),
        }
    )
    return steps, spectra


def _conditions(
    generator: LatentGenerator,
    training: SpectraSet,
    on_the_way: NDArray[np.float64],
    chosen: Mapping[str, float] | None,
) -> pd.DataFrame | None:
    """Concentrations of every step; None for a generator that knows none."""
    if not generator.needs_conditions:
        if chosen is not None:
            raise ConfigError(f"{type(generator).__name__} does not know concentrations, so they cannot be chosen.")
        return None
    names = list(training.target_names)
    asked = pd.DataFrame(on_the_way, columns=names)
    if chosen is not None:
        if set(chosen) != set(names):
            raise ConfigError(
                f"Expected a concentration of each of {', '.join(names)}, got {', '.join(chosen) or 'none'}."
            )
        for name in names:
            asked[name] = float(chosen[name])
    return asked


def _require_rows(training: SpectraSet, *rows: int) -> None:
    for row in rows:
        if not 0 <= row < len(training):
            raise SpectraError(f"The training set has the rows 0 to {len(training) - 1}, got {row}.")


def _at_least_two(n_steps: int) -> int:
    if n_steps < 2:
        raise ConfigError(f"A walk has at least 2 steps, got {n_steps}.")
    return n_steps
