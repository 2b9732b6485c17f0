"""How well a forward model, from concentrations to spectra, knows the spectra it was fitted to."""

import numpy as np
import pandas as pd

from spectra_core.evaluation.channels.noise import POINTS, noise_level
from spectra_core.generators.physics_residual import PhysicsResidual
from spectra_core.spectra import SpectraSet


def forward_model_errors(generator: PhysicsResidual, train: SpectraSet) -> pd.DataFrame:
    """Set what physics misses, and what physics and residual miss of left-out rows, beside the noise.

    Parameters
    ----------
    generator
        Fitted on `train`.

    Returns
    -------
    DataFrame, one row per channel
        ``position``; in the signal's unit, root mean squares over the spectra: ``spread`` (standard deviation),
        ``physics`` (what physics alone misses), ``left_out`` (what physics and residual miss, each row left out by
        leverage), ``noise`` (`noise_level`; NaN where there are too few channels to see it).
    """
    spread, physics, left_out = generator.channels_
    noise = noise_level(train) if train.n_channels >= POINTS else np.full(train.n_channels, np.nan)
    parts = {"spread": spread, "physics": physics, "left_out": left_out, "noise": noise}
    return pd.DataFrame({"position": train.axis.positions, **parts})


def explained_shares(errors: pd.DataFrame) -> pd.DataFrame:
    """Return how much of the variance over all channels is explained, and in a channel in the middle.

    Parameters
    ----------
    errors
        From `forward_model_errors`.

    Returns
    -------
    DataFrame, one row per model
        ``model`` ("physics", "left_out"), ``share`` (1 - sum of squares missed over sum of squares of the spread;
        below 0 where the mean spectrum would do better), ``median_share`` (median over channels that vary),
        ``noises`` (median over channels of the error in units of the noise).
    """
    varying = errors[errors["spread"] > 0]
    rows = []
    for model in ("physics", "left_out"):
        missed, spread = varying[model] ** 2, varying["spread"] ** 2
        ratio = varying[model] / varying["noise"].where(varying["noise"] > 0)
        rows.append(
            {
                "model": model,
                "share": 1.0 - missed.sum() / spread.sum(),
                "median_share": float((1.0 - missed / spread).median()),
                "noises": float(ratio.median()),
            }
        )
    return pd.DataFrame(rows)
