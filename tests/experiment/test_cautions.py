from dataclasses import replace

from spectra_core.choices import Choice
from spectra_core.datasets.simulator import PRESETS, simulate
from spectra_core.experiment import Arm, Experiment
from spectra_core.experiment.cautions import cautions
from tests.conftest import beer_lambert_set


def test_a_regressor_that_was_harmed_and_a_physics_that_knows_the_truth_are_told_once():
    spectra = simulate(PRESETS["msu_like"], n_spectra=5, seed=0)
    arm = Arm("Physics", generator=Choice("physics_residual"))
    experiment = Experiment(arms=(arm,), regressors=(Choice("ridge"), Choice("pls")), reference="generated")
    harm, truth = cautions(experiment, spectra)
    assert "Physics with Ridge" in harm
    assert "perturbation seed" in truth
    perturbed = {"physics": {"name": "salt_simulator", "options": {"perturbation_seed": 1}}}
    fair = replace(arm, generator=Choice("physics_residual", perturbed))
    assert cautions(replace(experiment, arms=(fair,)), spectra) == [harm]
    assert cautions(replace(experiment, regressors=(Choice("pls"),)), beer_lambert_set()) == []
