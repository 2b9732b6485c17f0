"""Where latent points of sampling strategies fall relative to the data."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA

from spectra_core.contracts import random_stream
from spectra_core.errors import SpectraError
from spectra_core.evaluation.latent import strategies
from spectra_core.samplers import SAMPLERS
from spectra_core.spectra.latent import LatentPosterior


@pytest.fixture(scope="module")
def posterior() -> LatentPosterior:
    rng = np.random.default_rng(0)
    mean = np.column_stack([rng.normal(3, 2, 120), rng.normal(0, 1, 120), rng.normal(0, 1e-3, 120)])
    return LatentPosterior(mean, np.column_stack([np.full((120, 2), 0.1), np.ones(120)]))


def of(table: pd.DataFrame, role: str) -> pd.DataFrame:
    return table[table["role"] == role].reset_index(drop=True)


class TestDrawnLatentMap:
    def test_scores_are_those_of_a_principal_component_analysis_of_the_data(self, posterior):
        drawn = np.random.default_rng(1).normal(size=(9, 3))
        table = strategies.drawn_latent_map(posterior, drawn)
        fitted = PCA(2).fit(posterior.mean)
        for role, points in (("training", posterior.mean), ("generated", drawn)):
            expected = fitted.transform(points)
            found = of(table, role)[["x", "y"]].to_numpy()
            sign = np.sign((expected * found).sum(axis=0))
            assert_allclose(found, expected * sign, atol=1e-9)
        assert_allclose(table[["share_x", "share_y"]].iloc[0], fitted.explained_variance_ratio_)

    def test_nearest_is_measured_on_active_dimensions_without_the_spectrum_itself(self, posterior):
        drawn = np.random.default_rng(1).normal(size=(9, 3))
        table = strategies.drawn_latent_map(posterior, drawn)
        active = posterior.mean[:, :2]
        among = cdist(active, active) + np.diag(np.full(120, np.inf))
        assert_allclose(of(table, "training")["nearest"], among.min(axis=1), atol=1e-7)
        assert_allclose(of(table, "generated")["nearest"], cdist(drawn[:, :2], active).min(axis=1), atol=1e-7)

    @pytest.mark.parametrize("shape", [(1, 1), (1, 3), (5, 1)])
    def test_small_latent_spaces_are_mapped(self, shape):
        few = LatentPosterior(np.arange(float(np.prod(shape))).reshape(shape), np.ones(shape))
        table = strategies.drawn_latent_map(few, np.zeros((2, shape[1])))
        assert np.isfinite(table[["x", "y", "share_x"]].to_numpy()).all()

    def test_points_of_another_model_are_refused(self, posterior):
        with pytest.raises(SpectraError, match=r"in 3 latent dimensions, got an array of shape \(4, 2\)"):
            strategies.drawn_latent_map(posterior, np.zeros((4, 2)))


class TestOverviews:
    def test_sharing_the_data_s_distribution_stays_close_and_the_prior_does_not(self, posterior):
        table = strategies.sampler_overview(posterior, 400).set_index("strategy")
        assert list(table.index) == list(SAMPLERS)
        # The data are centred at 3 with spread 2, so a third of the prior's mass is far from them.
        assert table.loc["aggregate_posterior", "remote"] < 0.2
        assert table.loc["uniform_box", "nearest"] > table.loc["aggregate_posterior", "nearest"]

    def test_a_collapsed_latent_space_has_no_distances(self):
        collapsed = LatentPosterior(np.zeros((30, 2)), np.ones((30, 2)))
        assert strategies.sampler_overview(collapsed, 10)["remote"].isna().all()

    def test_points_of_every_strategy_lie_on_the_map_of_the_data(self, posterior):
        table = strategies.strategy_points(posterior, 50, seed=3)
        assert list(dict.fromkeys(table["strategy"])) == ["", *SAMPLERS]
        fitted = PCA(2).fit(posterior.mean)
        rng = random_stream(3, "overview", "uniform_box")
        expected = fitted.transform(SAMPLERS["uniform_box"]().draw(posterior, 50, rng))
        found = table.loc[table["strategy"] == "uniform_box", ["x", "y"]].to_numpy()
        assert_allclose(np.abs(found), np.abs(expected), atol=1e-9)
        assert (table["strategy"] == "").sum() == 50
