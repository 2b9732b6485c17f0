"""UMAP's graph and layout against its definitions: root finding, plain loops, numerical gradients of the loss."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import brentq
from scipy.spatial.distance import cdist

from spectra_core.evaluation.latent.umap_kernel import pull_and_push
from spectra_core.evaluation.latent.umap_layout import curve, neighbour_graph, umap_layout

A, B = 1.577, 0.895


def nearest(points, k=7):
    distances = cdist(points, points)
    rows = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return rows, np.take_along_axis(distances, rows, axis=1)


def points_in(n_clusters, seed=0, n_each=40):
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.normal(size=(n_each, 4)) + 30.0 * cluster for cluster in range(n_clusters)])


def test_strengths_follow_their_definition():
    rows, distances = nearest(points_in(1), k=7)
    directed = np.zeros((40, 40))
    for i in range(40):
        rho = distances[i, 1]
        beyond = distances[i, 1:] - rho
        sigma = brentq(lambda s, beyond=beyond: np.exp(-beyond / s).sum() - np.log2(7), 1e-3, 1e3, xtol=1e-14)
        directed[i, rows[i, 1:]] = np.exp(-beyond / sigma)
    expected = directed + directed.T - directed * directed.T
    assert_allclose(neighbour_graph(rows, distances).toarray(), expected, rtol=1e-9, atol=1e-12)


def test_points_at_one_place_are_fully_connected():
    points = np.repeat(points_in(1, n_each=8), 3, axis=0)
    graph = neighbour_graph(*nearest(points, k=6)).toarray()
    rows, distances = nearest(points, k=6)
    for i in range(len(points)):
        copies = [j for j, d in zip(rows[i], distances[i], strict=True) if d == 0 and j != i]
        assert_allclose(graph[i, copies], 1.0)
    assert_array_equal(np.diag(graph), 0.0)


@pytest.mark.parametrize("min_dist", [0.0, 0.1, 0.5])
def test_curve_is_near_what_it_stands_for(min_dist):
    a, b = curve(min_dist)
    d = np.linspace(0.0, 3.0, 50)
    wanted = np.where(d < min_dist, 1.0, np.exp(min_dist - d))
    assert np.abs(1.0 / (1.0 + a * d ** (2 * b)) - wanted).max() < 0.1


@pytest.mark.filterwarnings("ignore")  # of the library's import
def test_graph_and_curve_are_those_of_umap_learn():
    umap_ = pytest.importorskip("umap.umap_")
    points = np.concatenate([points_in(2), points_in(1)[:3]])  # with copies
    rows, distances = nearest(points, k=10)
    theirs, *_ = umap_.fuzzy_simplicial_set(
        points, 10, np.random.RandomState(0), "euclidean", knn_indices=rows, knn_dists=distances.astype(np.float32)
    )
    # The library sums in single precision and stops its bisection at 1e-5.
    assert_allclose(neighbour_graph(rows, distances).toarray(), theirs.toarray(), atol=2e-5)
    assert_allclose(curve(0.1), umap_.find_ab_params(1.0, 0.1), rtol=1e-6)


RATE, SEED = 0.5, 11


def moved(points, n_negative, *, seed=SEED):
    """One edge, two rounds: the strongest edges have their first turn in the second, when the rate has halved."""
    found = np.array(points, dtype=np.float32)
    ends, gaps = (np.array([end], dtype=np.int32) for end in (0, 1)), np.ones(1, dtype=np.float32)
    pull_and_push(found, *ends, gaps, 2, n_negative, np.float32(A), np.float32(B), np.uint64(seed))
    return found


def draws(n_points, number, seed=SEED):
    """Points that Knuth's generator picks."""
    found = []
    for _ in range(number):
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
        found.append((seed >> 32) * n_points >> 32)
    return found


def gradient(loss, point):
    step = 1e-6
    return np.array([(loss(point + step * unit) - loss(point - step * unit)) / (2 * step) for unit in np.eye(2)])


def pull_loss(other):
    return lambda point: np.log(1.0 + A * ((point - other) ** 2).sum() ** B)


def push_loss(other):
    """-log(1 - p), p = 1/(1 + a d^2b)."""
    return lambda point: -np.log(1.0 - 1.0 / (1.0 + A * ((point - other) ** 2).sum() ** B))


def test_an_edge_pulls_both_ends_down_the_gradient_of_its_loss():
    points = np.array([[0.3, -0.2], [1.5, 0.9], [7.0, 7.0]])
    step = RATE * gradient(pull_loss(points[1]), points[0])
    found = moved(points, 0)
    assert_allclose(found[0], points[0] - step, rtol=1e-4)
    assert_allclose(found[1], points[1] + step, rtol=1e-4)
    assert_array_equal(found[2], points[2])


def test_points_drawn_at_random_push_the_first_end():
    points = np.array([[0.3, -0.2], [1.5, 0.9], [4.0, -3.0], [-2.0, 2.5]])
    now = moved(points, 0).astype(float)
    expected, drawn = now[0].copy(), draws(len(points), 12)
    for k in drawn:
        other = now[k] if k else points[0]  # its own new place is written when it has been pushed
        expected -= RATE * gradient(push_loss(other), now[0])
    assert set(drawn) == {0, 1, 2, 3}
    # What keeps the push of a point at the same place finite changes it by 0.001/d^2.
    assert_allclose(moved(points, 12)[0], expected, rtol=0.02)


def test_no_step_is_longer_than_four():
    points = [[0.0, 0.0], [0.06, 0.0], [0.0, 900.0]]
    pulled, pushed = moved(points, 0), moved(points, 3)
    assert draws(3, 3) == [2, 1, 0]
    # The far point pushes by nothing, the near one and the point's own old place as far as is allowed.
    sides = np.sign(pulled[0, 0] - [pulled[1, 0], points[0][0]])
    assert_allclose(pushed[0, 0] - pulled[0, 0], 4.0 * RATE * sides.sum(), rtol=0.02)


def test_an_edge_has_its_turn_as_often_as_it_is_strong():
    """Of 8 rounds one edge takes part in every one, the other in every fourth."""
    points = np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 200.0], [100.0, 200.0]], dtype=np.float32)
    ends = np.array([0, 2], dtype=np.int32), np.array([1, 3], dtype=np.int32)
    lone = points.copy()
    for gaps, found in (((1, 4), points), ((1, 1), lone)):
        numbers = np.float32(A), np.float32(B), np.uint64(1)
        pull_and_push(found, *ends, np.array(gaps, dtype=np.float32), 8, 0, *numbers)
    # Far apart a pull is 2b/d and hardly changes; rates are 1, 7/8 ... 1/8, and turns come at rounds 4 (of 0 to 7).
    near = 2 * B / 100.0
    rates = 1.0 - np.arange(8) / 8.0
    assert_allclose(lone[2, 0] / near, rates[1:].sum(), rtol=0.02)
    assert_allclose(points[2, 0] / near, rates[4], rtol=0.02)


@pytest.mark.parametrize("n_clusters", [1, 3], ids=["one piece", "three pieces"])
def test_the_seed_decides_the_layout_and_neighbours_stay_neighbours(n_clusters):
    points = points_in(n_clusters, n_each=120)
    rows, distances = nearest(points, k=10)
    one, again, other = (
        umap_layout(rows, distances, points[:, :2], min_dist=0.1, n_epochs=200, seed=seed) for seed in (1, 1, 2)
    )
    assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    own = np.repeat(np.arange(n_clusters), 120)
    found, _ = nearest(one, k=10)
    assert (own[found] == own[:, None]).mean() > 0.99
    shared = np.mean([len(set(a) & set(b)) for a, b in zip(found, rows, strict=True)]) / 10
    assert shared > 0.3  # at random 10/120


def test_all_points_at_one_place_give_a_finite_map():
    points = np.zeros((30, 3))
    found = umap_layout(*nearest(points, k=5), points[:, :2], min_dist=0.1, n_epochs=20, seed=0)
    assert np.isfinite(found).all()
