"""The contract of every regressor in the registry."""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from spectra_core.choices import Choice, build
from spectra_core.contracts import configuration
from spectra_core.errors import ConfigError, NotFittedError, SpectraError
from spectra_core.experiment.modes import trained
from spectra_core.regressors import REGRESSORS, FitTask
from spectra_core.spectra import SetMeta, SpectralAxis, SpectraSet
from tests.conftest import beer_lambert_set

FEW_STEPS = {"epochs": 30, "n_members": 2}
"""Of members that have these options."""


def make(name):
    known = {field.name for field in fields(REGRESSORS[name])}
    options = {**FEW_STEPS, "n_folds": 3, "epochs": 2} if name == "stack" else FEW_STEPS
    return REGRESSORS[name](**{option: value for option, value in options.items() if option in known})


@pytest.fixture(scope="module")
def fitted(mixtures):
    return {name: make(name).fit(mixtures, seed=1) for name in REGRESSORS}


@pytest.mark.parametrize("name", REGRESSORS)
class TestEveryRegressor:
    def test_is_better_than_the_mean_on_spectra_it_has_not_seen(self, name, fitted):
        test = beer_lambert_set(seed=5)
        errors = fitted[name].predict(test).to_numpy() - test.target_values
        # Half the spread of the targets: far from perfect, so that 30 epochs reach it, far from the mean's 1.
        assert (errors.std(axis=0) < 0.5 * test.target_values.std(axis=0)).all()

    def test_predicts_under_the_names_of_the_targets_one_row_per_spectrum(self, name, fitted, mixtures):
        predicted = fitted[name].predict(mixtures.take(range(7)))
        assert list(predicted.columns) == list(mixtures.target_names)
        assert len(predicted) == 7

    def test_one_seed_gives_one_result(self, name, fitted, mixtures):
        again = make(name).fit(mixtures, seed=1)
        assert_array_equal(again.predict(mixtures), fitted[name].predict(mixtures))

    def test_predictions_from_stored_arrays_are_identical(self, name, fitted, mixtures):
        arrays = {key: values.copy() for key, values in fitted[name].to_arrays().items()}
        assert all(values.dtype.kind in "fiu" for values in arrays.values())
        restored = make(name).from_arrays(arrays, mixtures.frame)
        assert_array_equal(restored.predict(mixtures), fitted[name].predict(mixtures))
        assert restored.notes_ == fitted[name].notes_

    def test_stored_arrays_of_another_shape_are_refused(self, name, fitted, mixtures):
        arrays = fitted[name].to_arrays()
        for key, values in arrays.items():
            grown = {**arrays, key: np.concatenate([values, values])}
            if (name, key) == ("pls", "rmsecv") or key.endswith((".rmsecv", "loss")):
                continue  # as many rows as components or epochs were tried
            with pytest.raises(ConfigError, match="must have the shape"):
                make(name).from_arrays(grown, mixtures.frame)

    def test_stored_arrays_that_are_missing_unknown_or_not_finite_are_refused(self, name, fitted, mixtures):
        arrays = fitted[name].to_arrays()
        first = next(iter(arrays))
        with pytest.raises(ConfigError, match="must hold the arrays"):
            make(name).from_arrays({key: values for key, values in arrays.items() if key != first}, mixtures.frame)
        with pytest.raises(ConfigError, match="another model or is damaged"):
            make(name).from_arrays({**arrays, "surprise": np.zeros(1)}, mixtures.frame)
        spoilt = arrays[first].copy()
        spoilt.flat[0] = np.nan
        with pytest.raises(ConfigError, match="must hold finite numbers"):
            make(name).from_arrays({**arrays, first: spoilt}, mixtures.frame)

    def test_numbers_too_large_to_compute_with_are_refused_by_name(self, name, fitted, mixtures):
        signal, targets = mixtures.signal.copy(), mixtures.targets
        signal[5, 8], targets.iloc[6, 1] = 1e308, -1e200
        huge = SpectraSet(mixtures.axis, signal, mixtures.targets, target_info=mixtures.target_info)
        place = f"at {mixtures.axis.positions[8]:g} nm, and numbers beyond"
        with pytest.raises(SpectraError, match=rf"Spectrum '6' \(row 6 of the training .* 1e\+308 {place}"):
            make(name).fit(huge)
        signal[5, 8] = 1e30
        with pytest.raises(
            SpectraError, match=r"Spectrum '6' .* 1e\+30 at .* nm, more than 1e\+15 times what is usual"
        ):
            make(name).fit(SpectraSet(mixtures.axis, signal, mixtures.targets))
        far = f"at {mixtures.axis.positions[8]:g} nm, (and numbers beyond|more than 1e\\+15 standard deviations)"
        with pytest.raises(SpectraError, match=rf"Spectrum '6' \(row 6 of the new .* 1e\+308 {far}"):
            fitted[name].predict(huge)
        with pytest.raises(SpectraError, match=r"Spectrum '7' \(row 7 of the training .* -1e\+200 for Ni2\+"):
            make(name).fit(SpectraSet(mixtures.axis, mixtures.signal, targets, target_info=mixtures.target_info))

    def test_tells_what_a_fit_costs_and_takes_the_options_of_ready_made_experiments(self, name):
        assert make(name).cost(200, 50, 4) > make(name).cost(100, 50, 4) > 0
        for mode in ("faithful", "fast"):
            assert build(REGRESSORS, trained(Choice(name), mode, n_train=60), "regressor").cost(100, 50, 4) > 0

    def test_many_fits_are_as_if_done_one_by_one(self, name, mixtures):
        tasks = [FitTask(mixtures.take(range(start, start + 40)), seed=start) for start in (0, 10, 20)]
        together = make(name).fit_many(tasks, n_workers=2)
        for task, regressor in zip(tasks, together, strict=True):
            alone = make(name).fit(task.train, seed=task.seed)
            assert_array_equal(regressor.predict(mixtures), alone.predict(mixtures))

    def test_constant_channels_and_targets_change_nothing_for_the_rest(self, name, mixtures, fitted):
        signal = np.column_stack([mixtures.signal, np.full(len(mixtures), 7.0)])
        targets = mixtures.targets.assign(Zn=0.25)
        axis = SpectralAxis(np.append(mixtures.axis.positions, 1100.0))
        regressor = make(name).fit(SpectraSet(axis, signal, targets), seed=1)
        # 1e30 in a channel that never varied in training must not reach the prediction.
        signal[:, -1] = 1e30
        predicted = regressor.predict(SpectraSet(axis, signal))
        assert (predicted["Zn"] == 0.25).all()
        (note,) = regressor.notes_
        assert note.startswith("Zn is 0.25 in every training spectrum")
        errors = predicted[list(mixtures.target_names)].to_numpy() - mixtures.target_values
        assert (errors.std(axis=0) < 0.5 * mixtures.target_values.std(axis=0)).all()

    def test_three_spectra_are_refused_and_four_are_enough(self, name, mixtures):
        with pytest.raises(SpectraError, match="at least 4 spectra, but the set 'Beer-Lambert mixtures' has 3"):
            make(name).fit(mixtures.take([0, 1, 2]))
        assert np.isfinite(make(name).fit(mixtures.take(range(4))).predict(mixtures).to_numpy()).all()

    @pytest.mark.parametrize("value", [0.0, 1.0])
    def test_spectra_without_any_difference_are_refused(self, name, mixtures, value):
        with pytest.raises(SpectraError, match=r"All 60 spectra of the set .* are equal"):
            make(name).fit(SpectraSet(mixtures.axis, np.full_like(mixtures.signal, value), mixtures.targets))

    def test_spectra_without_targets_are_refused(self, name, mixtures):
        with pytest.raises(SpectraError, match="has no targets"):
            make(name).fit(SpectraSet(mixtures.axis, mixtures.signal))

    def test_spectra_on_another_axis_are_refused(self, name, fitted, mixtures):
        other = SpectraSet(SpectralAxis(mixtures.axis.positions + 1.0), mixtures.signal)
        with pytest.raises(SpectraError, match="Expected spectra on one axis"):
            fitted[name].predict(other)

    def test_predicting_before_fitting_is_refused(self, name, mixtures):
        with pytest.raises(NotFittedError, match="is not fitted"):
            make(name).predict(mixtures)
        with pytest.raises(NotFittedError, match="is not fitted"):
            make(name).to_arrays()

    def test_configuration_makes_the_member_again(self, name):
        regressor = make(name)
        assert configuration(REGRESSORS[name](**configuration(regressor))) == configuration(regressor)

    def test_explains_itself_in_a_sentence(self, name):
        assert REGRESSORS[name].explanation.endswith(".")
        assert REGRESSORS[name].title

    def test_wide_spectra_far_more_channels_than_spectra_are_learned(self, name):
        wide = beer_lambert_set(n_spectra=24, n_channels=150, seed=2)
        predicted = make(name).fit(wide, seed=0).predict(wide)
        assert predicted.shape == (24, 4)
        assert np.isfinite(predicted.to_numpy()).all()

    def test_float32_spectra_are_learned_as_well(self, name, mixtures):
        narrow = SpectraSet(mixtures.axis, mixtures.signal.astype(np.float32), mixtures.targets)
        predicted = make(name).fit(narrow, seed=1).predict(narrow).to_numpy()
        assert ((predicted - narrow.target_values).std(axis=0) < 0.5 * narrow.target_values.std(axis=0)).all()

    def test_units_of_signal_and_targets_do_not_matter(self, name, fitted, mixtures):
        """Absorbance in milli-units and concentrations in mmol/L give the same numbers, a thousand times larger."""
        scaled = SpectraSet(mixtures.axis, mixtures.signal * 1000.0, mixtures.targets * 1000.0)
        one = fitted[name].predict(mixtures).to_numpy()
        other = make(name).fit(scaled, seed=1).predict(scaled).to_numpy()
        # Exact methods differ by rounding; 30 epochs in float32 amplify theirs (1e-7) some thousand times.
        np.testing.assert_allclose(other / 1000.0, one, atol=1e-3 * mixtures.target_values.std())


@pytest.mark.parametrize("name", ["pls", "ridge", "gaussian_process", "stack"])
def test_replicates_of_a_single_sample_are_refused(name):
    rng = np.random.default_rng(0)
    spectra = SpectraSet(
        SpectralAxis(np.arange(5.0)),
        rng.normal(size=(6, 5)),
        pd.DataFrame({"Cu": np.arange(6.0)}),
        samples=pd.DataFrame({"group": ["one sample"] * 6}),
        meta=SetMeta("replicates"),
    )
    with pytest.raises(SpectraError, match="All 6 training spectra are of one group"):
        make(name).fit(spectra)
