"""UMAP in two dimensions (McInnes, Healy & Melville 2018, arXiv:1802.03426), from neighbours that are already known.

The steps and constants of the authors' program umap-learn. Written out here because that program compiles for ten
seconds and more in a new installation, and for several in every process; see docs/decisions/042.
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

LOWEST_WIDTH = 1e-3
"""Smallest width of a point's kernel, in mean distances to its neighbours; for points on top of each other."""
EXTENT = 10.0
"""Sides of the square that the layout begins in."""
N_NEGATIVE = 5
"""Points that each pull of an edge is followed by pushes from."""
_BISECTIONS = 64


def umap_layout(
    rows: NDArray[np.integer[Any]],
    distances: NDArray[np.floating[Any]],
    start: NDArray[np.floating[Any]],
    *,
    min_dist: float,
    n_epochs: int,
    seed: int,
) -> NDArray[np.float32]:
    """Lay points out so that neighbours stay neighbours.

    Parameters
    ----------
    rows, distances : (n_points, n_neighbours)
        Of every point's nearest points, ascending, itself first.
    start : (n_points, 2)
        Where the points begin when their neighbourhoods do not hang together, such as two principal components.
    min_dist
        Smallest distance between points on the map.
    n_epochs
        Rounds in which every edge pulls its points together about as often as it is strong.
    seed
        Decides what pushes points apart.

    Returns
    -------
    (n_points, 2)
    """
    from spectra_core.evaluation.latent.umap_kernel import pull_and_push

    rng = np.random.default_rng(seed)
    graph = neighbour_graph(rows, np.asarray(distances, dtype=np.float64)).tocoo()
    kept = graph.data >= graph.data.max() / n_epochs
    begin = _spectral_start(graph.tocsr(), rng)
    points = start if begin is None else begin
    span = np.ptp(points, axis=0)
    points = EXTENT * (points - points.min(axis=0)) / np.where(span > 0, span, 1.0)
    apart = rng.normal(scale=1e-4, size=points.shape)  # those at one place
    points = np.asarray(points + apart, dtype=np.float32)
    a, b = curve(min_dist)
    pull_and_push(
        points,
        graph.row[kept].astype(np.int32),
        graph.col[kept].astype(np.int32),
        (graph.data.max() / graph.data[kept]).astype(np.float32),
        n_epochs,
        N_NEGATIVE,
        np.float32(a),
        np.float32(b),
        np.uint64(rng.integers(2**63)),
    )
    return points


def neighbour_graph(rows: NDArray[np.integer[Any]], distances: NDArray[np.float64]) -> Any:
    """Return how strongly points are connected, a symmetric sparse matrix with values up to 1.

    The strength of point j seen from i is exp(-max(0, d - rho)/sigma), with rho the distance to the nearest other
    point and sigma such that all together are log2 of the number of neighbours; both directions are joined by p + q -
    pq (sections 3.1 and 4.1).
    """
    from scipy import sparse

    n_points, n_neighbours = rows.shape
    apart = np.where(distances > 0, distances, np.inf).min(axis=1)
    nearest = np.where(np.isfinite(apart), apart, 0.0)
    beyond = np.maximum(distances - nearest[:, None], 0.0)
    strength = np.exp(-beyond / _widths(distances, beyond, nearest, np.log2(n_neighbours))[:, None])
    strength[rows == np.arange(n_points)[:, None]] = 0.0
    at = np.repeat(np.arange(n_points), n_neighbours), rows.ravel()
    seen = sparse.csr_matrix((strength.ravel(), at), shape=(n_points, n_points))
    both = seen + seen.T - seen.multiply(seen.T)
    both.eliminate_zeros()
    return both


def _widths(
    distances: NDArray[np.float64], beyond: NDArray[np.float64], nearest: NDArray[np.float64], target: float
) -> NDArray[np.float64]:
    """Return sigma of every point by bisection; the point itself, in the first column, does not count."""
    low, high = np.zeros(len(beyond)), np.full(len(beyond), np.inf)
    width = np.ones(len(beyond))
    for _ in range(_BISECTIONS):
        too_wide = np.exp(-beyond[:, 1:] / width[:, None]).sum(axis=1) > target
        high, low = np.where(too_wide, width, high), np.where(too_wide, low, width)
        width = np.where(np.isfinite(high), (low + high) / 2.0, 2.0 * width)
    own, common = distances.mean(axis=1), distances.mean()
    widths: NDArray[np.float64] = np.maximum(width, LOWEST_WIDTH * np.where(nearest > 0, own, common))
    return widths


def curve(min_dist: float) -> tuple[float, float]:
    """Return a and b of 1/(1 + a d^2b), fitted to 1 up to `min_dist` and exp(min_dist - d) beyond (section 4.2).

    >>> [round(value, 3) for value in curve(0.1)]
    [1.577, 0.895]
    """
    from scipy.optimize import curve_fit

    distance = np.linspace(0.0, 3.0, 300)
    wanted = np.exp(-np.maximum(distance - min_dist, 0.0))
    (a, b), _ = curve_fit(lambda d, a, b: 1.0 / (1.0 + a * d ** (2.0 * b)), distance, wanted)
    return float(a), float(b)


def _spectral_start(graph: Any, rng: np.random.Generator) -> NDArray[np.float64] | None:
    """Return the two slowest directions of the normalised graph; None where it does not hang together."""
    from scipy import sparse
    from scipy.sparse.linalg import ArpackError, eigsh

    n_points = graph.shape[0]
    if n_points < 100 or sparse.csgraph.connected_components(graph, directed=False)[0] > 1:
        return None
    degree = np.sqrt(np.asarray(graph.sum(axis=1)).ravel())
    scaled = sparse.diags(1.0 / degree) @ graph @ sparse.diags(1.0 / degree)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            powers, vectors = eigsh(scaled, k=3, which="LA", v0=rng.uniform(size=n_points), tol=1e-4)
    except ArpackError:
        return None
    return np.asarray(vectors[:, np.argsort(-powers)[1:]], dtype=np.float64)
