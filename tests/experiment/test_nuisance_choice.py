import numpy as np

from spectra_core.choices import Choice
from spectra_core.experiment.nuisance_choice import WAYS, choose_nuisances
from spectra_core.spectra import SpectraSet
from tests.conftest import beer_lambert_set


def drifting(n_spectra, seed):
    """Spectra whose offsets say nothing of the targets, as large as their bands."""
    spectra = beer_lambert_set(n_spectra, 15, seed=seed, noise=0.02)
    drift = np.random.default_rng(seed).standard_normal((n_spectra, 1))
    return SpectraSet(spectra.axis, spectra.signal + drift, spectra.targets, target_info=spectra.target_info)


def test_the_way_that_lowers_left_out_errors_most_is_chosen():
    chosen, tried = choose_nuisances(drifting(12, 1), Choice("ridge"), seed=1)
    assert len(tried) == len(WAYS)
    assert tried["change"].is_monotonic_increasing
    assert {name: tried.loc[0, name] for name in chosen.options} == dict(chosen.options)


def test_noise_that_drowns_the_bands_is_not_chosen():
    ways = ({"offset": 0.0, "slope": 0.0, "noise": 1.0}, {"offset": 0.0, "slope": 0.0, "noise": 1000.0})
    chosen, tried = choose_nuisances(beer_lambert_set(40, 15), Choice("ridge"), ways=ways, seed=0)
    assert chosen.options["noise"] == 1.0
    assert tried.loc[1, "change"] > 50.0
