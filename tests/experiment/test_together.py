"""An experiment whose networks are trained together, as on an accelerator, here on the processor's own memory."""

from dataclasses import replace

import pytest
from numpy.testing import assert_allclose

from spectra_core.choices import Choice
from spectra_core.contracts import Cancelled
from spectra_core.errors import ConfigError, TrainingError
from spectra_core.experiment import Arm, Experiment, RegressorChoice, run
from spectra_core.experiment.parts import do_task, parts_of, task_of
from spectra_core.experiment.run import _units
from spectra_core.experiment.together import units_together
from spectra_core.generators import GENERATORS
from spectra_core.training import devices

MLP = Choice("mlp", {"epochs": 3})
VAE = Choice("vae", {"n_hidden": 8, "n_latent": 3, "epochs": 3})
CVAE = Choice("cvae", {"n_hidden": 8, "n_latent": 3, "epochs": 3})
SMALL = Experiment(
    arms=(
        Arm("Baseline", "baseline"),
        Arm("Step-matched", "step_matched"),
        Arm("Ensemble", "ensemble", n_members=2),
        Arm("VAE", generator=VAE, sampler=Choice("standard_normal"), labelling=Choice("spectral"), teacher=MLP),
        Arm(
            "cVAE",
            generator=CVAE,
            conditions=Choice("resampled"),
            latent_given=Choice("prior"),
            labelling=Choice("asked_for"),
            ratio=0.5,
        ),
        Arm("Mixing", generator=Choice("mixing")),
    ),
    regressors=(
        MLP,
        Choice("mlp_ensemble", {"epochs": 2, "n_members": 2}),
        RegressorChoice("mlp", {"epochs": 2}, (Choice("snv"),)),
        Choice("ridge"),
    ),
    n_folds=3,
    seed=1,
)
OTHER = "cpu:0"
"""Torch's other name of the processor stands for an accelerator: everything is trained together there."""


@pytest.fixture
def accelerator(monkeypatch):
    monkeypatch.setattr(devices, "accelerator", lambda: OTHER)


class Memo:
    """Keeps everything, and says what was computed."""

    def __init__(self):
        self.kept, self.looked_up = {}, 0

    def arrays(self, key, compute):
        self.looked_up += 1
        if key not in self.kept:
            self.kept[key] = compute()
        return self.kept[key]


class Listener:
    def __init__(self, stop_after=100_000):
        self.shares, self.messages, self.left = [], [], stop_after

    def progress(self, stage, done, total, values=None):
        self.shares.append(done / total)
        self.left -= 1
        if self.left == 0:
            raise Cancelled

    def message(self, text):
        self.messages.append(text)


@pytest.fixture(scope="module")
def on_processor(mixtures):
    return run(SMALL, mixtures)


def test_numbers_are_those_of_the_processor_up_to_rounding(on_processor, mixtures, accelerator):
    listener = Listener()
    together = run(SMALL, mixtures, reporter=listener)
    for name in ("predictions", "generators", "added", "errors"):
        ours, theirs = together.tables[name], on_processor.tables[name]
        numbers = theirs.select_dtypes("number").columns
        # Float32 over a few dozen steps; errors of single spectra pass through zero.
        assert_allclose(ours[numbers], theirs[numbers], rtol=2e-3, atol=1e-5, err_msg=name)
        assert ours.drop(columns=numbers).equals(theirs.drop(columns=numbers))
    assert listener.messages[0] == f"Networks are trained on {OTHER}."
    in_order = listener.shares[: listener.shares.index(1.0) + 1]  # later stages check what was added
    assert in_order == sorted(in_order)


def test_the_result_names_the_device_and_the_experiment_stays_what_it_was(on_processor, mixtures, accelerator):
    experiment = replace(SMALL, arms=SMALL.arms[:1], regressors=(MLP,))
    together = run(experiment, mixtures)
    assert together.document["versions"]["device"] == OTHER
    assert "device" not in on_processor.document["versions"]
    assert (
        together.experiment.to_json()
        == replace(experiment, data=mixtures.fingerprint, targets=mixtures.target_names).to_json()
    )
    assert "device" not in together.document["experiment"]


def test_only_what_is_preprocessed_is_left_to_units_of_single_folds(mixtures, accelerator, monkeypatch):
    memo = Memo()
    parts = parts_of(SMALL, mixtures, memo)
    alone = _units(SMALL, parts)
    units, n_first = units_together(SMALL, parts, alone)
    for unit in units[:n_first]:
        unit.work(Listener())
    single = []
    monkeypatch.setattr("spectra_core.training.mlps.train", lambda *_, **__: single.append(1) or 1 / 0)
    monkeypatch.setattr("spectra_core.training.vaes.train", lambda *_, **__: single.append(1) or 1 / 0)
    for unit in alone:
        if "after" not in unit.stage:
            unit.work(Listener())
    assert single == []
    assert [unit.stage for unit in units[n_first:]] == [unit.stage for unit in alone]


def test_what_is_kept_is_not_trained_again(mixtures, accelerator, monkeypatch):
    experiment = replace(SMALL, regressors=(MLP,))
    memo = Memo()
    first = run(experiment, mixtures, memo=memo)
    monkeypatch.setattr("spectra_core.training.mlps.train", lambda *_, **__: 1 / 0)
    monkeypatch.setattr("spectra_core.training.vaes.train", lambda *_, **__: 1 / 0)
    again = run(experiment, mixtures, memo=memo)
    assert again.tables["predictions"].equals(first.tables["predictions"])


def test_devices_do_not_share_what_is_kept(mixtures, accelerator):
    on_accelerator, on_cpu = (
        parts_of(replace(SMALL, device=device), mixtures, Memo())[0] for device in ("auto", "cpu")
    )
    arm = SMALL.arms[0]
    assert on_accelerator.predicted_key(arm, MLP) != on_cpu.predicted_key(arm, MLP)
    assert on_accelerator.fold.regressor_task(MLP).seed == on_cpu.fold.regressor_task(MLP).seed


def test_where_the_processor_is_asked_for_it_is_used(on_processor, mixtures, accelerator):
    found = run(replace(SMALL, device="cpu"), mixtures)
    assert found.tables["predictions"].equals(on_processor.tables["predictions"])
    assert '"device": "cpu"' in found.experiment.to_json()


def test_a_worker_elsewhere_is_told_the_device(mixtures, monkeypatch):
    part = parts_of(SMALL, mixtures, Memo())[0]
    task = task_of("prediction", SMALL, SMALL.arms[0], MLP, part)
    monkeypatch.setattr(devices, "accelerator", lambda: OTHER)
    memo = Memo()
    do_task(task, mixtures, memo, Listener())
    assert part.predicted_key(SMALL.arms[0], MLP) in memo.kept


def test_cancelled_in_the_first_epoch(mixtures, accelerator):
    listener = Listener(stop_after=1)
    with pytest.raises(Cancelled):
        run(SMALL, mixtures, reporter=listener)
    assert len(listener.shares) == 1


def test_the_fold_that_diverges_is_named(mixtures, accelerator):
    wild = Choice("mlp", {"epochs": 30, "learning_rate": 1e6})
    with pytest.raises(TrainingError, match="Training the MLP, repetition 1, fold 1 diverged in epoch"):
        run(replace(SMALL, arms=SMALL.arms[:1], regressors=(wild,)), mixtures)


def test_generators_of_which_one_diverges_are_left_to_the_single_folds(mixtures, accelerator, monkeypatch):
    def diverging(self, sets, **options):
        raise TrainingError("Training the VAE, repetition 1, fold 2 diverged in epoch 2 of 3.")

    monkeypatch.setattr(GENERATORS["vae"], "fit_many", diverging)
    listener = Listener()
    found = run(replace(SMALL, arms=(SMALL.arms[1], SMALL.arms[3])), mixtures, reporter=listener)
    assert any("fold 2 diverged" in text and "trained by itself instead" in text for text in listener.messages)
    assert found.tables["generators"]["n_trainings"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("device", ["gpu", "mps", ""])
def test_an_unknown_device_is_refused(device):
    with pytest.raises(ConfigError, match="one of auto, cpu, cuda"):
        replace(SMALL, device=device)


def test_an_accelerator_that_is_not_there_is_refused(mixtures, monkeypatch):
    monkeypatch.setattr(devices, "accelerator", lambda: None)
    with pytest.raises(ConfigError, match=r'torch sees no accelerator\. Choose device="auto"'):
        run(replace(SMALL, device="cuda"), mixtures)


def test_the_device_belongs_to_the_whole_experiment():
    with pytest.raises(ConfigError, match="field \"device\" to 'cpu' instead"):
        replace(SMALL, regressors=(Choice("mlp", {"device": "cpu"}),))


def test_a_stored_experiment_names_a_device_only_where_one_is_insisted_on():
    assert "device" not in SMALL.to_json()
    asked = replace(SMALL, device="cuda")
    assert Experiment.from_json(asked.to_json()) == asked
    assert Experiment.from_json(SMALL.to_json()) == SMALL
