"""Wrong labels, planted and published, and the residuals that name them."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import Ridge

from spectra_core.errors import ConfigError, SpectraError
from spectra_core.evaluation.labels.label_errors import _left_out, label_errors
from spectra_core.spectra import SpectralAxis, SpectraSet
from tests.conftest import beer_lambert_set, relabelled


def suspicious(table):
    return set(table.loc[table["suspicious"], "sample"])


def with_labels(spectra, rows, labels):
    targets = spectra.targets
    targets.iloc[rows] = labels
    return relabelled(spectra, targets)


def test_swapped_labels_are_named_with_their_partner():
    spectra = beer_lambert_set(80)
    wrong = with_labels(spectra, [3, 40], spectra.target_values[[40, 3]])
    table, check = label_errors(wrong)
    assert suspicious(table) == {3, 40}
    assert check.n_suspicious == 2
    partner = table.drop_duplicates("sample").set_index("sample")["fits_label_of"]
    assert (partner[3], partner[40]) == ("41", "4")
    expected = table.pivot(index="sample", columns="target", values="expected")[list(spectra.target_names)]
    # Noise of 1e-3 against absorptivities of 1 to 12: labels are read to a few times 1e-4.
    assert_allclose(expected.to_numpy()[[3, 40]], spectra.target_values[[3, 40]], atol=2e-3)


def test_a_quarter_of_wrong_labels_does_not_hide_itself():
    spectra = beer_lambert_set(80)
    rows = np.arange(20)
    wrong = with_labels(spectra, rows, spectra.target_values[np.roll(rows, 7)])
    assert suspicious(label_errors(wrong)[0]) == set(rows)


def test_right_labels_are_rarely_suspected():
    named = [label_errors(beer_lambert_set(60, seed=seed))[1].n_suspicious for seed in range(20)]
    # 0.05 expected each if residuals were normal with a known spread: 1 in 20; more as the spread is estimated.
    assert np.sum(named) <= 5


def test_residuals_are_those_of_refitting_without_the_spectrum():
    spectra = beer_lambert_set(30, 8)
    scores, labels = spectra.signal - spectra.signal.mean(axis=0), spectra.target_values
    kept = np.ones(30, dtype=bool)
    kept[[4, 9]] = False
    groups = np.arange(30)
    for target in range(4):
        residual, penalty = _left_out(scores, labels[:, target], groups, kept)
        for row in (0, 4, 17):
            used = kept & (np.arange(30) != row)
            model = Ridge(penalty, solver="svd").fit(scores[used], labels[used, target])
            expected = labels[row, target] - model.predict(scores[[row]])[0]
            assert_allclose(residual[row], expected, rtol=1e-5, atol=1e-9)


def sparse_set(n_spectra=200, seed=0):
    """Two ions that most solutions lack: one acts on the spectra, the other leaves no trace."""
    rng = np.random.default_rng(seed)
    base = beer_lambert_set(n_spectra, seed=seed)
    rare, hidden = (np.where(rng.uniform(size=n_spectra) < 0.3, rng.uniform(0.1, 1, n_spectra), 0) for _ in range(2))
    signal = base.signal + np.outer(rare, np.exp(-0.5 * ((base.axis.positions - 600) / 60) ** 2))
    return SpectraSet(base.axis, signal, base.targets.assign(rare=rare, hidden=hidden))


def test_an_ion_that_most_solutions_lack_is_not_an_error_where_it_is_present():
    spectra = sparse_set()
    _, check = label_errors(spectra)
    assert check.n_suspicious <= 1
    targets = spectra.targets
    present = int(targets["rare"].gt(0).idxmax())
    targets.loc[present, "rare"] = 0.0
    found, _ = label_errors(SpectraSet(spectra.axis, spectra.signal, targets))
    assert present in set(found.loc[found["suspicious"] & (found["target"] == "rare"), "sample"])


def test_saturation_is_not_an_error_of_the_labels():
    spectra = sparse_set(300).with_targets([*beer_lambert_set(10).target_names, "rare"])
    bent = -np.log10(10.0 ** (-10 * spectra.signal) + 1e-2)
    targets = spectra.targets
    targets.iloc[[3, 40]] = targets.iloc[[40, 3]].to_numpy()
    table, check = label_errors(SpectraSet(spectra.axis, bent, targets))
    assert suspicious(table) >= {3, 40}
    # A straight fit that does not look at neighbours names a sixth of the spectra.
    assert check.n_suspicious <= 0.05 * 300


def test_labels_that_spectra_do_not_tell_are_not_judged():
    table, check = label_errors(sparse_set())
    assert check.unreadable == ("hidden",)
    assert not table.loc[table["target"] == "hidden", "suspicious"].any()


def test_constant_targets_are_passed_over_and_impossible_requests_refused():
    spectra = beer_lambert_set(40)
    targets = spectra.targets.assign(fixed=1.0)
    table, _ = label_errors(SpectraSet(spectra.axis, spectra.signal, targets))
    assert set(table["target"]) == set(spectra.target_names)
    with pytest.raises(SpectraError, match="the set has 0 such targets and 40 spectra"):
        label_errors(SpectraSet(spectra.axis, spectra.signal))
    with pytest.raises(SpectraError, match="at least 10 independent spectra; the set has 4 such targets and 9"):
        label_errors(spectra.take(range(9)))
    with pytest.raises(ConfigError, match="is positive, got 0"):
        label_errors(spectra, false_alarms=0)


@pytest.fixture
def published():
    """80 mixtures of four transition metals as published (Harvey, Pittcon 2018)."""
    folder = os.environ.get("SPECTRA_REFERENCE_DATA")
    file = Path(folder or "") / "real" / "cu_co_cr_ni_visible_as_published.csv"
    if folder is None or not file.is_file():
        pytest.skip("SPECTRA_REFERENCE_DATA names no folder with the published set.")
    table = pd.read_csv(file)
    return SpectraSet(
        SpectralAxis(np.array(table.columns[7:], dtype=float)),
        table.iloc[:, 7:].to_numpy(),
        table.iloc[:, 3:7],
        samples=pd.DataFrame({"id": table["sample"]}),
    )


class TestPublishedSet:
    REVERSED = tuple(f"{series}_mix{number}" for series in ("nico", "nicr") for number in (1, 2, 4, 5))
    SWAPPED_COPPER = tuple(f"crcunico_mix{number}" for number in (1, 2, 5, 6))

    def test_the_wrong_labels_are_found_and_no_others(self, published):
        table, _ = label_errors(published)
        assert set(table.loc[table["suspicious"], "id"]) == {*self.REVERSED, *self.SWAPPED_COPPER}

    def test_two_series_are_labelled_in_reverse_order(self, published):
        table, _ = label_errors(published)
        partner = table.drop_duplicates("id").set_index("id")["fits_label_of"]
        for series in ("nico", "nicr"):
            assert [partner[f"{series}_mix{n}"] for n in (1, 2, 4, 5)] == [f"{series}_mix{n}" for n in (5, 4, 2, 1)]

    def test_pure_standards_alone_say_the_same(self, published):
        # Independent of any regression on the mixtures: absorptivities of the 20 single-metal standards.
        labels, signal = published.target_values, published.signal
        absorptivity = np.linalg.lstsq(labels[:20], signal[:20], rcond=None)[0]
        found = signal @ np.linalg.pinv(absorptivity)
        apart = pd.DataFrame(np.abs(found - labels), index=published.samples["id"], columns=published.target_names)
        # Where labels are right, standards and mixtures agree within 5 mmol/L, and within 3.5 mmol/L for copper.
        assert set(apart.index[(apart > 0.007).any(axis=1) | (apart["concCu"] > 0.004)]) == {
            *self.REVERSED,
            *self.SWAPPED_COPPER,
        }
