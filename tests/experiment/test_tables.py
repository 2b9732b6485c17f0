"""What a result says besides errors: what was added, what it is worth, and where spectra are rare."""

import numpy as np
import pandas as pd
import pytest

from spectra_core.choices import Choice
from spectra_core.datasets.simulator import PRESETS, simulate
from spectra_core.experiment import Arm, Experiment, run
from spectra_core.experiment.tables import with_siblings
from tests.conftest import beer_lambert_set

RIDGE = Choice("ridge")


@pytest.fixture(scope="module")
def simulated_result():
    spectra = simulate(PRESETS["beer_lambert"], n_spectra=60, seed=0)
    experiment = Experiment(
        arms=(
            Arm("Step-matched", "step_matched"),
            Arm("Mixing", generator=Choice("mixing")),
            Arm("Little mixing", generator=Choice("mixing"), ratio=0.5),
            Arm("Oracle", "oracle"),
        ),
        regressors=(RIDGE,),
        n_folds=4,
        n_train=(15, 0),
    )
    return run(experiment, spectra)


def test_floors_are_looked_up_where_the_experiment_keeps_its_results(monkeypatch):
    class Kept(dict):
        def arrays(self, key, compute):
            return self.setdefault(key, None) or self.update({key: compute()}) or self[key]

    def asking(spectra, memo):
        memo.arrays("equilibria", lambda: {"of": np.ones(1)})

    monkeypatch.setattr("spectra_core.experiment.tables.identifiability_of", asking)
    memo = Kept()
    arms = (Arm("Baseline", "baseline"), Arm("Step-matched", "step_matched"))
    run(Experiment(arms=arms, regressors=(RIDGE,), n_folds=2), beer_lambert_set(12), memo=memo)
    assert "equilibria" in memo


class TestWorth:
    def test_efficiency_is_the_share_of_the_oracles_effect(self, simulated_result):
        comparisons = simulated_result.tables["comparisons"].set_index(["arm", "target", "n_train"])
        table = simulated_result.tables["efficiencies"]
        assert set(table["arm"]) == {"Mixing"}  # the other mixing has half as many new spectra as the oracle
        assert table["efficiency"].notna().any()
        for _, row in table.iterrows():
            arm, oracle = (comparisons.loc[(name, row["target"], row["n_train"])] for name in ("Mixing", "Oracle"))
            if oracle["high"] < 0:
                assert row["efficiency"] == pytest.approx(arm["difference"] / oracle["difference"])
            else:
                assert np.isnan(row["efficiency"])

    def test_equivalents_are_read_from_the_reference_of_every_arm(self, simulated_result):
        table = simulated_result.tables["equivalents"]
        assert set(table["arm"]) == {"Mixing", "Little mixing", "Oracle"}
        assert set(table["reference"]) == {"Step-matched"}
        assert table["bound"].isin(["reached", "at least", "at most"]).all()

    def test_without_oracle_and_with_one_size_both_are_empty(self, mixtures):
        arms = (Arm("Step-matched", "step_matched"), Arm("Mixing", generator=Choice("mixing")))
        tables = run(Experiment(arms=arms, regressors=(RIDGE,), n_folds=3), mixtures).tables
        assert tables["efficiencies"].empty
        assert tables["equivalents"].empty


class TestAdded:
    def test_new_true_spectra_are_as_honest_and_noisy_as_measured_ones(self, simulated_result):
        oracle = simulated_result.tables["added"].query("arm == 'Oracle' and n_train > 20")
        assert oracle["honesty"].median() == pytest.approx(1.0, abs=0.4)  # 45 spectra in 4 folds
        assert oracle["noise_ratio"].median() == pytest.approx(1.0, abs=0.2)

    def test_labels_that_the_spectra_do_not_hold_are_dishonest(self):
        """A decoder that has hardly learned anything gives spectra that do not hold the concentrations asked for."""
        spectra = beer_lambert_set(60)
        cvae = Arm(
            "Untrained cVAE",
            generator=Choice("cvae", {"epochs": 1, "n_hidden": 4, "n_latent": 2}),
            conditions=Choice("independent_uniform"),
            latent_given=Choice("prior"),
            labelling=Choice("asked_for"),
        )
        # Exactly additive spectra: mixed in all channels, they hold the mixed concentrations.
        mixing = Arm("Mixing", generator=Choice("mixing", {"saturation": None}))
        table = run(
            Experiment(arms=(Arm("B", "baseline"), cvae, mixing), regressors=(RIDGE,), n_folds=3, reference="baseline"),
            spectra,
        ).tables["added"]
        honesty = table.groupby("arm")["honesty"].median()
        assert honesty["Untrained cVAE"] > 10
        assert honesty["Mixing"] < 1.5
        assert (table["n_added"] == 40).all()

    def test_controls_add_nothing(self, simulated_result):
        assert "Step-matched" not in set(simulated_result.tables["added"]["arm"])


class TestGenerators:
    def test_rows_hold_dependence_and_noise_beside_the_reconstruction(self, mixtures):
        arm = Arm(
            "PCA",
            generator=Choice("pca", {"n_latent": 3}),
            sampler=Choice("standard_normal"),
            labelling=Choice("latent"),
        )
        table = run(Experiment(arms=(arm,), regressors=(RIDGE,), n_folds=3), mixtures).tables["generators"]
        # Three salts in three components: z tells all concentrations.
        assert (table["r2_from_z_mean"] > 0.99).all()
        # What is not rebuilt is noise of 1e-3, and what the prior's shrinkage takes from the signal.
        assert table["reconstruction_rmse"].between(0.9e-3, 2e-3).all()
        # Narrow bands on a coarse axis count as noise, too: at least the noise that was added.
        assert (table["training_noise"] > 0.9e-3).all()


def test_every_held_out_spectrum_has_a_density_for_every_training_size(simulated_result):
    counts = simulated_result.tables["densities"].groupby("n_train")["sample"].nunique()
    assert counts.to_dict() == {15: 60, 45: 60}


def test_a_training_far_from_those_of_other_folds_is_marked():
    errors = [0.22, 0.25, 0.77, 0.3, 0.9, np.nan]
    options = ["{}"] * 4 + ["{'beta': 0.1}", "{}"]
    table = pd.DataFrame({"generator": "vae", "options": options, "n_train": 50, "reconstruction_rmse": errors})
    assert with_siblings(table)["ended_far"].tolist() == [False, False, True, False, False, False]
    assert not with_siblings(table.drop(columns="reconstruction_rmse"))["ended_far"].any()
