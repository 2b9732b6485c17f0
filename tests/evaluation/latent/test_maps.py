"""Maps against scikit-learn's decomposition, brute-force trustworthiness, and known clusters."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA

from spectra_core.errors import ConfigError, SpectraError
from spectra_core.evaluation.latent import maps
from spectra_core.spectra import SpectralAxis, SpectraSet
from spectra_core.spectra.latent import LatentPosterior


class Halver:
    """Stands for a latent generator: its posterior mean is every second channel."""

    def encode(self, spectra):
        return LatentPosterior(spectra.signal[:, ::2], np.ones((len(spectra), spectra.n_channels // 2)))


def _sets(n_channels, n_training=40, shift=8.0):
    """Two well separated clusters in each role."""
    rng = np.random.default_rng(1)
    axis = SpectralAxis(np.arange(float(n_channels)))

    def draw(n):
        signal = rng.normal(size=(n, n_channels)) * np.linspace(2, 1, n_channels)
        signal[n // 2 :, 0] += shift
        return SpectraSet(axis, signal, pd.DataFrame({"ion": np.arange(n) >= n // 2}, dtype=float))

    return {"training": draw(n_training), "held-out": draw(10), "generated": draw(20)}


@pytest.mark.parametrize("n_channels", [6, 70], ids=["more spectra than channels", "more channels than spectra"])
def test_scores_are_those_of_a_pca_fitted_on_training_spectra_alone(n_channels):
    sets = _sets(n_channels)
    table = maps.latent_map(sets)
    pca = PCA(2, svd_solver="full").fit(sets["training"].signal)
    for role, spectra in sets.items():
        rows = table[table["role"] == role]
        expected = pca.transform(spectra.signal)
        assert_allclose(np.abs(rows[["x", "y"]]), np.abs(expected), atol=1e-9)
        assert_array_equal(rows["target ion"], spectra.target_values[:, 0])
    assert_allclose(table[["share_x", "share_y"]].iloc[0], pca.explained_variance_ratio_)


def test_with_a_generator_the_map_shows_its_latent_space():
    sets = _sets(6)
    latent = {role: SpectraSet(SpectralAxis(np.arange(3.0)), s.signal[:, ::2], s.targets) for role, s in sets.items()}
    pd.testing.assert_frame_equal(maps.latent_map(sets, Halver()), maps.latent_map(latent))


def test_a_single_channel_maps_to_a_line():
    axis = SpectralAxis(np.arange(1.0))
    table = maps.latent_map({"training": SpectraSet(axis, [[1.0], [2.0], [6.0]])})
    assert_allclose(table["x"], [-2, -1, 3])
    assert (table["y"] == 0).all()


@pytest.mark.parametrize("method", ["umap", "tsne"])
def test_neighbour_maps_keep_separate_clusters_separate_and_repeat_for_one_seed(method):
    sets = _sets(60, shift=200.0)
    options = {"n_neighbours": 10} if method == "umap" else {"perplexity": 10.0}
    table = maps.MAPS[method](sets, seed=3, **options)
    again = maps.MAPS[method](sets, seed=3, **options)
    pd.testing.assert_frame_equal(table, again)
    nearest = cdist(table[["x", "y"]], table[["x", "y"]])
    np.fill_diagonal(nearest, np.inf)
    cluster = table["target ion"].to_numpy()
    assert_array_equal(cluster[nearest.argmin(axis=1)], cluster)


def one_set(signal):
    return {"training": SpectraSet(SpectralAxis(np.arange(float(signal.shape[1]))), signal)}


@pytest.mark.parametrize("method", ["umap", "tsne"])
@pytest.mark.parametrize("n_spectra", [3, 4, 5, 12])
def test_few_spectra_are_laid_out_by_the_neighbours_there_are(method, n_spectra):
    for n_channels in (1, 60):
        sets = one_set(np.random.default_rng(n_spectra).normal(size=(n_spectra, n_channels)))
        table = maps.MAPS[method](sets)
        assert np.isfinite(table[["x", "y"]].to_numpy()).all()
        assert len(np.unique(table[["x", "y"]], axis=0)) == n_spectra
        assert 0 <= maps.trustworthiness(table, sets) <= 1


@pytest.mark.parametrize("method", ["umap", "tsne"])
def test_equal_spectra_are_refused_in_a_sentence_and_copies_are_not(method):
    signal = np.random.default_rng(0).normal(size=(40, 3))
    with pytest.raises(SpectraError, match="All 40 spectra are equal"):
        maps.MAPS[method](one_set(np.repeat(signal[:1], 40, axis=0)))
    with pytest.raises(SpectraError, match="at least 3 spectra, got 2"):
        maps.MAPS[method](one_set(signal[:2]))
    for n_different in (2, 20):
        copies = one_set(signal[np.arange(40) % n_different])
        assert np.isfinite(maps.MAPS[method](copies)[["x", "y"]].to_numpy()).all()


def test_generated_spectra_apart_from_equal_training_spectra_are_mapped():
    signal = np.random.default_rng(0).normal(size=(40, 60))
    sets = one_set(np.repeat(signal[:1], 10, axis=0)) | {"generated": one_set(signal)["training"]}
    assert np.isfinite(maps.umap_map(sets)[["x", "y"]].to_numpy()).all()


def test_what_umap_is_given_are_the_exact_neighbours(monkeypatch):
    maps.compile_umap()  # which loads umap-learn without its warning
    import umap

    sets, given = _sets(6), {}

    class Told(umap.UMAP):
        def fit_transform(self, values):
            found = super().fit_transform(values)
            given.update(rows=self._knn_indices, distances=self._knn_dists, seed=self.random_state)
            return found

    monkeypatch.setattr(umap, "UMAP", Told)
    maps.umap_map(sets, n_neighbours=7, seed=5)
    signal = np.concatenate([spectra.signal for spectra in sets.values()])
    distances = cdist(signal, signal)
    assert_array_equal(given["rows"], np.argsort(distances, axis=1, kind="stable")[:, :7])
    expected = np.sort(distances, axis=1)[:, :7]
    # In units of the largest value.
    assert_allclose(given["distances"] / given["distances"].max(), expected / expected.max(), atol=1e-6)
    assert given["seed"] == 5


def test_what_umap_compiles_is_kept_for_the_next_process():
    maps.compile_umap()
    from umap import layouts, umap_

    names = ("smooth_knn_dist", "compute_membership_strengths", "_optimize_layout_euclidean_single_epoch")
    slow = umap_.smooth_knn_dist, umap_.compute_membership_strengths, layouts._nb_optimize_layout_euclidean_single_epoch
    for name, function in zip(names, slow, strict=True):
        assert list(Path(function.stats.cache_path).glob(f"*.{name}-*.nbi")), name


def test_trustworthiness_equals_its_definition():
    sets = _sets(6)
    table = maps.latent_map(sets)
    signal = np.concatenate([spectra.signal for spectra in sets.values()])
    space, shown = cdist(signal, signal), cdist(table[["x", "y"]], table[["x", "y"]])
    n, k = len(signal), 5
    penalty = 0
    for i in range(n):
        rank = {j: r for r, j in enumerate(np.argsort(space[i], kind="stable"))}
        penalty += sum(max(0, rank[j] - k) for j in np.argsort(shown[i], kind="stable")[1 : k + 1])
    expected = 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * penalty
    assert_allclose(maps.trustworthiness(table, sets, n_neighbours=k), expected)


def test_a_map_of_other_sets_is_refused_and_so_are_too_many_neighbours():
    sets = _sets(6)
    with pytest.raises(SpectraError, match="The map has 40 spectra but the sets have 70"):
        maps.trustworthiness(maps.latent_map({"training": sets["training"]}), sets)
    with pytest.raises(ConfigError, match="from 2 to 69 neighbours for 70 spectra, got 70"):
        maps.umap_map(sets, n_neighbours=70)
    with pytest.raises(SpectraError, match="laid out by the training set; got generated"):
        maps.latent_map({"generated": sets["generated"]})
