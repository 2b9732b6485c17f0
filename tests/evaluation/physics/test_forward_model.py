import numpy as np
import pytest
from numpy.testing import assert_allclose

from spectra_core.evaluation.physics.forward_model import explained_shares, forward_model_errors
from spectra_core.figures.forward_model import forward_model
from spectra_core.generators import PhysicsResidual
from tests.conftest import beer_lambert_set


def test_shares_and_errors_are_those_of_the_residuals():
    spectra = beer_lambert_set(n_spectra=40, noise=5e-3)
    fitted = PhysicsResidual("pure_components").fit(spectra)
    errors = forward_model_errors(fitted, spectra)
    missed = spectra.signal - fitted.physics_.spectra(spectra.target_values, spectra.frame)
    assert_allclose(errors["physics"], np.sqrt((missed**2).mean(axis=0)), rtol=1e-9)
    shares = explained_shares(errors).set_index("model")
    expected = 1 - (missed**2).sum() / ((spectra.signal - spectra.signal.mean(axis=0)) ** 2).sum()
    assert shares.loc["physics", "share"] == pytest.approx(expected, abs=1e-9)
    # An additive set leaves nothing to learn: what is missed of a left-out row is noise.
    assert np.median(errors["left_out"]) == pytest.approx(5e-3, rel=0.2)
    figure = forward_model(errors, axis_label="Wavelength, nm", signal_label="Absorbance")
    assert [line.name for line in figure.data][1] == "Missed by physics alone"
    assert_allclose(figure.data[1].y, errors["physics"])
