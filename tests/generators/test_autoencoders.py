import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from spectra_core.contracts import Cancelled
from spectra_core.datasets.simulator import PRESETS, simulate
from spectra_core.errors import SpectraError, TrainingError
from spectra_core.generators import CVAE, GENERATORS, VAE
from spectra_core.spectra import SpectralAxis, SpectraSet
from spectra_core.training import devices
from tests.conftest import relabelled

SMALL = {"n_hidden": 16, "n_latent": 4, "epochs": 5}
STUDY_AXIS = SpectralAxis(np.arange(190.0, 1101.0))


def study_sized_set(n_spectra=6):
    rng = np.random.default_rng(0)
    targets = pd.DataFrame(rng.random((n_spectra, 8)), columns=[f"ion {i}" for i in range(8)])
    return SpectraSet(STUDY_AXIS, rng.random((n_spectra, 911)), targets)


@pytest.mark.parametrize(("member", "n_parameters"), [(VAE, 537_925), (CVAE, 539_973)])
def test_defaults_are_the_networks_of_the_study(member, n_parameters):
    model = member()
    assert (model.n_hidden, model.n_latent, model.beta, model.reduction) == (256, 91, 1.0, "mean")
    assert (model.epochs, model.batch_size, model.learning_rate, model.schedule) == (100, 32, 1e-3, "constant")
    fitted = member(epochs=1).fit(study_sized_set())
    assert fitted.n_parameters == n_parameters
    weights = [array for name, array in fitted.to_arrays().items() if name.endswith((".weight", ".bias"))]
    assert sum(array.size for array in weights) == n_parameters


def test_curve_has_the_loss_and_its_parts_with_validation_beside(mixtures):
    history = VAE(**SMALL, beta=0.5).fit(mixtures, validation=mixtures.take(range(20))).history_
    parts = ["loss", "reconstruction", "kl"]
    assert list(history.columns) == ["epoch", *parts, *[f"validation_{part}" for part in parts]]
    for role in ("", "validation_"):
        assert_allclose(
            history[f"{role}loss"], history[f"{role}reconstruction"] + 0.5 * history[f"{role}kl"], rtol=1e-5
        )


def test_progress_carries_the_figures_of_every_epoch(mixtures):
    told = []

    class Listener:
        def progress(self, stage, done, total, values=None):
            told.append((stage, done, total, values))

        def message(self, text):
            pass

    history = VAE(**SMALL).fit(mixtures, reporter=Listener()).history_
    assert [call[:3] for call in told] == [("Training the variational autoencoder", n, 5) for n in range(1, 6)]
    assert_array_equal([call[3]["kl"] for call in told], history["kl"])


@pytest.mark.parametrize(("reduction", "noise"), [("mean", 50 / (2 * 4)), ("sum", 1 / 2)])
def test_components_below_the_noise_of_the_loss_are_lost_and_others_keep_their_information(mixtures, reduction, noise):
    """Lucas et al., NeurIPS 2019: of variance l, the noise being s2, ln(l/s2)/2 nats are kept (linear networks)."""
    eigenvalues = np.sort(np.linalg.eigvalsh(np.corrcoef(mixtures.signal.T)))[::-1][:4]
    expected = 0.5 * np.log(np.maximum(eigenvalues / noise, 1.0))
    rate = {"mean": 3e-3, "sum": 1e-2}[reduction]  # of which the summed loss takes three tenths
    model = VAE(
        n_hidden=32, n_latent=4, epochs=600, learning_rate=rate, batch_size=20, reduction=reduction, kernels="numba"
    )
    posterior = model.fit(mixtures).encode(mixtures)
    assert int(posterior.active.sum()) == np.count_nonzero(expected) == {"mean": 2, "sum": 3}[reduction]
    # ReLU networks are not linear and 600 epochs leave some of the way: a fifth of a nat.
    assert_allclose(np.sort(posterior.kl_per_dimension)[::-1], expected, atol=0.2)


def test_the_summed_loss_trains_at_its_presets_without_leaps():
    spectra = simulate(PRESETS["msu_like"], seed=0)
    # At the full rate this seed reached 147 in epoch 5.
    curve = VAE(reduction="sum", epochs=6, kernels="numba", device="cpu").fit(spectra, seed=2).history_
    error = curve["reconstruction"] / spectra.n_channels
    assert error[1:].max() < 0.2
    assert error.iloc[-1] < 0.1


def test_conditions_are_scaled_by_the_training_targets(mixtures):
    """Training on targets in other units gives the same spectra for the same solutions."""
    in_mmol = relabelled(mixtures, mixtures.targets * 1024.0)  # a power of two changes no digit
    latent = np.random.default_rng(0).standard_normal((5, 4))
    asked_for = mixtures.targets.iloc[:5]
    one, other = CVAE(**SMALL).fit(mixtures), CVAE(**SMALL).fit(in_mmol)
    assert_array_equal(one.decode(latent, asked_for), other.decode(latent, asked_for * 1024.0))


def test_cvae_follows_the_concentrations_asked_for(mixtures):
    model = CVAE(n_hidden=32, n_latent=2, epochs=200, learning_rate=3e-3, kernels="numba").fit(mixtures)
    made = model.decode(np.zeros((60, 2)), mixtures.targets)
    varying = mixtures.signal.std(axis=0) > 0.05
    unexplained = ((made - mixtures.signal) ** 2).sum(axis=0) / (
        (mixtures.signal - mixtures.signal.mean(axis=0)) ** 2
    ).sum(axis=0)
    assert unexplained[varying].max() < 0.2


def test_encoder_sees_targets_only_where_asked(mixtures):
    other_targets = relabelled(mixtures, mixtures.targets * 2)
    blind = CVAE(**SMALL).fit(mixtures)
    seeing = CVAE(**SMALL, encoder_sees_targets=True).fit(mixtures)
    assert_array_equal(blind.encode(mixtures).mean, blind.encode(other_targets).mean)
    assert np.abs(seeing.encode(mixtures).mean - seeing.encode(other_targets).mean).max() > 1e-3
    assert seeing.n_parameters == blind.n_parameters + 4 * 16
    with pytest.raises(SpectraError, match="Expected the targets Cu2"):
        seeing.encode(mixtures.with_targets([]))
    assert len(blind.encode(mixtures.with_targets([]))) == 60


def test_cvae_refuses_what_lacks_concentrations(mixtures):
    with pytest.raises(SpectraError, match="has no targets"):
        CVAE(**SMALL).fit(mixtures.with_targets([]))
    model = CVAE(**SMALL).fit(mixtures)
    with pytest.raises(SpectraError, match="Give one row of them per latent point"):
        model.decode(np.zeros((2, 4)))
    with pytest.raises(SpectraError, match="2 latent points but 60 rows"):
        model.decode(np.zeros((2, 4)), mixtures.targets)
    with pytest.raises(SpectraError, match=r"got Ni2\+, Cu2\+"):
        model.decode(np.zeros((60, 4)), mixtures.targets[["Ni2+", "Cu2+", "SO4 2-", "NO3-"]])
    with pytest.raises(SpectraError, match="must be finite"):
        model.decode(np.zeros((60, 4)), mixtures.targets * np.nan)


def test_learning_rate_10_stops_with_a_sentence_and_keeps_nothing(mixtures):
    model = VAE(**SMALL, learning_rate=10.0)
    with pytest.raises(TrainingError, match=r"Training the variational autoencoder diverged in epoch \d.*rate 10 "):
        model.fit(mixtures)
    assert not hasattr(model, "frame_")


def test_a_model_goes_on_from_its_checkpoint_to_the_same_bits(mixtures):
    class Stop:
        def progress(self, stage, done, total, values=None):
            if done == 2:
                raise Cancelled

        def message(self, text):
            pass

    class Kept:
        state = None

        def load(self):
            return self.state

        def save(self, state):
            self.state = state

    kept = Kept()
    with pytest.raises(Cancelled):
        CVAE(**SMALL).fit(mixtures, seed=3, reporter=Stop(), checkpoint=kept)
    resumed = CVAE(**SMALL).fit(mixtures, seed=3, checkpoint=kept)
    whole = CVAE(**SMALL).fit(mixtures, seed=3)
    assert_array_equal(resumed.encode(mixtures).mean, whole.encode(mixtures).mean)
    pd.testing.assert_frame_equal(resumed.history_, whole.history_)


@pytest.mark.parametrize("name", ["vae", "cvae"])
@pytest.mark.parametrize("coordinates", ["channels", "components"])
def test_generators_of_all_folds_on_an_accelerator_equal_each_alone_on_the_processor(
    mixtures, monkeypatch, name, coordinates
):
    monkeypatch.setattr(devices, "accelerator", lambda: "cpu:0")  # torch's other name of the processor
    options = {"n_hidden": 8, "n_latent": 3, "epochs": 3, "coordinates": coordinates}
    trains = [mixtures.take(np.arange(n)) for n in (41, 45, 60)]
    fitted = GENERATORS[name](**options).fit_many(trains, seeds=[1, 2, 3], names=["a", "b", "c"])
    in_turn = GENERATORS[name](**options, device="cpu").fit_many(trains, seeds=[1, 2, 3], names=["a", "b", "c"])
    for train, one, other, seed in zip(trains, fitted, in_turn, (1, 2, 3), strict=True):
        alone = GENERATORS[name](**options, device="cpu").fit(train, seed=seed)
        assert (one.device_, alone.device_) == ("cpu:0", "cpu")
        for key, values in alone.to_arrays().items():
            assert_array_equal(other.to_arrays()[key], values)
            # float32, 6 steps
            assert_allclose(one.to_arrays()[key], values, rtol=1e-4, atol=1e-5, err_msg=key)


def test_a_training_on_an_accelerator_stops_and_goes_on_with_the_same_bits(mixtures, monkeypatch):
    monkeypatch.setattr(devices, "accelerator", lambda: "cpu:0")

    class Kept:
        state = None

        def load(self):
            return self.state

        def save(self, state):
            self.state = state

    class Stops:
        def progress(self, stage, done, total, values=None):
            assert "validation_loss" in values
            if done == 2:
                raise Cancelled

        def message(self, text):
            pass

    options = {"n_hidden": 8, "n_latent": 3, "epochs": 5}
    held_out, kept = mixtures.take(np.arange(50, 60)), Kept()
    whole = GENERATORS["vae"](**options).fit(mixtures, validation=held_out, seed=1)
    with pytest.raises(Cancelled):
        GENERATORS["vae"](**options).fit(mixtures, validation=held_out, seed=1, reporter=Stops(), checkpoint=kept)
    assert int(kept.state["epochs_done"]) == 2
    resumed = GENERATORS["vae"](**options).fit(mixtures, validation=held_out, seed=1, checkpoint=kept)
    for key, values in whole.to_arrays().items():
        assert_array_equal(resumed.to_arrays()[key], values)


def with_reading(mixtures, value, row=5, channel=8):
    signal = mixtures.signal.copy()
    signal[row, channel] = value
    return SpectraSet(mixtures.axis, signal, mixtures.targets, target_info=mixtures.target_info)


@pytest.mark.parametrize("value", [1e30, -1e30, 1e307, 1e308])
def test_a_held_out_reading_too_large_to_compute_with_is_refused_before_training(mixtures, value):
    where = f"Spectrum '6' .row 6 of the held-out spectra. has the value {value:g} at {mixtures.axis.positions[8]:g} nm"
    with pytest.raises(SpectraError, match=where.replace("+", r"\+")):
        VAE(**SMALL).fit(mixtures, validation=with_reading(mixtures, value))


def test_a_held_out_target_too_large_to_compute_with_is_refused_too(mixtures):
    targets = mixtures.targets
    targets.iloc[2, 0] = 1e300
    held_out = SpectraSet(mixtures.axis, mixtures.signal, targets, target_info=mixtures.target_info)
    with pytest.raises(SpectraError, match=r"Spectrum '3' .* 1e\+300 for Cu2\+"):
        CVAE(**SMALL).fit(mixtures, validation=held_out)


@pytest.mark.parametrize("kernels", ["torch", "numba"])
def test_a_held_out_spectrum_far_from_all_others_costs_its_curve_and_no_model(mixtures, kernels):
    told = []

    class Listener:
        def progress(self, stage, done, total, values=None):
            pass

        def message(self, text):
            told.append(text)

    options = {**SMALL, "kernels": kernels}
    model = VAE(**options).fit(mixtures, validation=with_reading(mixtures, 1e6), reporter=Listener())
    assert [text for text in told if "curve is left out" in text] == [told[-1]]
    assert list(model.history_.columns) == ["epoch", "loss", "reconstruction", "kl"]
    assert all(np.isfinite(values).all() for values in model.to_arrays().values())
    alone = VAE(**options).fit(mixtures)
    assert_array_equal(model.encode(mixtures).mean, alone.encode(mixtures).mean)
