"""What every generator checks before it learns, is used, or takes over a stored state."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.contracts import Arrays
from spectra_core.errors import ConfigError, NotFittedError, SpectraError
from spectra_core.preprocessing.magnitudes import require_computable_signal, require_computable_targets
from spectra_core.spectra import Frame, SpectraSet, require_same_targets

FEWEST_SPECTRA = 4
"""Below this there is no spread to learn: three spectra span a plane whatever they are."""


def require_training_set(train: SpectraSet, title: str) -> None:
    """Refuse a set that is too small, does not vary, or holds values too large to compute with.

    Raises
    ------
    SpectraError
        Saying what is missing.
    """
    if len(train) < FEWEST_SPECTRA:
        raise SpectraError(
            f"{title} needs at least {FEWEST_SPECTRA} spectra to learn from, but the set {train.meta.name!r} has "
            f"{len(train)}. Add spectra, or use more folds, so that more are left to train on."
        )
    if train.constant_channels.all():
        raise SpectraError(
            f"All spectra of the set {train.meta.name!r} are equal, so there is nothing to learn. "
            "Check that the right file was loaded."
        )
    require_computable_signal(train, "training")
    require_computable_targets(train, "training")


def require_fitted(generator: object, title: str) -> None:
    """Refuse a generator that has learned nothing yet."""
    if not hasattr(generator, "frame_"):
        raise NotFittedError(f"{title} is not fitted. Call fit, or load a fitted one, first.")


def require_latent(latent: NDArray[np.float64], n_latent: int) -> None:
    """Refuse latent points of another number of dimensions."""
    if latent.ndim != 2 or latent.shape[1] != n_latent:
        raise SpectraError(
            f"Expected latent points with {n_latent} coordinates each, got an array of shape {latent.shape}. "
            "Draw them from the posterior of this model."
        )


def refuse_conditions(conditions: pd.DataFrame | None, title: str) -> None:
    """Refuse concentrations where the model cannot use them."""
    if conditions is not None:
        raise ConfigError(
            f"{title} does not know concentrations, so they cannot be chosen. Use a conditional generator."
        )


def checked_conditions(conditions: pd.DataFrame | None, frame: Frame, n_points: int, title: str) -> NDArray[np.float64]:
    """Return concentrations (n_points, n_targets) after checking names, number and finiteness.

    Raises
    ------
    SpectraError
        Saying what is missing or does not fit.
    """
    if conditions is None:
        raise SpectraError(f"{title} makes spectra for chosen concentrations. Give one row of them per latent point.")
    require_same_targets(frame.target_names, tuple(conditions.columns))
    values = conditions.to_numpy(dtype=np.float64)
    if len(values) != n_points:
        raise SpectraError(f"There are {n_points} latent points but {len(values)} rows of concentrations.")
    if not np.isfinite(values).all():
        raise SpectraError("Concentrations must be finite numbers. Draw them again.")
    return values


def checked_arrays(arrays: Arrays, shapes: Mapping[str, tuple[int | None, ...]], title: str) -> Arrays:
    """Return the arrays named in `shapes`, each of its shape (None: any length) and finite.

    Raises
    ------
    ConfigError
        Naming the first that is missing, of another shape, or not finite.
    """
    for name, shape in shapes.items():
        if name not in arrays:
            raise ConfigError(f"The stored state of {title} lacks {name!r}. The file is damaged or of another model.")
        got = arrays[name].shape
        if len(got) != len(shape) or any(w is not None and w != g for w, g in zip(shape, got, strict=True)):
            expected = tuple("any" if length is None else length for length in shape)
            raise ConfigError(
                f"{name!r} in the stored state of {title} should have shape {expected}, but has {got}. "
                "The file is damaged, or belongs to another configuration."
            )
        if arrays[name].dtype.kind not in "fiu" or not np.isfinite(arrays[name]).all():
            raise ConfigError(f"{name!r} in the stored state of {title} is not a finite number. Train it again.")
    return {name: arrays[name] for name in shapes}


def scaling_shapes(prefix: str, n_columns: int) -> dict[str, tuple[int | None, ...]]:
    """Return names and shapes of a stored `Standardiser`."""
    return {f"{prefix}.{part}": (n_columns,) for part in ("mean", "scale", "constant")}
