"""How much of the concentrations a latent point tells: what a conditional generator should leave to its conditions."""

import numpy as np
import pandas as pd

from spectra_core.errors import SpectraError
from spectra_core.preprocessing import Standardiser
from spectra_core.regressors.ridge import left_out_residuals, ridge_fit
from spectra_core.spectra import SpectraSet, require_targets
from spectra_core.spectra.latent import LatentPosterior

_SHARES = np.geomspace(1e-8, 1.0, 17)
"""Ridge penalties tried, as shares of the largest eigenvalue."""


def dependence_on_targets(posterior: LatentPosterior, spectra: SpectraSet) -> pd.DataFrame:
    """Read every target linearly from the posterior means, each spectrum with its replicates left out.

    Drawing z from the prior assumes that z and concentrations are independent; where R2 is far above 0, such a z
    contradicts the concentrations that the decoder is asked for. Ridge regression on the active dimensions, the
    penalty per target chosen by the same left-out residuals, as in `regressors.Ridge`.

    Parameters
    ----------
    posterior
        Posteriors of `spectra`, in the same order.

    Returns
    -------
    DataFrame, one row per target
        ``target``, ``r2`` = 1 - (left-out residual squares)/(squares about the mean): 1 where z tells the target, 0
        or a little below where it tells nothing; NaN for a constant target.

    Raises
    ------
    SpectraError
        When posteriors and spectra differ in number, or there are no targets.
    """
    require_targets(spectra)
    if len(posterior) != len(spectra):
        raise SpectraError(
            f"There are {len(spectra)} spectra but {len(posterior)} posteriors. Encode the spectra themselves."
        )
    scaling = Standardiser.fit(spectra.target_values)
    targets = np.asarray(scaling.transform(spectra.target_values), dtype=np.float64)
    r2 = np.zeros(spectra.n_targets)
    if posterior.active.any():
        latent = np.asarray(Standardiser.fit(posterior.mean).transform(posterior.mean))[:, posterior.active]
        _, penalties = ridge_fit(latent, targets, spectra.groups, _SHARES)
        eigenvalues, directions = np.linalg.eigh(latent.T @ latent)
        scores = latent @ directions
        for column, penalty in enumerate(penalties):
            penalised = np.maximum(eigenvalues, 0.0) + penalty
            residual = left_out_residuals(scores, penalised, targets[:, [column]], spectra.groups)
            # Standardised targets: the squares about the mean are as many as there are spectra.
            r2[column] = 1.0 - float((residual**2).sum()) / len(spectra)
    return pd.DataFrame({"target": list(spectra.target_names), "r2": np.where(scaling.constant, np.nan, r2)})
