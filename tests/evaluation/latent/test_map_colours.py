"""Colours of a map: errors against refitting by hand, densities and reconstructions against their own functions."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Ridge

from spectra_core.errors import SpectraError
from spectra_core.evaluation.latent import map_colours
from spectra_core.evaluation.latent.training_density import log_training_density
from spectra_core.generators import GENERATORS
from spectra_core.spectra import SpectraSet
from tests.conftest import beer_lambert_set, relabelled


@pytest.fixture(scope="module")
def sets():
    return {"training": beer_lambert_set(40), "generated": beer_lambert_set(15, seed=1)}


def values(table, role):
    rows = table[table["role"] == role]
    assert_array_equal(rows["sample"], np.arange(len(rows)))
    return rows["value"].to_numpy()


def test_label_error_is_that_of_refitting_without_the_spectrum(sets, monkeypatch):
    monkeypatch.setattr(map_colours, "SHARES", np.array([1e-4]))
    training, generated = sets["training"], sets["generated"]
    table = map_colours.label_error_colour(sets, "Ni2+")
    centred = training.signal - training.signal.mean(axis=0)
    penalty = 1e-4 * np.linalg.eigvalsh(centred.T @ centred)[-1]
    labels = training.target_values[:, 1]
    for row in (0, 17, 39):
        rest = np.arange(40) != row
        model = Ridge(penalty, solver="svd").fit(training.signal[rest], labels[rest])
        expected = labels[row] - model.predict(training.signal[[row]])[0]
        assert_allclose(values(table, "training")[row], expected, rtol=1e-5, atol=1e-9)
    model = Ridge(penalty, solver="svd").fit(training.signal, labels)
    expected = generated.target_values[:, 1] - model.predict(generated.signal)
    assert_allclose(values(table, "generated"), expected, rtol=1e-5, atol=1e-9)


def test_a_wrong_label_of_one_target_shows_in_that_target_alone(sets):
    targets = sets["generated"].targets
    targets.loc[4, "Cu2+"] += 0.1
    wrong = {**sets, "generated": relabelled(sets["generated"], targets)}
    error = values(map_colours.label_error_colour(wrong, "Cu2+"), "generated")
    # Noise of 1e-3 against an absorptivity of 12: labels are read to a few times 1e-4.
    assert_allclose(error[4], 0.1, atol=2e-3)
    assert np.abs(np.delete(error, 4)).max() < 2e-3
    assert np.abs(values(map_colours.label_error_colour(wrong, "NO3-"), "generated")).max() < 5e-3


def test_replicates_are_read_by_a_fit_that_saw_none_of_them():
    base = beer_lambert_set(20)
    twice = base.take(np.repeat(np.arange(20), 2))
    apart = values(map_colours.label_error_colour({"training": base}, "Cu2+"), "training")
    together = values(map_colours.label_error_colour({"training": twice}, "Cu2+"), "training")
    # Pairs of the same rows: leaving out a pair is leaving out the one row, at half the penalty.
    assert_allclose(together[::2], together[1::2], atol=1e-12)
    assert_allclose(together[::2], apart, atol=5e-4)


def test_density_and_reconstruction_are_those_of_every_role(sets):
    density = map_colours.density_colour(sets)
    assert_allclose(values(density, "generated"), log_training_density(sets["training"], sets["generated"]))
    generator = GENERATORS["pca"](n_latent=3).fit(sets["training"])
    error = values(map_colours.reconstruction_colour(sets, generator), "generated")
    decoded = generator.decode(generator.encode(sets["generated"]).mean)
    assert_allclose(error, np.sqrt(((sets["generated"].signal - decoded) ** 2).mean(axis=1)))


def test_what_cannot_be_coloured_is_refused(sets):
    with pytest.raises(SpectraError, match=r"no target 'Fe'\. It has: Cu2"):
        map_colours.label_error_colour(sets, "Fe")
    with pytest.raises(SpectraError, match="got generated"):
        map_colours.density_colour({"generated": sets["generated"]})
    bare = SpectraSet(sets["generated"].axis, sets["generated"].signal)
    with pytest.raises(SpectraError, match="Expected the targets"):
        map_colours.label_error_colour({**sets, "generated": bare}, "Cu2+")
    with pytest.raises(SpectraError, match="at least 3 independent"):
        map_colours.label_error_colour({"training": sets["training"].take([0, 0, 1])}, "Cu2+")
