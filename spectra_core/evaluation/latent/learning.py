"""Has a generator learned: which latent dimensions carry information, how well spectra are reconstructed."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from spectra_core.errors import SpectraError
from spectra_core.generators.base import LatentGenerator
from spectra_core.shares import percent
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


_STRETCHES = 10
RISEN, FALLING = 1.1, 0.97
"""Mean loss of the last tenth of the epochs over the least mean of any tenth, and over the tenth before it, from which
the curve has turned upwards, or still goes down. From one tenth to the next a curve that has levelled off changes by a
per cent or two."""


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


def learned_sentence(history: pd.DataFrame, rebuilt: float, words: str) -> str:
    """Say whether a generator has learned, from spectra it was judged on and from its training curve.

    Parameters
    ----------
    history
        One row per epoch; ``validation_loss`` where spectra were held out. Empty where nothing was trained in epochs.
    rebuilt
        Root mean square of spectrum minus reconstruction over that of spectrum minus mean training spectrum.
    words
        What the spectra are that it was judged on: "held-out spectra".

    Examples
    --------
    >>> falling = pd.DataFrame({"validation_loss": np.linspace(2.0, 1.0, 40)})
    >>> learned_sentence(falling, 0.1, "held-out spectra").partition(" Loss on ")[2]
    'held-out spectra was still falling: train for more epochs.'
    """
    said = f"Of what tells {words} apart it rebuilds all but {percent(min(rebuilt, 1.0))}."
    if "validation_loss" not in history or len(history) < 2 * _STRETCHES:
        return said
    loss = history["validation_loss"].to_numpy(dtype=np.float64)
    means = np.array([part.mean() for part in np.array_split(loss, _STRETCHES)])
    best = int(means.argmin())
    if means[-1] > RISEN * means[best]:
        epoch = round((best + 0.5) * len(loss) / _STRETCHES)
        return f"{said} Loss on held-out spectra has risen since about epoch {epoch}: it memorises; stop earlier."
    if means[-1] < FALLING * means[-2]:
        return f"{said} Loss on held-out spectra was still falling: train for more epochs."
    return f"{said} Loss on held-out spectra has levelled off."


def rebuilt_share(generator: LatentGenerator, spectra: SpectraSet, training: SpectraSet) -> float:
    """Return the root mean square of what reconstructions lack over that of spectrum minus mean training spectrum."""
    left = np.mean(reconstruction_errors(generator, spectra) ** 2)
    whole = np.mean((spectra.signal - training.signal.mean(axis=0)) ** 2)
    return float(np.sqrt(left / whole)) if whole > 0 else 0.0


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
