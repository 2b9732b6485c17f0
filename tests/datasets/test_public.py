"""Sets that come with an optional package are fit to be shown and calibrated."""

import numpy as np
import pytest

from spectra_core.datasets.public import load_public


def test_the_fermentation_shows_bands_from_which_glucose_is_read():
    pytest.importorskip("chemotools")
    from sklearn.cross_decomposition import PLSRegression
    from sklearn.model_selection import LeaveOneOut, cross_val_predict

    spectra = load_public("fermentation")
    assert not spectra.constant_channels.any()
    # As shipped, the lowest shifts are some hundred times as strong as the bands.
    assert np.ptp(spectra.signal, axis=0).max() < 10 * np.median(np.ptp(spectra.signal, axis=0))
    glucose = spectra.targets["glucose"].to_numpy()
    read = cross_val_predict(PLSRegression(4, scale=False), spectra.signal, glucose, cv=LeaveOneOut()).ravel()
    assert np.mean((read - glucose) ** 2) < 0.05 * glucose.var()
