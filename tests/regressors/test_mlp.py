"""The study's network: its size, its budget, its ensemble."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from spectra_core.contracts import Budget, configuration
from spectra_core.errors import ConfigError
from spectra_core.regressors import MLP, MLPEnsemble
from spectra_core.regressors.base import FitTask
from spectra_core.spectra import SpectralAxis, SpectraSet
from spectra_core.training import devices
from tests.conftest import beer_lambert_set


def test_the_network_of_the_study_has_59425_parameters():
    rng = np.random.default_rng(0)
    copper = pd.DataFrame({"Cu": rng.normal(size=8)})
    spectra = SpectraSet(SpectralAxis(np.arange(911.0)), rng.normal(size=(8, 911)), copper)
    regressor = MLP(epochs=1).fit(spectra)
    # (911 + 1) 64 + (64 + 1) 16 + (16 + 1) 1
    assert regressor.n_parameters == 59_425


def test_a_network_computes_what_its_weights_say(mixtures):
    regressor = MLP(epochs=2).fit(mixtures)
    arrays = regressor.to_arrays()
    x = (mixtures.signal - arrays["signal.mean"]) / arrays["signal.scale"]
    for target in range(mixtures.n_targets):
        hidden = x
        for layer in (1, 2):
            weight, bias = arrays[f"layer{layer}.weight"][target], arrays[f"layer{layer}.bias"][target]
            hidden = np.maximum(hidden @ weight.T + bias, 0.0)
        output = (hidden @ arrays["layer3.weight"][target].T + arrays["layer3.bias"][target])[:, 0]
        expected = output * arrays["targets.scale"][target] + arrays["targets.mean"][target]
        # float32 sums of 50 terms
        assert_allclose(regressor.predict(mixtures).iloc[:, target], expected, rtol=1e-4, atol=1e-5)


def test_a_budget_of_as_many_steps_is_the_same_training_and_a_longer_one_is_not(mixtures):
    by_epochs = MLP(epochs=3).fit(mixtures, seed=1).predict(mixtures)
    # 60 spectra in batches of 32 are 2 steps an epoch.
    assert_array_equal(MLP(epochs=99).fit(mixtures, budget=Budget(steps=6), seed=1).predict(mixtures), by_epochs)
    assert not np.array_equal(MLP(epochs=3).fit(mixtures, budget=Budget(steps=7), seed=1).predict(mixtures), by_epochs)


def test_the_training_curve_has_a_row_per_epoch_and_falls(mixtures):
    history = MLP(epochs=20).fit(mixtures).history_
    assert list(history.columns) == ["epoch", *mixtures.target_names]
    assert history["epoch"].tolist() == list(range(1, 21))
    assert (history.iloc[-1, 1:] < history.iloc[0, 1:]).all()


def test_training_on_principal_components_ends_in_a_network_of_the_channels(mixtures):
    regressor = MLP(epochs=60, coordinates="components", schedule="cosine").fit(mixtures)
    assert regressor.weights_.weights[0].shape == (4, 64, mixtures.n_channels)
    test = beer_lambert_set(seed=5)
    errors = regressor.predict(test).to_numpy() - test.target_values
    assert (errors.std(axis=0) < 0.3 * test.target_values.std(axis=0)).all()
    assert mixtures.n_targets <= regressor.components_[0] < mixtures.n_channels
    assert regressor.notes_[-1].startswith(f"Trained on {regressor.components_[0]:.0f} principal components")
    again = MLP(coordinates="components").from_arrays(regressor.to_arrays(), mixtures.frame)
    assert again.notes_ == regressor.notes_


def test_the_ensemble_predicts_the_mean_of_different_members(mixtures):
    ensemble = MLPEnsemble(n_members=3, epochs=2).fit(mixtures, seed=4)
    each = np.stack([member.predict(mixtures).to_numpy() for member in ensemble.members_])
    assert not np.array_equal(each[0], each[1])
    assert_allclose(ensemble.predict(mixtures), each.sum(axis=0) / 3.0, rtol=1e-12)

    with pytest.raises(ConfigError, match="n_members must be a whole number from 2 to 100, got 1"):
        MLPEnsemble(n_members=1)


class TestOnAnAccelerator:
    """Torch's other name of the processor stands for one."""

    @pytest.fixture(autouse=True)
    def _accelerator(self, monkeypatch):
        monkeypatch.setattr(devices, "accelerator", lambda: "cpu:0")

    @pytest.mark.parametrize("kind", [MLP, partial(MLP, coordinates="components"), partial(MLPEnsemble, n_members=2)])
    def test_fits_together_predict_as_each_alone_on_the_processor(self, mixtures, kind):
        tasks = [FitTask(mixtures.take(np.arange(n)), seed, Budget(steps=9)) for seed, n in enumerate((41, 45, 60))]
        fitted = kind().fit_many(tasks)
        for task, one in zip(tasks, fitted, strict=True):
            alone = kind(device="cpu").fit(task.train, budget=task.budget, seed=task.seed)
            assert (one.device_, alone.device_) == ("cpu:0", "cpu")
            assert one.notes_ == alone.notes_
            scale = mixtures.target_values.std(axis=0)
            # float32, 9 steps
            assert_allclose(one.predict(mixtures) / scale, alone.predict(mixtures) / scale, rtol=0, atol=1e-5)

    def test_one_fit_is_the_fit_among_many(self, mixtures):
        [among] = MLP(epochs=2).fit_many([FitTask(mixtures, 3)])
        assert_array_equal(MLP(epochs=2).fit(mixtures, seed=3).predict(mixtures), among.predict(mixtures))

    def test_the_configuration_names_a_device_only_where_one_is_insisted_on(self):
        assert "device" not in configuration(MLP())
        assert configuration(MLP(device="cpu"))["device"] == "cpu"
