import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import StandardScaler

from spectra_core.errors import SpectraError
from spectra_core.preprocessing import Standardiser


def test_agrees_with_scikit_learn(mixtures):
    ours = Standardiser.fit(mixtures.signal).transform(mixtures.signal)
    assert_allclose(ours, StandardScaler().fit_transform(mixtures.signal), rtol=1e-10, atol=1e-12)


def test_inverse_undoes_transform(mixtures):
    scaler = Standardiser.fit(mixtures.signal)
    assert_allclose(scaler.inverse(scaler.transform(mixtures.signal)), mixtures.signal, atol=1e-14)


def test_constant_channel_becomes_zero_and_comes_back_exactly():
    values = np.array([[0.1, 1.0], [0.1, 2.0], [0.1, 4.0]])
    scaler = Standardiser.fit(values)
    assert scaler.constant.tolist() == [True, False]
    assert (scaler.transform(values)[:, 0] == 0).all()
    assert_array_equal(scaler.inverse(np.full((2, 2), 5.0))[:, 0], [0.1, 0.1])


def test_other_width_is_refused(mixtures):
    with pytest.raises(SpectraError, match="Expected 50 columns"):
        Standardiser.fit(mixtures.signal).transform(mixtures.signal[:, :10])


def test_state_survives_storage(mixtures):
    scaler = Standardiser.fit(mixtures.signal)
    again = Standardiser.from_arrays(scaler.to_arrays("signal"), "signal")
    assert_array_equal(again.transform(mixtures.signal), scaler.transform(mixtures.signal))
