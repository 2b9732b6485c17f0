"""Trainings advanced together equal trainings one by one: in float64 on the processor, where rounding is small."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from spectra_core.contracts import Budget, Cancelled
from spectra_core.errors import TrainingError
from spectra_core.training import loop
from spectra_core.training.autograd import AutogradEngine
from spectra_core.training.loop import equal_stacks
from spectra_core.training.mlps import MlpTraining, train_mlps, train_mlps_together
from spectra_core.training.plan import Plan
from spectra_core.training.vae_shape import VaeLoss, VaeShape
from spectra_core.training.vaes import VaeTraining, train_vae, train_vaes_together

OTHER = "cpu:0"
"""Torch's other name of the processor stands for an accelerator: equal trainings are advanced together there."""

SIZES = (70, 71, 65, 70, 64)
"""In batches of 32 all but the last make three steps an epoch, the last of 6, 7 and 1 rows; 64 makes two."""


def table(n_rows, n_columns=13, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n_rows, 4)) @ rng.standard_normal((4, n_columns)) + 0.1 * rng.standard_normal(
        (n_rows, n_columns)
    )


def mlp_trainings(*, sizes=SIZES, steps=200, basis=None, **changes):
    return [
        MlpTraining(
            inputs := table(n, seed=number),
            np.tanh(inputs[:, :3]),
            Plan(Budget(steps=steps), seed=10 + number, **changes),
            (9, 5),
            np.float64,
            basis,
            f"Training fold {number + 1}",
        )
        for number, n in enumerate(sizes)
    ]


def mlps_alone(training, **changes):
    plan = training.plan
    return train_mlps(
        training.inputs,
        training.targets,
        hidden=training.hidden,
        dtype=np.float64,
        basis=training.basis,
        budget=plan.budget,
        batch_size=plan.batch_size,
        learning_rate=plan.learning_rate,
        schedule=plan.schedule,
        seed=plan.seed,
        **changes,
    )


def vae_trainings(kind, *, sizes=SIZES, steps=200, validation=False, basis=None, **changes):
    n_conditions = 0 if kind == "vae" else 2
    shape = VaeShape(13, 11, 5, n_conditions, encoder_sees_conditions=kind == "cvae, encoder sees targets")
    held_out = table(9, seed=99)
    return [
        VaeTraining(
            spectra := table(n, seed=number),
            spectra[:, :2] if n_conditions else None,
            shape,
            VaeLoss(0.3, "sum"),
            Plan(Budget(steps=steps), seed=20 + number, **changes),
            np.float64,
            basis,
            held_out if validation else None,
            held_out[:, :2] if validation and n_conditions else None,
            f"Training fold {number + 1}",
        )
        for number, n in enumerate(sizes)
    ]


def vae_alone(training, **changes):
    return train_vae(
        training.spectra,
        training.conditions,
        shape=training.shape,
        loss=training.loss,
        plan=training.plan,
        dtype=np.float64,
        basis=training.basis,
        validation=training.validation,
        validation_conditions=training.validation_conditions,
        **changes,
    )


def basis_of(n_components):
    return np.linalg.qr(np.random.default_rng(5).standard_normal((13, n_components))).Q


@pytest.mark.parametrize(("schedule", "basis"), [("constant", None), ("cosine", None), ("cosine", basis_of(4))])
def test_regressors_of_unequal_folds_equal_those_trained_one_by_one(schedule, basis):
    trainings = mlp_trainings(steps=30, schedule=schedule, basis=basis)
    for training, found in zip(trainings, train_mlps_together(trainings, device=OTHER), strict=True):
        alone = mlps_alone(training)
        for ours, theirs in zip((*found.weights, *found.biases), (*alone.weights, *alone.biases), strict=True):
            # Only the order of sums differs, by about 1e-14.
            assert_allclose(ours, theirs, rtol=0, atol=1e-10)
        assert_allclose(found.loss, alone.loss, rtol=1e-10)


@pytest.mark.parametrize("kind", ["vae", "cvae", "cvae, encoder sees targets"])
@pytest.mark.parametrize("basis", [None, basis_of(6)])
def test_autoencoders_of_unequal_folds_equal_those_trained_one_by_one(kind, basis):
    trainings = vae_trainings(kind, steps=30, validation=True, basis=basis)
    for training, found in zip(trainings, train_vaes_together(trainings, device=OTHER), strict=True):
        alone = vae_alone(training)
        for name, theirs in alone.arrays.items():
            assert_allclose(found.arrays[name], theirs, rtol=0, atol=1e-10)
        assert list(found.curve) == list(alone.curve)
        for name, theirs in alone.curve.items():
            assert_allclose(found.curve[name], theirs, rtol=1e-9)


@pytest.mark.parametrize("kind", ["mlp", "vae", "cvae, encoder sees targets"])
def test_nothing_of_a_step_lies_elsewhere_than_on_the_device(kind, monkeypatch):
    """Torch's device without content refuses to add or multiply anything that lies on another."""
    began = []
    usual = torch.optim.Adam
    # Its fused form knows devices with content only; the other form does the same operations.
    monkeypatch.setattr(torch.optim, "Adam", lambda parameters, fused: usual(parameters, foreach=True))
    monkeypatch.setattr(
        torch.Tensor, "double", lambda self: began.append((self.device.type, tuple(self.shape))) or 1 / 0
    )
    trainings = mlp_trainings(sizes=SIZES[:3]) if kind == "mlp" else vae_trainings(kind, sizes=SIZES[:3])
    orders = [np.arange(one.n_rows) for one in trainings]
    with pytest.raises(ZeroDivisionError):  # all steps are done when the losses are fetched
        AutogradEngine(trainings, "meta").epoch(1, orders, [1e-3] * 3)
    assert began == [("meta", (3, 3 if kind == "mlp" else 2))]


def test_only_trainings_that_keep_step_are_advanced_together(monkeypatch):
    made = []
    monkeypatch.setattr(loop, "MOST_VALUES", 2 * 71 * 14)  # 13 inputs, and one that is always 1
    monkeypatch.setattr(
        loop,
        "AutogradEngine",
        lambda some, device: made.append(tuple(one.n_rows for one in some)) or AutogradEngine(some, device),
    )
    trainings = mlp_trainings(steps=1)
    found = train_mlps_together(trainings, device=OTHER)
    # 64 rows make two steps an epoch where the others make three; no more than two fit into the bound.
    assert made == [(70, 71), (65, 70), (64,)]
    for training, weights in zip(trainings, found, strict=True):
        assert_allclose(weights.weights[0], mlps_alone(training).weights[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("most", "stacks"), [(10**9, [[0, 1, 2]]), (1, [[0], [1], [2]])])
def test_a_training_that_is_too_large_by_itself_is_still_trained(most, stacks, monkeypatch):
    monkeypatch.setattr(loop, "MOST_VALUES", most)
    assert equal_stacks(mlp_trainings(sizes=(70, 71, 70))) == stacks
    assert equal_stacks([]) == []


def test_the_training_that_diverges_is_named():
    trainings = mlp_trainings(sizes=(70, 71, 70))
    spoilt = MlpTraining(
        1e200 * trainings[1].inputs,
        trainings[1].targets,
        trainings[1].plan,
        (9, 5),
        np.float64,
        None,
        "Training fold 2",
    )
    with pytest.raises(
        TrainingError, match=r"^Training fold 2 diverged in epoch 1 of 67: the loss is no longer finite"
    ):
        train_mlps_together([trainings[0], spoilt, trainings[2]], device=OTHER)


def test_a_hopeless_autoencoder_is_named():
    trainings = vae_trainings("vae", sizes=(70, 70))
    trainings[1].spectra[:] *= 50
    with pytest.raises(TrainingError, match=r"^Training fold 2 diverged in epoch 1 of 67: the error is more than 1000"):
        train_vaes_together(trainings, device=OTHER)


class Listener:
    """Notes progress, and asks to stop after some reports."""

    def __init__(self, stop_after=10_000):
        self.seen, self.stop_after = [], stop_after

    def progress(self, stage, done, total, values=None):
        self.seen.append((done, total, values))
        if len(self.seen) == self.stop_after:
            raise Cancelled

    def message(self, text):
        self.seen.append(text)


def test_progress_is_told_per_epoch_and_curves_where_there_is_one():
    one, several = Listener(), Listener()
    train_mlps_together(mlp_trainings(sizes=(70,), steps=6), device=OTHER, reporter=one)
    train_mlps_together(mlp_trainings(sizes=(70, 64), steps=6), device=OTHER, reporter=several)
    assert [seen[:2] for seen in one.seen] == [(1, 2), (2, 2)]
    assert set(one.seen[0][2]) == {"loss", "network 0", "network 1", "network 2"}
    # Two stacks, one after the other: 2 epochs of 3 steps, then 3 of 2.
    assert [seen[0] for seen in several.seen] == [1, 2, 3, 4, 5]
    assert {seen[2] is None for seen in several.seen} == {True}


def test_cancelled_in_the_first_epoch_stops_there():
    listener = Listener(stop_after=1)
    with pytest.raises(Cancelled):
        train_vaes_together(vae_trainings("vae"), device=OTHER, reporter=listener)
    assert len(listener.seen) == 1


class Kept:
    """A checkpoint in memory."""

    state = None

    def load(self):
        return self.state

    def save(self, state):
        self.state = state


@pytest.mark.parametrize("stop_after", [1, 13])
def test_training_resumed_after_a_stop_gives_the_same_bits(stop_after):
    training = vae_trainings("cvae", sizes=(70,), steps=45, validation=True)[0]
    checkpoint, again = Kept(), Listener()
    [uninterrupted] = train_vaes_together([training], device=OTHER)
    with pytest.raises(Cancelled):
        training.trained(OTHER, Listener(stop_after), checkpoint)
    resumed = training.trained(OTHER, again, checkpoint)
    assert again.seen[0] == f"Training fold 1 goes on after epoch {stop_after} of 15."
    for name, values in uninterrupted.arrays.items():
        assert_array_equal(resumed.arrays[name], values)
    for name, values in uninterrupted.curve.items():
        assert_array_equal(resumed.curve[name], values)


def test_a_checkpoint_of_other_work_is_not_taken_up():
    one, other = (vae_trainings("vae", sizes=(70,), learning_rate=rate)[0] for rate in (1e-3, 2e-3))
    checkpoint, listener = Kept(), Listener()
    with pytest.raises(Cancelled):
        one.trained(OTHER, Listener(3), checkpoint)
    other.trained(OTHER, listener, checkpoint)
    assert not any(isinstance(seen, str) for seen in listener.seen)
