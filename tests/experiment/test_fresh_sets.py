"""Independent training sets from the simulator, in place of folds."""

import numpy as np
import pytest
from scipy import stats

from spectra_core.choices import Choice
from spectra_core.contracts import NO_MEMO
from spectra_core.datasets.simulator import PRESETS, simulate
from spectra_core.errors import ConfigError
from spectra_core.experiment import Arm, Experiment, Question, run
from spectra_core.experiment.parts import parts_of
from tests.conftest import beer_lambert_set

EXPERIMENT = Experiment(
    arms=(Arm("Baseline", "baseline"), Arm("Duplicate rows", "duplicate_rows"), Arm("Oracle", "oracle", ratio=3.0)),
    regressors=(Choice("ridge"),),
    fresh_sets=3,
    n_fresh_test=40,
    reference="baseline",
    question=Question(arms=("Oracle",)),
)


@pytest.fixture(scope="module")
def spectra():
    return simulate(PRESETS["beer_lambert"], n_spectra=24, seed=5)


def test_training_sets_and_the_test_set_share_no_spectrum(spectra):
    parts = parts_of(EXPERIMENT, spectra, NO_MEMO)
    assert [len(part.fold.train) for part in parts] == [24, 24, 24]
    sets = [part.fold.train.signal for part in parts] + [parts[0].test.signal, spectra.signal]
    rows = {row.tobytes() for signal in sets for row in signal}
    assert len(rows) == 3 * 24 + 40 + 24
    assert all(part.test is parts[0].test for part in parts)
    assert parts[0].fold.train.meta.provenance["simulator"] == spectra.meta.provenance["simulator"]


def test_effects_are_judged_by_the_plain_paired_test(spectra):
    found = run(EXPERIMENT, spectra).tables
    errors = found["errors"].pivot_table(index=["target", "fold"], columns="arm", values="rmsep")
    ratios = np.log(errors["Oracle"] / errors["Baseline"])
    rows = found["comparisons"].query("arm == 'Oracle' and target != 'all'").set_index("target")
    for target, row in rows.iterrows():
        assert row["p"] == pytest.approx(stats.ttest_1samp(ratios[target], 0.0).pvalue, rel=1e-6)
    assert (found["errors"]["n_test"] == 40).all()


def test_a_smaller_training_set_and_another_worker_give_the_same_parts(spectra):
    small = Experiment(arms=EXPERIMENT.arms[:1], regressors=(Choice("ridge"),), fresh_sets=2, n_train=(10, 0))
    assert [len(part.fold.train) for part in parts_of(small, spectra, NO_MEMO)] == [10, 24, 10, 24]
    again = Experiment.from_json(small.to_json())
    assert again == small


def test_measured_spectra_have_no_fresh_sets():
    with pytest.raises(ConfigError, match="fresh training sets, take new spectra from the true simulator"):
        run(EXPERIMENT, beer_lambert_set(30, 20, seed=0))
    with pytest.raises(ConfigError, match="fresh_sets must be a whole number from 0 to 1000, got -1"):
        Experiment(arms=EXPERIMENT.arms, fresh_sets=-1, reference="baseline")
