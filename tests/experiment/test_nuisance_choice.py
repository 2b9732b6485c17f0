import numpy as np
import pytest
from numpy.testing import assert_array_equal

from spectra_core.choices import Choice
from spectra_core.contracts import NO_MEMO, SILENT
from spectra_core.errors import ConfigError
from spectra_core.experiment import PRESET_ARMS, Arm
from spectra_core.experiment.cost import arm_cost
from spectra_core.experiment.fold import Fold
from spectra_core.experiment.nuisance_choice import FITS, WAYS, choose_nuisances
from spectra_core.regressors.choice import build_regressor
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


def test_an_arm_adds_what_inner_folds_choose_for_its_regressor():
    train, test = drifting(12, 1), drifting(30, 2)
    fold, ridge = Fold(train, 3, (0, 0, 0), NO_MEMO), Choice("ridge")
    arm = PRESET_ARMS["Nuisances, chosen"]
    settled = fold.with_chosen(arm, ridge, SILENT)
    assert dict(settled.generator.options) in WAYS
    assert_array_equal(fold.predict(arm, ridge, test, SILENT), fold.predict(settled, ridge, test, SILENT))
    assert arm_cost(arm, build_regressor(ridge), 12, 15, 3) == (1 + FITS) * arm_cost(
        settled, build_regressor(ridge), 12, 15, 3
    )
    with pytest.raises(ConfigError, match="must be 'nuisances'"):
        Arm("x", generator=Choice("jitter"), choose_nuisances=True)
