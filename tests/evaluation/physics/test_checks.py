"""Checks of physics: each with an offender made by hand, and the formulas against least squares written out."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from spectra_core.errors import SpectraError
from spectra_core.evaluation.channels.noise import noise_level
from spectra_core.evaluation.labels.label_honesty import honesty_summary, label_honesty
from spectra_core.evaluation.physics.checks import (
    CHECKS,
    mixture_residual,
    noise_units,
    physics,
    physics_limits,
    physics_offences,
    physics_summary,
)
from spectra_core.evaluation.physics.pure_components import PureComponents
from spectra_core.regressors import PLS
from spectra_core.spectra import SetMeta, SpectraSet
from tests.conftest import beer_lambert_set, relabelled


def with_signal(spectra, signal, **meta):
    return SpectraSet(
        spectra.axis, signal, spectra.targets, target_info=spectra.target_info, meta=SetMeta("Changed", **meta)
    )


def offences_of(signal_change, targets_change=None):
    """Which checks spectrum 5 of otherwise fresh spectra breaks."""
    training, generated = beer_lambert_set(400), beer_lambert_set(40, seed=1)
    signal, targets = generated.signal.copy(), generated.targets
    signal[5] = signal_change(signal[5], generated.axis.positions)
    if targets_change is not None:
        targets.iloc[5] = targets_change(targets.iloc[5])
    spoiled = SpectraSet(generated.axis, signal, targets, target_info=generated.target_info, meta=generated.meta)
    table = physics({"training": training, "generated": spoiled})
    found = physics_offences(table, physics_limits(table))
    row = found[(found["role"] == "generated") & (found["sample"] == 5)].iloc[0]
    return {name for name in CHECKS if row[name]}


@pytest.mark.parametrize(
    ("expected", "change"),
    [
        ({"negative"}, lambda x, nm: x - np.where(nm > 980, x + 0.02, 0)),
        ({"rough", "pure_components", "q"}, lambda x, nm: x + 0.01 * (-1.0) ** np.arange(len(nm))),
        ({"saturation", "t2"}, lambda x, nm: 40 * x),
        ({"pure_components", "q"}, lambda x, nm: x + 0.1 * np.exp(-0.5 * ((nm - 600) / 60) ** 2)),
    ],
    ids=["negative", "jagged", "too concentrated", "foreign band"],
)
def test_an_offender_breaks_the_check_it_should(expected, change):
    assert expected <= offences_of(change)


def test_limits_are_quantiles_but_rounding_and_noise_are_no_offence():
    real = {"role": "training", "negative": [0.5, 1.0], "saturated": [0.0, 0.1], "roughness": [0.9, 1.1]}
    zero = {"mixture_residual": [1.0, 1.0], "charge": [0.0, 1e-9], "t2_ratio": [0.2, 0.4], "q_ratio": [0.5, 0.7]}
    limits = physics_limits(pd.DataFrame({**real, **zero})).set_index("check")["limit"]
    # 99 % of the way between two values, 1 % for "smooth"; 4 noise units and a thousandth of the charge at least.
    assert limits["negative"] == 4.0
    assert limits["charge"] == 1e-3
    assert limits[["saturation", "rough", "smooth"]].tolist() == pytest.approx([0.099, 1.098, 0.902])


def test_noise_free_spectrum_is_too_smooth():
    # Fine channels: with coarse ones the curvature of bands outweighs the noise in every spectrum.
    training, clean = beer_lambert_set(400, 400), beer_lambert_set(40, 400, seed=1, noise=0.0)
    table = physics({"training": training, "generated": clean})
    found = physics_offences(table, physics_limits(table))
    assert found.loc[found["role"] == "generated", "smooth"].all()
    assert not found.loc[found["role"] == "generated", "rough"].any()


def test_labels_that_are_not_neutral_are_named():
    assert offences_of(lambda x, nm: x, lambda labels: labels * [1, 1, 1, 1.5]) >= {"charge"}


def test_fresh_spectra_offend_about_as_often_as_the_limits_say():
    sets = {"training": beer_lambert_set(1000), "generated": beer_lambert_set(1000, seed=1)}
    table = physics(sets)
    summary = physics_summary(table, physics_limits(table)).set_index(["role", "check"])["share"]
    assert set(summary["generated"].index) == set(CHECKS)
    # 1 % of 1000 with a limit read from 1000: standard error 0.45 %.
    assert (summary["generated"] < 0.03).all()


def test_limits_come_from_held_out_spectra_where_they_suffice():
    training = beer_lambert_set(200)
    for n, role in ((99, "training"), (100, "held-out")):
        limits = physics_limits(physics({"training": training, "held-out": beer_lambert_set(n, seed=2)}))
        assert set(limits["set_by"]) == {role}


def test_checks_that_do_not_apply_are_left_out():
    spectra = beer_lambert_set(60)
    bare = SpectraSet(spectra.axis, spectra.signal, meta=SetMeta("Bare", quantity="Intensity"))
    limits = physics_limits(physics({"training": bare}))
    assert set(limits["check"]) == {"rough", "smooth", "t2", "q"}
    with pytest.raises(SpectraError, match="in units of the training set; got generated"):
        physics({"generated": bare})


def test_negative_depth_is_in_units_of_noise():
    training = beer_lambert_set(200)
    signal = np.abs(training.signal)
    signal[7, 30] = -0.05
    table = physics({"training": training, "generated": with_signal(training, signal)})
    depth = table[(table["role"] == "generated")].set_index("sample")["negative"]
    assert_allclose(depth[7], 0.05 / noise_level(training)[30])
    assert depth.drop(7).max() == 0


def test_a_set_without_noise_is_still_measured():
    spectra = beer_lambert_set(60, noise=0.0)
    assert (noise_units(spectra) > 0).all()
    flat = with_signal(spectra, np.full_like(spectra.signal, 0.5))
    assert (noise_units(flat) > 0).all()


class TestPureComponents:
    def test_spectra_and_residuals_are_those_of_least_squares_with_an_intercept(self, mixtures):
        independent = mixtures.target_values[:, :3]
        design = np.column_stack([np.ones(60), independent])
        coefficients = np.linalg.lstsq(design, mixtures.signal, rcond=None)[0]
        other = beer_lambert_set(10, seed=3).signal + 0.1
        space = coefficients[1:].T
        offset = other - mixtures.signal.mean(axis=0)
        expected = offset - offset @ space @ np.linalg.pinv(space)
        assert_allclose(PureComponents.fit(mixtures).residual(other), expected, atol=1e-10)

    def test_concentrations_of_exact_mixtures_are_exact_also_for_dependent_ions(self):
        clean, other = beer_lambert_set(60, noise=0.0), beer_lambert_set(20, seed=5, noise=0.0)
        found = PureComponents.fit(clean).concentrations(other.signal)
        assert_allclose(found, other.target_values, atol=1e-10)

    def test_no_components_without_varying_targets(self, mixtures):
        with pytest.raises(SpectraError, match="0 independent targets and 60 spectra"):
            PureComponents.fit(SpectraSet(mixtures.axis, mixtures.signal, pd.DataFrame({"a": np.ones(60)})))


def test_residual_of_an_offender_adds_up(mixtures):
    table = mixture_residual({"training": mixtures}, "training", 4)
    assert_allclose(table["mixture"] + table["residual"], mixtures.signal[4])
    bare = SpectraSet(mixtures.axis, mixtures.signal)
    of_pca = mixture_residual({"training": bare}, "training", 4)
    q = physics({"training": bare})
    from spectra_core.evaluation.suitability.outliers import outliers

    assert_allclose((of_pca["residual"] ** 2).sum(), outliers(bare)[0]["q"][4], rtol=1e-6)
    assert len(q) == 60


class TestLabelHonesty:
    def test_honest_labels_have_the_error_of_real_ones_and_lies_are_found(self):
        training, honest = beer_lambert_set(200), beer_lambert_set(100, seed=1)
        lies = honest.targets
        lies["Cu2+"] += 0.05
        sets = {"training": training, "held-out": honest, "generated": relabelled(honest, lies)}
        summary = honesty_summary(label_honesty(sets, PLS())).set_index(["target", "role"])
        for column in ("ratio", "ratio_pure_components"):
            assert (summary.xs("training", level="role")[column] == 1).all()
            # 100 and 200 spectra: standard error of a ratio of errors below 10 %.
            assert summary.xs("held-out", level="role")[column].between(0.7, 1.4).all()
            assert summary.loc[("Cu2+", "generated"), column] > 20
        assert summary.loc[("Cu2+", "generated"), "bias"] == pytest.approx(0.05, rel=0.01)
        assert summary.loc[("Cu2+", "generated"), "bias_pure_components"] == pytest.approx(0.05, rel=0.01)

    def test_training_spectra_are_read_by_models_that_did_not_see_them(self):
        # As many components as spectra allow: a fit to the spectra themselves would have no error at all.
        training = beer_lambert_set(24, 60)
        table = label_honesty({"training": training}, PLS(max_components=20, rule="minimum"))
        error = (table["asked"] - table["predicted"]).abs()
        assert error[table["target"] == "SO4 2-"].max() > 1e-4

    def test_needs_targets(self, mixtures):
        with pytest.raises(SpectraError, match="needs a training set with targets"):
            label_honesty({"training": SpectraSet(mixtures.axis, mixtures.signal)}, PLS())
