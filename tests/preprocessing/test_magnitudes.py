"""Numbers too large to compute with are refused in a sentence, and in nothing but a sentence."""

import numpy as np
import pytest

from spectra_core.errors import SpectraError
from spectra_core.preprocessing.magnitudes import require_computable_signal
from spectra_core.spectra import SpectralAxis, SpectraSet


@pytest.mark.parametrize("size", [1e99, 1e101, 1e300, 1e308])
def test_spectra_that_are_all_too_large_are_refused_without_a_warning(size):
    """Warnings of numpy would be errors here: what is usual there, times 1e15, is beyond all numbers."""
    signal = size * np.random.default_rng(0).uniform(0.1, 1.0, (6, 4))
    spectra = SpectraSet(SpectralAxis(np.arange(4.0)), signal)
    if size < 1e100:
        require_computable_signal(spectra, "training")
        return
    with pytest.raises(SpectraError, match=r"numbers beyond 1e\+100 cannot be computed with"):
        require_computable_signal(spectra, "training")
