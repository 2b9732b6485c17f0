"""Where chosen concentrations lie relative to those of the data."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from spectra_core.conditions import CONDITIONS
from spectra_core.errors import SpectraError
from spectra_core.evaluation.labels import concentration_strategies as strategies
from spectra_core.spectra import SpectralAxis, SpectraSet


def of(table: pd.DataFrame, role: str) -> pd.DataFrame:
    return table[table["role"] == role].reset_index(drop=True)


class TestConcentrations:
    def test_both_roles_keep_their_values(self, mixtures):
        table = strategies.concentration_points(mixtures.targets, mixtures.targets.iloc[[3, 3]])
        assert_array_equal(of(table, "training")["target Cu2+"], mixtures.targets["Cu2+"])
        assert_array_equal(of(table, "generated")["target Cu2+"], mixtures.targets["Cu2+"].iloc[[3, 3]])
        assert list(of(table, "generated")["sample"]) == [0, 1]

    def test_marginals_are_counted_in_common_bins(self):
        train, drawn = pd.DataFrame({"c": [0.0, 0.1, 0.9, 1.0]}), pd.DataFrame({"c": [1.5, 2.0]})
        table = strategies.concentration_marginals(train, drawn, n_bins=2)
        assert_allclose(of(table, "training")[["low", "high", "share"]], [[0, 1, 0.75], [1, 2, 0.25]])
        assert_allclose(of(table, "generated")["share"], [0.0, 1.0])

    @pytest.mark.parametrize("n_levels", [5, 10, 17])
    def test_every_level_of_a_design_has_a_bin_of_its_own(self, n_levels):
        design = pd.DataFrame({"c": np.repeat(np.linspace(0.0, 4.95, n_levels), 20)})
        table = strategies.concentration_marginals(design, design)
        assert_allclose(of(table, "training")["share"], 1 / n_levels)

    def test_a_constant_target_has_a_marginal(self):
        same = pd.DataFrame({"c": [2.0, 2.0]})
        table = strategies.concentration_marginals(same, same)
        assert of(table, "training")["share"].sum() == 1.0

    @pytest.mark.parametrize(
        "table_of", [strategies.concentration_points, strategies.concentration_marginals, strategies.hull_distances]
    )
    def test_other_targets_are_refused(self, table_of, mixtures):
        with pytest.raises(SpectraError, match="got a, b"):
            table_of(mixtures.targets, pd.DataFrame({"a": [1.0], "b": [2.0]}))


class TestChargeResiduals:
    def test_independent_ions_are_unbalanced_and_salts_are_not(self, mixtures):
        drawn = CONDITIONS["independent_uniform"]().draw(mixtures, 50, np.random.default_rng(0))
        table = strategies.charge_residuals(mixtures, drawn)
        assert (of(table, "training")["residual"] == 0).all()
        expected = 2 * drawn["Cu2+"] + 2 * drawn["Ni2+"] - 2 * drawn["SO4 2-"] - drawn["NO3-"]
        total = 2 * drawn["Cu2+"] + 2 * drawn["Ni2+"] + 2 * drawn["SO4 2-"] + drawn["NO3-"]
        assert_allclose(of(table, "generated")["residual"], expected)
        assert_allclose(of(table, "generated")["relative"], expected / total)

    def test_unknown_charges_are_a_sentence(self):
        bare = SpectraSet(SpectralAxis(np.arange(2.0)), np.ones((3, 2)), pd.DataFrame({"Cu": [1.0, 2.0, 3.0]}))
        with pytest.raises(SpectraError, match="the charge of Cu is not known"):
            strategies.charge_residuals(bare, bare.targets)


class TestHullDistances:
    def test_drawn_sets_are_measured_against_all_training_sets(self):
        train = pd.DataFrame({"a": np.linspace(-1, 1, 41)})
        table = strategies.hull_distances(train, pd.DataFrame({"a": [0.5, 2.0]}))
        drawn = of(table, "generated")
        assert list(drawn["inside"]) == [True, False]
        assert drawn["distance"][1] == pytest.approx(1.0 / train["a"].std(ddof=0))
        assert (drawn["n_hull"] == 41).all()

    def test_floor_holds_out_a_fifth_of_the_training_sets(self):
        train = pd.DataFrame({"a": np.arange(20.0)})
        floor = of(strategies.hull_distances(train, train), "training")
        assert len(floor) == 4
        assert (floor["n_hull"] == 16).all()
        # The first and the last of a line lie outside the hull of the others, by one or more steps.
        assert list(floor["inside"]) == [False, True, True, False]

    def test_no_more_sets_are_measured_than_asked_for(self, mixtures):
        table = strategies.hull_distances(mixtures.targets, mixtures.targets, max_points=7)
        assert len(of(table, "generated")) == 7
        assert len(of(table, "training")) == 7


class TestOverview:
    def test_only_independent_ions_are_unbalanced_and_outside(self, mixtures):
        table = strategies.condition_overview(mixtures, 40).set_index("strategy")
        assert list(table.index) == list(CONDITIONS)
        assert table["offered"].all()
        assert table.loc["independent_uniform", "inside"] == 0.0
        assert table.loc["independent_uniform", "unbalanced"] > 0.05
        assert (table["unbalanced"].drop("independent_uniform") == 0).all()
        assert table.loc["convex_mixtures", "inside"] == 1.0

    def test_what_is_not_offered_has_no_numbers(self):
        rng = np.random.default_rng(0)
        targets = pd.DataFrame(rng.random((30, 2)), columns=["nitrite", "nitrate"])
        train = SpectraSet(SpectralAxis(np.arange(2.0)), np.ones((30, 2)), targets)
        table = strategies.condition_overview(train, 10).set_index("strategy")
        assert not table.loc["salt_box", "offered"]
        assert np.isnan(table.loc["salt_box", "inside"])
        assert table["unbalanced"].isna().all()
        assert table.loc["resampled", "inside"] == 1.0
