"""What every regressor checks before it learns, predicts, or takes over a stored state."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.contracts import Arrays
from spectra_core.errors import ConfigError, NotFittedError, SpectraError
from spectra_core.preprocessing import Standardiser
from spectra_core.preprocessing.magnitudes import require_computable_signal, require_computable_targets
from spectra_core.spectra import Frame, SpectraSet, require_targets

FEWEST_SPECTRA = 4
"""Below this, no inner cross-validation can leave two spectra to learn from and two to judge by."""


def require_calibration_set(train: SpectraSet) -> None:
    """Refuse a set that no calibration can be learned from.

    Raises
    ------
    SpectraError
        When there are no targets, fewer than four spectra, no two that differ, or values too large to compute with.
    """
    require_targets(train)
    if len(train) < FEWEST_SPECTRA:
        raise SpectraError(
            f"A calibration needs at least {FEWEST_SPECTRA} spectra, but the set {train.meta.name!r} has "
            f"{len(train)}. Add spectra, or use more folds, so that more are left to train on."
        )
    if train.constant_channels.all():
        raise SpectraError(
            f"All {len(train)} spectra of the set {train.meta.name!r} are equal, so there is nothing to learn. "
            "Check that the right file was loaded."
        )
    require_computable_signal(train, "training")
    require_computable_targets(train, "training")


def require_fitted(regressor: object, title: str) -> None:
    """Refuse a regressor that has learned nothing yet."""
    if not hasattr(regressor, "frame_"):
        raise NotFittedError(f"The regressor {title!r} is not fitted. Call fit, or load a fitted one, first.")


def constant_target_notes(targets: Standardiser, frame: Frame) -> tuple[str, ...]:
    """Name every target that is constant in the training spectra."""
    return tuple(
        f"{target.label} is {value:g} in every training spectrum, so nothing is learned of it: it is predicted as that."
        for target, value, constant in zip(frame.target_info, targets.mean, targets.constant, strict=True)
        if constant
    )


def target_table(values: NDArray[np.float64], frame: Frame) -> pd.DataFrame:
    """Return predicted values (n_spectra, n_targets) under the names of the targets."""
    return pd.DataFrame(values, columns=list(frame.target_names))


def checked_arrays(arrays: Arrays, shapes: Mapping[str, tuple[int | None, ...]], title: str) -> Arrays:
    """Return the arrays named in `shapes`, each of the stated shape, numeric and finite.

    Parameters
    ----------
    arrays
        What was stored; hostile until checked.
    shapes
        Shape per name; None stands for any length.
    title
        Of the regressor, for the message.

    Raises
    ------
    ConfigError
        When names are missing or unknown, a shape differs, or a value is not a finite number.
    """
    if set(arrays) != set(shapes):
        raise ConfigError(
            f"The stored state of {title!r} must hold the arrays {', '.join(sorted(shapes))}; "
            f"it holds {', '.join(sorted(arrays)) or 'none'}. The file belongs to another model or is damaged."
        )
    for name, shape in shapes.items():
        values = np.asarray(arrays[name])
        fits = values.ndim == len(shape) and all(
            want in (None, have) for want, have in zip(shape, values.shape, strict=True)
        )
        if not fits:
            wanted = " x ".join("any" if n is None else str(n) for n in shape) or "a single number"
            raise ConfigError(
                f"The stored array {name!r} of {title!r} must have the shape {wanted}, got {values.shape}. "
                "The file belongs to another model or is damaged."
            )
        if values.dtype.kind not in "fiu" or not np.isfinite(values).all():
            raise ConfigError(
                f"The stored array {name!r} of {title!r} must hold finite numbers. The file is damaged: "
                "fit the model again."
            )
    return {name: np.asarray(arrays[name]) for name in shapes}


def scaling_shapes(prefix: str, n_columns: int) -> dict[str, tuple[int | None, ...]]:
    """Return the shapes of a stored `Standardiser`."""
    return {f"{prefix}.{part}": (n_columns,) for part in ("mean", "scale", "constant")}
