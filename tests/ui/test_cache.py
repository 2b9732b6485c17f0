"""What is cached is keyed by content: one changed value anywhere gives another answer."""

import numpy as np
import pytest

from spectra_core.spectra import SpectralAxis, SpectraSet
from ui import cache

N_SPECTRA, N_CHANNELS = 600, 900  # more than the half million values from which on Streamlit hashes a sample of them


def spectra(changed: tuple[int, int] | None = None) -> SpectraSet:
    signal = np.random.default_rng(0).normal(size=(N_SPECTRA, N_CHANNELS)).astype(np.float32)
    if changed is not None:
        signal[changed] += 1e-3
    return SpectraSet(SpectralAxis(np.arange(float(N_CHANNELS))), signal)


@pytest.fixture(scope="module")
def before() -> SpectraSet:
    return spectra()


@pytest.mark.parametrize("changed", [(0, 0), (123, 456), (599, 899), (301, 7)])
def test_one_changed_value_in_half_a_million_is_never_answered_from_the_cache(before, changed):
    cached = cache.channel_statistics({"training": before})
    now = cache.channel_statistics({"training": spectra(changed)})
    differs = cached["mean"] != now["mean"]
    assert list(np.flatnonzero(differs)) == [changed[1]]
    # The same content is found again, though it is another object.
    assert cache.channel_statistics({"training": spectra()}).equals(cached)


CACHED = {name: function for name, function in vars(cache).items() if hasattr(function, "_info")}


@pytest.mark.parametrize("name", CACHED)
def test_everything_that_takes_spectra_or_models_is_keyed_by_their_content(name):
    kinds = CACHED[name].__wrapped__.__annotations__
    takes = " ".join(str(kind) for argument, kind in kinds.items() if argument != "return")
    if any(word in takes for word in ("SpectraSet", "StoredModel", "Plan")):
        assert CACHED[name]._info.hash_funcs is cache.BY_CONTENT
