"""Has a generator learned: which latent dimensions carry information, how well spectra are reconstructed."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from spectra_core.errors import SpectraError
from spectra_core.generators.base import LatentGenerator
from spectra_core.spectra import SpectraSet
from spectra_core.spectra.latent import ACTIVE_VARIANCE, LatentPosterior

RANKS: tuple[tuple[str, float], ...] = (
    ("best", 0.0),
    ("lower quartile", 0.25),
    ("median", 0.5),
    ("upper quartile", 0.75),
    ("worst", 1.0),
)
"""Which spectra stand for all: their place in the order of reconstruction error."""


FAR = 2.0
"""Times the median error of its siblings from which a training counts as ended far from them. Seeds and folds change
reconstruction errors by a tenth or so; one that was thrown off at a long step ended at three times the others'."""


def far_from_siblings(errors: ArrayLike) -> NDArray[np.bool_]:
    """Return which trainings (n_trainings,) ended with an error more than `FAR` times the median of the others.

    Parameters
    ----------
    errors : (n_trainings,)
        Reconstruction errors of trainings that differ by seed or fold only. Of fewer than three none is told: which of
        two went astray, nobody knows.

    Examples
    --------
    >>> far_from_siblings([0.22, 0.77, 0.32, 0.25]).tolist()
    [False, True, False, False]
    """
    found = np.asarray(errors, dtype=np.float64)
    if len(found) < 3:
        return np.zeros(len(found), dtype=bool)
    others = np.array([np.median(np.delete(found, number)) for number in range(len(found))])
    return np.asarray(found > FAR * others)


def latent_dimensions(posterior: LatentPosterior) -> pd.DataFrame:
    """Describe every latent dimension by the information it carries, most informative first.

    Returns
    -------
    DataFrame, one row per latent dimension, by falling KL
        Columns ``dimension`` (from 1), ``kl`` [nats, mean over spectra], ``variance_of_mean`` (1 where the
        dimension uses the whole prior), ``active`` (variance above 0.01; Burda et al., ICLR 2016).
    """
    variance = posterior.mean.var(axis=0)
    table = pd.DataFrame(
        {
            "dimension": np.arange(1, posterior.n_latent + 1),
            "kl": posterior.kl_per_dimension,
            "variance_of_mean": variance,
            "active": variance > ACTIVE_VARIANCE,
        }
    )
    return table.sort_values(["kl", "dimension"], ascending=[False, True], ignore_index=True)


def reconstruction_errors(generator: LatentGenerator, spectra: SpectraSet) -> NDArray[np.float64]:
    """Return the root mean square over channels of spectrum minus reconstruction, (n_spectra,), in the signal's unit.

    The reconstruction is the decoded posterior mean.
    """
    errors: NDArray[np.float64] = np.sqrt(np.mean((spectra.signal - _reconstructed(generator, spectra)) ** 2, axis=1))
    return errors


def reconstructions(generator: LatentGenerator, spectra: SpectraSet) -> pd.DataFrame:
    """Set five spectra, from best to worst reconstructed, beside their reconstruction.

    Parameters
    ----------
    spectra
        Preferably spectra the generator was not trained on.

    Returns
    -------
    DataFrame, one row per (rank, position)
        Columns ``rank`` (of `RANKS`), ``sample`` (id), ``position`` [axis unit], ``spectrum``, ``reconstruction``,
        ``difference`` (spectrum minus reconstruction) and ``rmse`` of the whole spectrum [unit of the signal].

    Raises
    ------
    SpectraError
        When the spectra do not fit the generator, or are fewer than five.
    """
    if len(spectra) < len(RANKS):
        raise SpectraError(f"Reconstructions are shown for {len(RANKS)} spectra, the set has {len(spectra)}.")
    decoded = _reconstructed(generator, spectra)
    errors = np.sqrt(np.mean((spectra.signal - decoded) ** 2, axis=1))
    order = np.argsort(errors, kind="stable")
    ids = spectra.samples["id"]
    rows = {name: int(order[round(share * (len(spectra) - 1))]) for name, share in RANKS}
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "rank": name,
                    "sample": ids.iloc[row],
                    "position": spectra.axis.positions,
                    "spectrum": spectra.signal[row],
                    "reconstruction": decoded[row],
                    "difference": spectra.signal[row] - decoded[row],
                    "rmse": errors[row],
                }
            )
            for name, row in rows.items()
        ],
        ignore_index=True,
    )


def _reconstructed(generator: LatentGenerator, spectra: SpectraSet) -> NDArray[np.float64]:
    posterior = generator.encode(spectra)
    return generator.decode(posterior.mean, spectra.targets if generator.needs_conditions else None)
