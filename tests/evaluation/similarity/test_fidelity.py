"""Neighbourhood metrics against loops over their definitions, and against sets of known quality."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from spectra_core.errors import SpectraError
from spectra_core.evaluation.similarity import fidelity
from spectra_core.evaluation.similarity.point_clouds import CloudPair, PointCloud, distances_between
from spectra_core.evaluation.similarity.two_sample import vendi_score
from spectra_core.spectra import SpectralAxis


def pair_of(real, generated, unseen=None):
    clouds = [None if points is None else PointCloud(np.asarray(points, float)) for points in (real, generated, unseen)]
    return CloudPair(clouds[0], clouds[1], SpectralAxis(np.arange(float(clouds[0].points.shape[1]))), clouds[2])


@pytest.fixture(scope="module")
def clouds():
    rng = np.random.default_rng(0)
    return rng.normal(size=(80, 4)), rng.normal(0.7, 1.3, size=(80, 4))


def radii(points, k=5):
    """Distance to the k-th other point, by scikit-learn; wider by more than its rounding."""
    return NearestNeighbors(n_neighbors=k + 1).fit(points).kneighbors(points)[0][:, k] * (1 + 1e-9)


def test_distances_are_scipys_and_equal_points_are_at_zero(clouds):
    real, generated = clouds
    assert_allclose(distances_between(real, generated), cdist(real, generated), rtol=1e-9)
    far = 1e6 + real
    centred = far - far.mean(axis=0)
    assert (np.diag(distances_between(centred, centred.copy())) == 0).all()


def test_precision_recall_density_coverage_are_what_their_definitions_count(clouds):
    real, generated = clouds
    pair = pair_of(real, generated)
    r, g = radii(real), radii(generated)
    inside = [[np.linalg.norm(x - y) <= r[i] for i, x in enumerate(real)] for y in generated]
    assert fidelity.precision(pair) == pytest.approx(np.mean([any(row) for row in inside]))
    assert fidelity.density(pair) == pytest.approx(np.sum(inside) / 5 / len(generated))
    assert fidelity.coverage(pair) == pytest.approx(np.mean(np.any(inside, axis=0)))
    covered = [any(np.linalg.norm(x - y) <= g[j] for j, y in enumerate(generated)) for x in real]
    assert fidelity.recall(pair) == pytest.approx(np.mean(covered))


def test_clipped_density_is_what_its_definition_counts(clouds):
    real, generated = clouds
    r = np.minimum(radii(real), np.median(radii(real)))

    def score(points, own):
        total = 0.0
        for number, y in enumerate(points):
            balls = [np.linalg.norm(x - y) <= r[i] for i, x in enumerate(real) if not (own and i == number)]
            total += min(1.0, sum(balls) / 5)
        return total / len(points)

    expected = min(1.0, score(generated, own=False) / score(real, own=True))
    assert fidelity.clipped_density(pair_of(real, generated)) == pytest.approx(expected)


def test_expected_filling_of_balls_is_that_of_simulated_uniform_spectra():
    rng = np.random.default_rng(1)
    n, good = 30, 12
    filled = []
    for _ in range(4000):
        real, made = rng.uniform(size=n), rng.uniform(size=good)
        # The ball of one point on a circle, so that there is no edge.
        gaps = np.abs(real[1:] - real[0])
        radius = np.sort(np.minimum(gaps, 1 - gaps))[4]
        gaps = np.abs(made - real[0])
        filled.append(min(1.0, (np.minimum(gaps, 1 - gaps) <= radius).sum() / 5))
    # Standard error 0.004.
    assert_allclose(fidelity.expected_filling(np.array([good]), n), np.mean(filled), atol=0.015)


def test_clipped_metrics_are_the_share_of_good_spectra():
    rng = np.random.default_rng(2)
    real, good, bad = rng.normal(size=(400, 3)), rng.normal(size=(200, 3)), rng.normal(50, 1, size=(200, 3))
    pair = pair_of(real, np.concatenate([good, bad]))
    # One draw of 400: standard error about 0.03.
    assert fidelity.clipped_coverage(pair) == pytest.approx(0.5, abs=0.08)
    assert fidelity.clipped_density(pair) == pytest.approx(0.5, abs=0.08)


def test_alpha_precision_and_beta_recall_are_what_their_definitions_count(clouds):
    real, generated = clouds
    levels = np.arange(1, 31) / 30
    centre = real.mean(axis=0)
    of_real, of_generated = (np.linalg.norm(points - centre, axis=1) for points in (real, generated))
    share = [(of_generated <= np.quantile(of_real, alpha)).mean() for alpha in levels]
    pair = pair_of(real, generated)
    assert fidelity.alpha_precision(pair) == pytest.approx(1 - 2 * np.abs(share - levels).mean())
    from_middle = np.linalg.norm(generated - generated.mean(axis=0), axis=1)
    r = radii(real)
    share = []
    for beta in levels:
        central = from_middle <= np.quantile(from_middle, beta)
        found = 0
        for i, x in enumerate(real):
            apart = np.linalg.norm(generated - x, axis=1)
            found += apart.min() <= r[i] and central[apart.argmin()]
        share.append(found / len(real))
    assert fidelity.beta_recall(pair) == pytest.approx(1 - 2 * np.abs(share - levels).mean())


def test_fresh_spectra_pass_and_copies_are_found_out():
    rng = np.random.default_rng(3)
    real, fresh, unseen = (rng.normal(size=(300, 3)) for _ in range(3))
    honest, copier = pair_of(real, fresh, unseen), pair_of(real, real[::-1], unseen)
    # By symmetry one half; standard error of 300 dependent cases about 0.03.
    assert fidelity.memorised_share(honest) == pytest.approx(0.5, abs=0.1)
    assert fidelity.memorised_share(copier) == 1.0
    assert fidelity.authenticity(copier) == 0.0
    assert fidelity.authenticity(honest) > 0.35
    assert (fidelity.copied_share(honest), fidelity.copied_share(copier)) == (0.0, 1.0)
    one_over_and_over = pair_of(
        copier.real.points, np.vstack([copier.real.points[[2] * 30], honest.generated.points[:10]])
    )
    assert fidelity.copied_share(one_over_and_over) == 0.75
    assert fidelity.precision(copier) == fidelity.coverage(copier) == 1.0


def test_authenticity_is_what_its_definition_counts(clouds):
    real, generated = clouds
    authentic = 0
    for y in generated:
        apart = np.linalg.norm(real - y, axis=1)
        nearest = apart.argmin()
        authentic += apart[nearest] > np.delete(np.linalg.norm(real - real[nearest], axis=1), nearest).min()
    assert fidelity.authenticity(pair_of(real, generated)) == pytest.approx(authentic / len(generated))


def test_vendi_score_counts_far_groups_weighted_by_their_entropy():
    real = np.random.default_rng(4).normal(size=(60, 2))
    far = np.repeat([[0.0, 0.0], [1e3, 0.0], [0.0, 1e3]], [30, 15, 15], axis=0)
    shares = np.array([0.5, 0.25, 0.25])
    assert vendi_score(pair_of(real, far)) == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))
    assert vendi_score(pair_of(real, np.zeros((60, 2)))) == pytest.approx(1.0)
    assert vendi_score(pair_of(real, 1e6 * np.arange(120.0).reshape(60, 2))) == pytest.approx(60.0)


def test_too_few_spectra_for_a_neighbour_are_refused():
    with pytest.raises(SpectraError, match="5th nearest neighbour needs more than 5 spectra in each half, got 4"):
        fidelity.precision(pair_of(np.zeros((4, 2)), np.zeros((4, 2))))
