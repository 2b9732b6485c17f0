"""Statistics and differences per channel, against scipy, pandas and statsmodels."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from statsmodels.stats.multitest import multipletests

from spectra_core.errors import SpectraError
from spectra_core.evaluation.channels import statistics as channels
from spectra_core.spectra import SpectralAxis, SpectraSet

RNG = np.random.default_rng(3)
AXIS = SpectralAxis(np.arange(12.0) + 200)


def _set(signal, axis=AXIS):
    return SpectraSet(axis, signal)


@pytest.fixture(scope="module")
def sets():
    """Skewed, tied and shifted signal; channel 4 is constant everywhere, channel 5 in training only."""
    training = np.round(RNG.gamma(2.0, 1.0, (41, 12)), 1)
    held_out = np.round(RNG.gamma(2.0, 1.0, (17, 12)), 1)
    generated = RNG.normal(2.2, 1.3, (30, 12))
    for values in (training, held_out, generated):
        values[:, 4] = 0.1
    training[:, 5] = 2.0
    return {"training": _set(training), "held-out": _set(held_out), "generated": _set(generated)}


def _rows(table, role, reference=None):
    chosen = table[table["role"] == role]
    return chosen if reference is None else chosen[chosen["reference"] == reference]


@pytest.mark.parametrize("role", ["training", "held-out", "generated"])
def test_statistics_equal_those_of_numpy_and_scipy(sets, role):
    rows, signal = _rows(channels.channel_statistics(sets), role), sets[role].signal
    assert_allclose(rows["mean"], signal.mean(axis=0))
    varies = ~sets[role].constant_channels
    assert_allclose(rows["std"][varies], signal.std(axis=0, ddof=1)[varies])
    assert_allclose(rows["skew"][varies], stats.skew(signal[:, varies]), rtol=1e-12)
    for name, share in channels.QUANTILES.items():
        assert_allclose(rows[name], np.quantile(signal, share, axis=0), atol=1e-14)
    assert_array_equal(rows["maximum"], signal.max(axis=0))
    assert rows["std"][~varies].eq(0).all()
    assert rows["skew"][~varies].isna().all()


def test_blocks_of_one_channel_give_the_same_table_as_one_block(sets, monkeypatch):
    whole = channels.channel_statistics(sets), channels.channel_differences(sets)
    monkeypatch.setattr(channels, "SORTED_VALUES", 1)
    assert channels.channel_statistics(sets).equals(whole[0])
    assert channels.channel_differences(sets).equals(whole[1])


@pytest.mark.parametrize(
    ("role", "reference"), [("generated", "training"), ("generated", "held-out"), ("held-out", "training")]
)
def test_differences_equal_those_of_scipy_and_statsmodels(sets, role, reference):
    rows = _rows(channels.channel_differences(sets, confidence=0.9), role, reference).reset_index(drop=True)
    one, other = sets[role].signal, sets[reference].signal
    for channel in (0, 1, 2, 3, 11):
        a, b = one[:, channel], other[:, channel]
        welch = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.9)
        assert_allclose(rows.loc[channel, ["lower", "upper"]].astype(float), [welch.low, welch.high])
        smirnov = stats.ks_2samp(a, b, method="asymp")
        assert_allclose(rows["ks"][channel], smirnov.statistic, atol=1e-15)
        assert_allclose(rows["ks_p"][channel], smirnov.pvalue, rtol=1e-12)
        assert_allclose(rows["wasserstein"][channel], stats.wasserstein_distance(a, b))
    known = rows["ks_p"].notna()
    assert_array_equal(np.flatnonzero(~known), [4])
    adjusted = multipletests(rows["ks_p"][known], method="fdr_bh")[1]
    assert_allclose(rows["ks_p_adjusted"][known], adjusted)


def test_interval_against_a_constant_channel_rests_on_the_spread_of_the_other(sets):
    row = _rows(channels.channel_differences(sets), "generated", "training").iloc[5]
    values = sets["generated"].signal[:, 5]
    expected = stats.ttest_1samp(values, 2.0).confidence_interval(0.95)
    assert_allclose([row["lower"], row["upper"]], [expected.low - 2.0, expected.high - 2.0])


def test_sd_ratio_is_not_defined_where_the_reference_is_constant(sets):
    rows = _rows(channels.channel_differences(sets), "generated", "training")
    assert_array_equal(np.flatnonzero(rows["sd_ratio"].isna()), [4, 5])
    expected = sets["generated"].signal[:, 0].std(ddof=1) / sets["training"].signal[:, 0].std(ddof=1)
    assert_allclose(rows["sd_ratio"].iloc[0], expected)


@pytest.mark.parametrize("draw", ["normal", "skewed"])
def test_interval_of_the_sd_ratio_holds_the_true_ratio_as_often_as_stated(draw):
    rng = np.random.default_rng(5)
    sizes = {"training": 150, "generated": 120}
    sample = {"normal": lambda n: rng.normal(size=(n, 2000)), "skewed": lambda n: rng.gamma(4.0, size=(n, 2000))}[draw]
    axis = SpectralAxis(np.arange(2000.0))
    sets = {role: _set((2 if role == "generated" else 1) * sample(n), axis) for role, n in sizes.items()}
    rows = channels.channel_differences(sets, confidence=0.9)
    covered = ((rows["sd_ratio_lower"] <= 2) & (rows["sd_ratio_upper"] >= 2)).mean()
    # 2000 channels: standard error 0.7 %; the interval is asymptotic, and heavy tails cost it some.
    assert covered == pytest.approx(0.9, abs=0.02 if draw == "normal" else 0.04)


def test_interval_of_the_sd_ratio_is_that_of_its_formula(sets):
    row = _rows(channels.channel_differences(sets), "generated", "training").iloc[0]
    one, other = sets["generated"].signal[:, 0], sets["training"].signal[:, 0]
    variance = sum(2 / (len(x) - 1) + stats.kurtosis(x) / len(x) for x in (one, other)) / 4
    spread = np.exp(stats.norm.ppf(0.975) * np.sqrt(variance))
    assert_allclose(
        [row["sd_ratio_lower"], row["sd_ratio_upper"]], [row["sd_ratio"] / spread, row["sd_ratio"] * spread]
    )


def test_correlation_equals_numpys_and_is_missing_for_constant_channels(sets):
    table = channels.channel_correlation({"generated": sets["generated"]})
    matrix = table.pivot(index="position", columns="other_position", values="correlation").to_numpy()
    varies = np.arange(12) != 4
    assert_allclose(matrix[np.ix_(varies, varies)], np.corrcoef(sets["generated"].signal[:, varies].T), atol=1e-14)
    assert np.isnan(matrix[4]).all()


def test_histograms_equal_numpys_and_count_every_spectrum_once(sets, monkeypatch):
    monkeypatch.setattr(channels, "BLOCK_VALUES", 50)
    tables = channels.signal_histograms(sets, n_bins=20)
    low = min(s.signal.min() for s in sets.values())
    high = max(s.signal.max() for s in sets.values())
    for role, spectra in sets.items():
        assert (tables[role].sum() == len(spectra)).all()
        expected, edges = np.histogram(spectra.signal[:, 7], bins=20, range=(low, high))
        assert_array_equal(tables[role].iloc[:, 7], expected)
        assert_allclose(tables[role].index, (edges[:-1] + edges[1:]) / 2)


def test_sets_on_different_axes_are_refused(sets):
    other = SpectralAxis(np.arange(12.0) + 201)
    with pytest.raises(SpectraError, match="Expected spectra on one axis"):
        channels.channel_statistics({"training": sets["training"], "generated": _set(np.ones((3, 12)), other)})


def test_a_set_with_one_spectrum_has_no_spread_to_compare(sets):
    with pytest.raises(SpectraError, match="generated set has 1"):
        channels.channel_differences({"training": sets["training"], "generated": sets["generated"].take([0])})


def test_an_unknown_role_is_refused(sets):
    with pytest.raises(SpectraError, match="expected some of training, held-out, generated, oracle, got train"):
        channels.channel_statistics({"train": sets["training"]})
