"""Which experimental spectrum is nearest to each generated one, and whether that makes it a copy."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.errors import ConfigError, SpectraError
from spectra_core.evaluation.channels.noise import noise_level
from spectra_core.evaluation.roles import require_comparable
from spectra_core.evaluation.similarity.distances import FeatureSpace, Window, nearest
from spectra_core.spectra import SpectraSet, require_same_targets

REFERENCES = ("training", "held-out")


def neighbours(
    sets: Mapping[str, SpectraSet],
    *,
    metric: str = "euclidean",
    window: float | None = None,
    role: str = "generated",
) -> pd.DataFrame:
    """Find the nearest training and the nearest held-out spectrum of each generated spectrum.

    Parameters
    ----------
    sets
        Spectra by role; "training" and the role asked about are needed, "held-out" is used where there.
    metric
        "euclidean", "spectral_angle" or "noise_weighted".
    window
        Half width of the concentration window, in standard deviations of each target over the training set:
        with it, neighbours among similar concentrations are found too, those whose every target lies within
        the window.
    role
        Whose neighbours: "generated"; or "held-out", whose distances to the training set are the
        real-versus-real floor.

    Returns
    -------
    DataFrame, one row per spectrum of `role`
        ``sample`` (row in its set, from 0), ``id``; ``nearest_training`` (row in the training set),
        ``distance_training`` [see `DISTANCES`], ``distance_ratio`` (nearest over second nearest training
        spectrum, NNDR: near 0 for a copy, near 1 between spectra; NaN where both are zero), ``exact_copy``
        (equal, value by value, to a training spectrum). With held-out spectra also ``nearest_held-out``,
        ``distance_held-out``. With a window the same two columns of each reference ending in ``_similar``
        (row -1 and NaN where no spectrum has similar concentrations), and ``n_similar`` (training spectra in
        the window).

    Raises
    ------
    SpectraError
        When a set is missing, axes differ, or a window is asked for without common targets.
    """
    require_comparable(sets)
    if "training" not in sets or role not in sets:
        raise SpectraError(f"Neighbours need a training and a {role} set; got {', '.join(sets)}.")
    training, asked = sets["training"], sets[role]
    space = FeatureSpace.of(training, metric)
    query = space.place(asked.signal)
    table = pd.DataFrame({"sample": np.arange(len(asked)), "id": asked.samples["id"]})
    for reference in REFERENCES:
        if reference not in sets or reference == role:
            continue
        pool = space.place(sets[reference].signal)
        rows, distances = nearest(query, pool, 2)
        table[f"nearest_{reference}"] = rows[:, 0]
        table[f"distance_{reference}"] = space.measure(distances[:, 0])
        if reference == "training":
            table["distance_ratio"] = _ratio(space.measure(distances[:, 0]), space.measure(distances[:, 1]))
            table["exact_copy"] = copy_of(asked, training) >= 0
        if window is not None:
            inside = concentration_window(asked, sets[reference], training, window)
            rows, distances = nearest(query, pool, 1, inside)
            table[f"nearest_{reference}_similar"] = rows[:, 0]
            table[f"distance_{reference}_similar"] = space.measure(distances[:, 0])
            if reference == "training":
                table["n_similar"] = inside.counts()
    return table


def copy_of(spectra: SpectraSet, training: SpectraSet) -> NDArray[np.int64]:
    """Return for every spectrum the first training row with the same content, -1 where there is none.

    Values are compared, not distances: single-precision distances of exact copies are not zero. Where one set
    is in single precision, both are compared in single precision, since that is how the copy was kept.

    Returns
    -------
    (n_spectra,)
    """
    from hashlib import blake2b

    both_double = spectra.signal.dtype == training.signal.dtype == np.float64
    precision = "float64" if both_double else "float32"
    first_row: dict[bytes, int] = {}
    for row, content in enumerate(_contents(training, precision)):
        first_row.setdefault(blake2b(content, digest_size=32).digest(), row)
    found = [first_row.get(blake2b(content, digest_size=32).digest(), -1) for content in _contents(spectra, precision)]
    return np.array(found, dtype=np.int64)


def concentration_window(asked: SpectraSet, pool: SpectraSet, training: SpectraSet, half_width: float) -> Window:
    """Return which spectra of `pool` have concentrations similar to each spectrum of `asked`.

    Targets are measured in standard deviations over the training set; a target that is constant there must
    agree to within its rounding.

    Raises
    ------
    SpectraError
        When there are no targets, or the sets have different ones.
    """
    if half_width <= 0:
        raise ConfigError(f"The concentration window is a positive number of standard deviations, got {half_width:g}.")
    if training.n_targets == 0:
        raise SpectraError("Similar concentrations need targets, and the training set has none.")
    for one in (asked, pool):
        require_same_targets(training.target_names, one.target_names)
    spread = training.target_values.std(axis=0)
    # A constant target: any real difference is far more than the window.
    spread = np.where(spread > 0, spread, 1e-9 * np.maximum(np.abs(training.target_values[0]), 1e-300))
    return Window(asked.target_values / spread, pool.target_values / spread, half_width)


def pair_difference(
    sets: Mapping[str, SpectraSet],
    sample: int,
    reference: str,
    reference_sample: int,
    *,
    role: str = "generated",
    noise: NDArray[np.float64] | None = None,
) -> pd.DataFrame:
    """Lay a spectrum beside its neighbour, with the difference in units of noise.

    Parameters
    ----------
    sets
        Spectra by role.
    sample, reference_sample
        Rows in the set `role` and in the set `reference`.
    noise : (n_channels,)
        What differences are measured in; by default the `noise_level` of "training".

    Returns
    -------
    DataFrame, one row per channel
        ``position`` [axis unit], ``spectrum``, ``neighbour``, ``difference`` (spectrum - neighbour),
        ``noise`` [signal unit], ``difference_in_noise`` (NaN where the noise is zero; two measurements of one
        solution differ by about sqrt(2)).
    """
    one, other = sets[role], sets[reference]
    noise = noise_level(sets["training"]) if noise is None else noise
    spectrum = one.signal[sample].astype(np.float64)
    neighbour = other.signal[reference_sample].astype(np.float64)
    in_noise = np.full(len(noise), np.nan)
    np.divide(spectrum - neighbour, noise, out=in_noise, where=noise > 0)
    return pd.DataFrame(
        {
            "position": one.axis.positions,
            "spectrum": spectrum,
            "neighbour": neighbour,
            "difference": spectrum - neighbour,
            "noise": noise,
            "difference_in_noise": in_noise,
        }
    )


def _contents(spectra: SpectraSet, precision: str) -> Iterator[bytes]:
    # Adding zero turns -0.0 into 0.0, which is the same value with other bytes.
    return ((row.astype(precision) + 0).tobytes() for row in spectra.signal)


def _ratio(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio = np.full(len(first), np.nan)
    np.divide(first, second, out=ratio, where=second > 0)
    return ratio
