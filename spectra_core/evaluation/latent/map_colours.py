"""What the markers of a map can be coloured by, besides role and target: how dense the data are, and how wrong."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.errors import SpectraError
from spectra_core.evaluation.labels.label_errors import MOST_COMPONENTS, SHARES
from spectra_core.evaluation.latent.learning import reconstruction_errors
from spectra_core.evaluation.latent.training_density import TrainingDensity
from spectra_core.evaluation.roles import require_comparable
from spectra_core.evaluation.similarity.two_sample import principal_directions
from spectra_core.evaluation.suitability.design import SATURATION
from spectra_core.generators.base import LatentGenerator
from spectra_core.regressors.ridge import left_out_residuals, ridge_fit
from spectra_core.spectra import SpectraSet, require_same_targets


def density_colour(sets: Mapping[str, SpectraSet]) -> pd.DataFrame:
    """Return how densely training spectra lie around every spectrum.

    Returns
    -------
    DataFrame, one row per (role, spectrum)
        ``role``, ``sample`` (row in its set, from 0), ``value`` (as `TrainingDensity.log_at`).
    """
    density = TrainingDensity.of(_training(sets))
    return _table({role: density.log_at(spectra) for role, spectra in sets.items()})


def reconstruction_colour(sets: Mapping[str, SpectraSet], generator: LatentGenerator) -> pd.DataFrame:
    """Return how far every spectrum is from its own reconstruction by the generator.

    Returns
    -------
    DataFrame, one row per (role, spectrum)
        ``role``, ``sample``, ``value`` (root mean square over channels, in the signal's unit).
    """
    _training(sets)
    return _table({role: reconstruction_errors(generator, spectra) for role, spectra in sets.items()})


def label_error_colour(sets: Mapping[str, SpectraSet], target: str) -> pd.DataFrame:
    """Return by how much the label of every spectrum differs from what its spectrum says.

    The reading is ridge regression on at most 100 principal components of the training spectra (absorbance cut at
    3), the penalty chosen by left-out error. A training spectrum is read by a fit that leaves out its whole group, so
    that its error is one of prediction, as that of the other roles is.

    Parameters
    ----------
    sets
        Needs "training"; all with the same targets.
    target
        Which label.

    Returns
    -------
    DataFrame, one row per (role, spectrum)
        ``role``, ``sample``, ``value`` (label minus reading, in the target's unit).

    Raises
    ------
    SpectraError
        When targets differ, there is none of that name, or there are fewer than three independent training spectra.
    """
    training = _training(sets)
    for spectra in sets.values():
        require_same_targets(training.target_names, spectra.target_names)
    if target not in training.target_names:
        raise SpectraError(f"The training set has no target {target!r}. It has: {', '.join(training.target_names)}.")
    groups = training.groups
    if len(np.unique(groups)) < 3:
        raise SpectraError("Reading labels needs at least 3 independent training spectra.")
    column = training.target_names.index(target)
    signal = _unsaturated(training)
    centre, mean = signal.mean(axis=0), training.target_values[:, column].mean()
    directions = principal_directions(signal - centre, MOST_COMPONENTS)
    scores = (signal - centre) @ directions
    labels = training.target_values[:, [column]] - mean
    coefficients, penalties = ridge_fit(scores, labels, groups, SHARES)
    values = {"training": _left_out(scores, labels, groups, float(penalties[0]))}
    for role, spectra in sets.items():
        if role != "training":
            reading = (_unsaturated(spectra) - centre) @ (directions @ coefficients)[:, 0] + mean
            values[role] = spectra.target_values[:, column] - reading
    return _table({role: values[role] for role in sets})


def _left_out(
    scores: NDArray[np.float64], labels: NDArray[np.float64], groups: NDArray[np.int64], penalty: float
) -> NDArray[np.float64]:
    eigenvalues, axes = np.linalg.eigh(scores.T @ scores)
    residuals = left_out_residuals(scores @ axes, np.maximum(eigenvalues, 0.0) + penalty, labels, groups)
    return np.asarray(residuals[:, 0], dtype=np.float64)


def _unsaturated(spectra: SpectraSet) -> NDArray[np.float64]:
    signal = spectra.signal.astype(np.float64)
    return np.minimum(signal, SATURATION) if spectra.meta.is_absorbance else signal


def _training(sets: Mapping[str, SpectraSet]) -> SpectraSet:
    require_comparable(sets)
    if "training" not in sets:
        raise SpectraError(f"A map is coloured in terms of the training set; got {', '.join(sets)}.")
    return sets["training"]


def _table(values: Mapping[str, NDArray[np.float64]]) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"role": role, "sample": np.arange(len(column)), "value": column})
        for role, column in values.items()
    ]
    return pd.concat(parts, ignore_index=True)
