"""Where concentration sets lie relative to the convex hull of the data."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import linprog, minimize, nnls
from scipy.spatial import Delaunay

from spectra_core.conditions.hull import hull_distance
from spectra_core.errors import SpectraError


def table(values) -> pd.DataFrame:
    values = np.atleast_2d(np.asarray(values, dtype=float))
    return pd.DataFrame(values, columns=[f"c{i}" for i in range(values.shape[1])])


def by_linear_program(train, points):
    """Which points are mixtures: weights w >= 0 with sum 1 and sum of w_i a_i = p exist."""
    equations = np.vstack([train.to_numpy().T, np.ones(len(train))])
    return [
        linprog(np.zeros(len(train)), A_eq=equations, b_eq=[*point, 1.0]).status == 0 for point in points.to_numpy()
    ]


SQUARE = table([[-1, -1], [-1, 1], [1, -1], [1, 1]])
"""Its standard deviation is 1 in both targets, so distances come in plain units."""


@pytest.mark.parametrize(
    ("point", "distance"),
    [([0, 0], 0), ([1, 1], 0), ([1, 0.3], 0), ([3, 0], 2), ([4, 5], 5), ([-1.5, 0], 0.5), ([1 + 1e-4, 0], 1e-4)],
)
def test_distance_to_a_square_is_what_geometry_says(point, distance):
    found = hull_distance(SQUARE, table(point))
    assert found["distance"][0] == pytest.approx(distance, abs=1e-9)
    assert found["inside"][0] == (distance == 0)


def test_distance_is_in_standard_deviations_of_each_target():
    stretched = SQUARE * [1.0, 1000.0]
    assert hull_distance(stretched, table([0, 3000.0]))["distance"][0] == pytest.approx(2.0)


@pytest.mark.parametrize("n_targets", [1, 2, 3, 4])
def test_membership_agrees_with_a_triangulation(n_targets):
    rng = np.random.default_rng(n_targets)
    train = rng.normal(size=(40, n_targets))
    points = rng.normal(size=(60, n_targets)) * np.repeat([0.3, 3.0], 30)[:, None]
    if n_targets == 1:
        expected = (points[:, 0] >= train.min()) & (points[:, 0] <= train.max())
    else:
        expected = Delaunay(train).find_simplex(points) >= 0
    assert 0 < expected.sum() < 60
    assert_array_equal(hull_distance(table(train), table(points))["inside"], expected)


def test_distance_agrees_with_a_general_optimiser():
    rng = np.random.default_rng(3)
    train, points = rng.normal(size=(12, 3)), 3 * rng.normal(size=(6, 3))
    scaled = (train - train.mean(axis=0)) / train.std(axis=0)
    found = hull_distance(table(train), table(points))["distance"]
    for row, point in enumerate((points - train.mean(axis=0)) / train.std(axis=0)):
        best = minimize(
            lambda w, p=point: np.sum((w @ scaled - p) ** 2),
            np.full(12, 1 / 12),
            bounds=[(0, 1)] * 12,
            constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
            options={"ftol": 1e-14, "maxiter": 500},
        )
        assert found[row] == pytest.approx(np.sqrt(best.fun), abs=1e-5)  # what SLSQP reaches


def test_data_on_a_plane_have_a_flat_hull():
    rng = np.random.default_rng(0)
    cations = rng.uniform(0, 1, (50, 2))
    train = table(np.column_stack([cations, cations.sum(axis=1)]))
    on = table([[0.5, 0.5, 1.0]])
    off = table([[0.5, 0.5, 1.1]])
    assert hull_distance(train, on)["inside"][0]
    assert not hull_distance(train, off)["inside"][0]


def test_linear_program_and_least_squares_agree_in_eight_dimensions():
    rng = np.random.default_rng(0)
    train = table(rng.uniform(0, 1, (150, 3)) @ rng.uniform(0, 2, (3, 8)))
    inside = table(rng.dirichlet(np.ones(150), 10) @ train.to_numpy())
    outside = table(rng.uniform(0, 3, (10, 8)))
    points = pd.concat([inside, outside], ignore_index=True)
    assert_array_equal(hull_distance(train, points)["inside"], [True] * 10 + [False] * 10)
    assert_array_equal(by_linear_program(train, points), [True] * 10 + [False] * 10)


def test_leaving_out_rows_that_do_not_matter_changes_nothing():
    """The distance by all training sets at once, as one least squares problem, is the one found step by step."""
    rng = np.random.default_rng(0)
    train, points = rng.normal(size=(500, 5)), 2 * rng.normal(size=(25, 5))
    found = hull_distance(table(train), table(points))["distance"]
    scaled, at = ((values - train.mean(axis=0)) / train.std(axis=0) for values in (train, points))
    for row, point in enumerate(at):
        weights, _ = nnls(np.vstack([(scaled - point).T, np.ones(500)]), [0, 0, 0, 0, 0, 1])
        expected = np.linalg.norm(weights @ scaled / weights.sum() - point)
        assert found[row] == pytest.approx(expected, abs=1e-6)


def test_measured_sets_are_inside(mixtures):
    found = hull_distance(mixtures.targets, mixtures.targets)
    assert found["inside"].all()
    assert_allclose(found["distance"], 0.0)


def test_one_training_set_is_a_point():
    found = hull_distance(table([[2.0, 0.0]]), table([[2.0, 0.0], [3.0, 0.0]]))
    assert list(found["inside"]) == [True, False]


def test_other_targets_are_refused():
    with pytest.raises(SpectraError, match="targets c0, c1, got a, b"):
        hull_distance(SQUARE, SQUARE.set_axis(["a", "b"], axis=1))
