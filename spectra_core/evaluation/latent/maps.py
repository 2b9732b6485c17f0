"""Where spectra of every role lie on a map of the latent space or of the channels."""

import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.errors import ConfigError, SpectraError
from spectra_core.evaluation.roles import require_comparable
from spectra_core.evaluation.similarity.distances import nearest
from spectra_core.generators.base import LatentGenerator
from spectra_core.spectra import SpectralAxis, SpectraSet

N_KEPT = 50
"""Principal components kept before a neighbour map: more only add noise to the distances and time."""
FEWEST = 3
"""Two spectra lie on a line, whatever a neighbour map does."""
NEIGHBOURS, PERPLEXITY = 15, 30.0
"""Of UMAP and t-SNE, where there are spectra enough."""
ROUNDS, FEWEST_ROUNDS, MOST_ROUNDS = 800_000, 200, 500
"""Rounds of UMAP's layout times spectra, and the bounds of rounds: those of umap-learn for large and small sets."""
EXTENT = 10.0
"""Sides of the square that a layout by UMAP begins in, as in umap-learn."""
TRUST_SPECTRA = 2000
"""Trustworthiness compares all pairs: beyond so many spectra it is estimated from a seeded sample."""


def map_features(sets: Mapping[str, SpectraSet], generator: LatentGenerator | None = None) -> dict[str, NDArray[Any]]:
    """Return what the map is drawn from: posterior means of the spectra, or without a generator the channels.

    Returns
    -------
    dict, (n_spectra, n_features) per role
        Latent dimensions in units of the prior; channels in the signal's unit.
    """
    require_comparable(sets)
    if "training" not in sets:
        raise SpectraError(f"A map is laid out by the training set; got {', '.join(sets)}.")
    if generator is None:
        return {role: spectra.signal.astype(np.float64) for role, spectra in sets.items()}
    return {role: generator.encode(spectra).mean for role, spectra in sets.items()}


def latent_map(sets: Mapping[str, SpectraSet], generator: LatentGenerator | None = None) -> pd.DataFrame:
    """Map spectra by the two leading principal components of the training set; all other roles are projected.

    Parameters
    ----------
    sets
        Spectra by role; "training" is needed.
    generator
        Maps the latent space of this generator; None maps the channels.

    Returns
    -------
    DataFrame, one row per spectrum
        ``role``, ``sample`` (row in its set, from 0), ``id``, ``x``, ``y`` (scores); ``share_x``, ``share_y``
        (of the training set's variance, the same in every row); one column ``target NAME`` per target, in
        the unit of the set.
    """
    features = map_features(sets, generator)
    centre = features["training"].mean(axis=0)
    loadings, shares = _leading_components(features["training"] - centre, 2)
    scores = {role: (values - centre) @ loadings for role, values in features.items()}
    return _table(sets, scores, shares)


def fitting_neighbours(n_spectra: int) -> int:
    """Return how many neighbours, itself among them, UMAP takes of a spectrum: all there are in a small set.

    >>> fitting_neighbours(3744), fitting_neighbours(12)
    (15, 11)
    """
    return min(NEIGHBOURS, n_spectra - 1)


def fitting_perplexity(n_spectra: int) -> float:
    """Return the perplexity of t-SNE: in a small set a third of the neighbours, for it looks at three times as many.

    >>> fitting_perplexity(3744), fitting_perplexity(13), fitting_perplexity(3)
    (30.0, 4.0, 1.0)
    """
    return min(PERPLEXITY, max(1.0, (n_spectra - 1) / 3))


def require_neighbours(sets: Mapping[str, SpectraSet], generator: LatentGenerator | None = None) -> None:
    """Refuse, in a sentence, to lay out spectra by their neighbours where they have none to tell apart.

    Raises
    ------
    SpectraError
        For fewer than three spectra, or when all are equal.
    """
    _mapped(sets, generator)


def umap_map(
    sets: Mapping[str, SpectraSet],
    generator: LatentGenerator | None = None,
    *,
    n_neighbours: int | None = None,
    min_dist: float = 0.1,
    seed: int = 0,
) -> pd.DataFrame:
    """Map spectra of all roles together by UMAP (McInnes, Healy & Melville 2018, arXiv:1802.03426).

    Drawn by the authors' umap-learn. Neighbours are found exactly, by brute force; the layout begins at the two leading
    principal components (Kobak & Linderman, Nature Biotechnology 2021). Distances and densities on such a map mean
    little: read which spectra are neighbours, nothing else. The first map in an installation waits for umap-learn to
    compile, the first in a process to load.

    Parameters
    ----------
    n_neighbours
        Neighbours that define the map: few show detail, many show the whole. `fitting_neighbours` by default.
    min_dist
        Smallest distance between points on the map.
    seed
        Decides the layout.

    Returns
    -------
    DataFrame
        As `latent_map`; ``share_x`` and ``share_y`` are NaN.
    """
    values, sizes = _mapped(sets, generator)
    n_points = len(values)
    n_neighbours = fitting_neighbours(n_points) if n_neighbours is None else n_neighbours
    if not 2 <= n_neighbours < n_points:
        raise ConfigError(f"UMAP needs from 2 to {n_points - 1} neighbours for {n_points} spectra, got {n_neighbours}.")
    # Asked with the points themselves, every point, or an exact copy of it, is its own first neighbour at distance 0.
    rows, distances = nearest(values, values, n_neighbours)
    with _ONE_LAYOUT, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what its import does, and that new spectra cannot be added later
        from umap import UMAP

        _keep_compiled()
        layout = UMAP(
            n_neighbors=n_neighbours,
            min_dist=min_dist,
            n_epochs=int(np.clip(ROUNDS / n_points, FEWEST_ROUNDS, MOST_ROUNDS)),
            init=_start(values, EXTENT, seed),
            precomputed_knn=(rows, distances),
            random_state=seed,
            n_jobs=1,
        ).fit_transform(values)
    return _table(sets, _by_role(layout, sizes), (np.nan, np.nan))


@cache
def _keep_compiled() -> None:
    """Have numba keep on disk what umap-learn would compile anew in every process, for ten seconds."""
    from numba.core.dispatcher import Dispatcher
    from umap import layouts, umap_, utils

    for module in (layouts, umap_, utils):
        for function in vars(module).values():
            if isinstance(function, Dispatcher) and function.py_func.__module__ == module.__name__:
                with suppress(RuntimeError):  # no folder to keep it in
                    function.enable_caching()


def compile_umap() -> None:
    """Draw a small map, so that the next one in this process does not wait for umap-learn to load and compile."""
    values = np.random.default_rng(0).random((4 * NEIGHBOURS, 5))
    umap_map({"training": SpectraSet(SpectralAxis(np.arange(5.0)), values)})


def tsne_map(
    sets: Mapping[str, SpectraSet],
    generator: LatentGenerator | None = None,
    *,
    perplexity: float | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Map spectra of all roles together by t-SNE (van der Maaten & Hinton, J Mach Learn Res 2008).

    Parameters
    ----------
    perplexity
        Effective number of neighbours of each spectrum; less than the number of spectra. `fitting_perplexity` by
        default.

    Returns
    -------
    DataFrame
        As `latent_map`; ``share_x`` and ``share_y`` are NaN.
    """
    from sklearn.manifold import TSNE

    values, sizes = _mapped(sets, generator)
    perplexity = fitting_perplexity(len(values)) if perplexity is None else perplexity
    if not 1 <= perplexity < len(values):
        raise ConfigError(
            f"The perplexity lies between 1 and the number of spectra ({len(values)}), got {perplexity:g}."
        )
    # Begun here, since scikit-learn divides by the spread of the first component and cannot do with a single channel.
    start = _start(values, 1e-4, seed).astype(np.float32)
    layout = TSNE(perplexity=perplexity, init=start, random_state=seed, n_jobs=1).fit_transform(values)
    return _table(sets, _by_role(layout, sizes), (np.nan, np.nan))


MAPS: dict[str, Callable[..., pd.DataFrame]] = {"pca": latent_map, "umap": umap_map, "tsne": tsne_map}
"""Ways of laying out a map; each takes (sets, generator, ...) and returns the table of `latent_map`."""

_ONE_LAYOUT = Lock()
"""Numba's loops over threads may not be entered twice at once: with its own thread layer that ends the process."""


def trustworthiness(
    table: pd.DataFrame,
    sets: Mapping[str, SpectraSet],
    generator: LatentGenerator | None = None,
    *,
    n_neighbours: int = 15,
    seed: int = 0,
) -> float:
    """Say how far neighbours on a map are neighbours in the space it shows.

    1 where every neighbour on the map is one in the space, about 0.5 for a random map (Venna & Kaski, Neural
    Networks 2006); NaN for fewer than three spectra. Computed on at most 2000 spectra, drawn by `seed`.

    Parameters
    ----------
    table
        What one of `MAPS` returned for the same sets and generator.
    """
    from sklearn.manifold import trustworthiness as measure

    values, _ = _pooled(sets, generator)
    if len(values) != len(table):
        raise SpectraError(f"The map has {len(table)} spectra but the sets have {len(values)}. Draw the map again.")
    points = table[["x", "y"]].to_numpy()
    if len(values) > TRUST_SPECTRA:
        rows = np.sort(np.random.default_rng(seed).choice(len(values), TRUST_SPECTRA, replace=False))
        values, points = values[rows], points[rows]
    n_used = min(n_neighbours, (len(values) - 1) // 2)
    return float(measure(values, points, n_neighbors=n_used)) if n_used else float("nan")


def _pooled(
    sets: Mapping[str, SpectraSet], generator: LatentGenerator | None
) -> tuple[NDArray[np.float64], dict[str, int]]:
    """Features of all roles, one below the other, cut to the leading components of the training set."""
    features = map_features(sets, generator)
    centre = features["training"].mean(axis=0)
    pooled = np.concatenate([values - centre for values in features.values()])
    if pooled.shape[1] > N_KEPT:
        spread = features["training"] - centre
        loadings, _ = _leading_components(spread if spread.any() else pooled, N_KEPT)
        pooled = pooled @ loadings
    return pooled, {role: len(values) for role, values in features.items()}


def _mapped(
    sets: Mapping[str, SpectraSet], generator: LatentGenerator | None
) -> tuple[NDArray[np.float64], dict[str, int]]:
    """Return what a neighbour map lays out, in units of its largest value; refuse what has no neighbours to tell."""
    values, sizes = _pooled(sets, generator)
    if len(values) < FEWEST:
        raise SpectraError(
            f"A map of neighbours needs at least {FEWEST} spectra, got {len(values)}. Take PCA, or more spectra."
        )
    if not np.ptp(values, axis=0).any():
        raise SpectraError(
            f"All {len(values)} spectra are equal, so none is nearer to one than to another. Take other spectra."
        )
    return values / np.abs(values).max(), sizes


def _start(values: NDArray[np.float64], extent: float, seed: int) -> NDArray[np.float64]:
    """Return the two leading principal components, (n_points, 2), the first over `extent`; equal points lie apart."""
    loadings, _ = _leading_components(values - values.mean(axis=0), 2)
    scores = values @ loadings
    noise = np.random.default_rng(seed).normal(scale=1e-4, size=scores.shape)
    return extent * (scores / (np.ptp(scores[:, 0]) or 1.0) + noise)


def _by_role(layout: NDArray[Any], sizes: Mapping[str, int]) -> dict[str, NDArray[np.float64]]:
    ends = np.cumsum(list(sizes.values()))[:-1]
    parts = np.split(np.asarray(layout, dtype=np.float64), ends)
    return dict(zip(sizes, parts, strict=True))


def _leading_components(centred: NDArray[np.float64], n_wanted: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Loadings (n_features, n_wanted) and their shares of the variance; signs are fixed, missing ones are zero."""
    from scipy.linalg import eigh

    n_rows, n_features = centred.shape
    n_found = min(n_wanted, n_rows, n_features)
    wide = n_features > n_rows
    products = centred @ centred.T if wide else centred.T @ centred
    last = len(products) - 1
    power, vectors = eigh(products, subset_by_index=(last - n_found + 1, last))
    power, vectors = np.maximum(power[::-1], 0.0), vectors[:, ::-1]
    if wide:
        vectors = centred.T @ vectors
        length = np.linalg.norm(vectors, axis=0)
        vectors = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    # A component's sign is arbitrary: its largest loading is made positive, so that maps agree between runs.
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), range(n_found)])
    total = float((centred**2).sum())
    loadings, shares = np.zeros((n_features, n_wanted)), np.zeros(n_wanted)
    loadings[:, :n_found] = vectors * np.where(signs == 0, 1.0, signs)
    if total > 0:
        shares[:n_found] = power / total
    return loadings, shares


def _table(sets: Mapping[str, SpectraSet], points: Mapping[str, NDArray[np.float64]], shares: Any) -> pd.DataFrame:
    tables = []
    for role, spectra in sets.items():
        targets = spectra.targets.rename(columns=lambda name: f"target {name}")
        place = pd.DataFrame(
            {
                "role": role,
                "sample": np.arange(len(spectra)),
                "id": spectra.samples["id"],
                "x": points[role][:, 0],
                "y": points[role][:, 1],
                "share_x": shares[0],
                "share_y": shares[1],
            }
        )
        tables.append(pd.concat([place, targets], axis=1))
    return pd.concat(tables, ignore_index=True)
