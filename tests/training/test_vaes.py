import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from torch import nn

from spectra_core.contracts import Budget, Cancelled, derived_seed, random_stream
from spectra_core.errors import ConfigError, TrainingError
from spectra_core.training.plan import Plan
from spectra_core.training.vae_network import noise_of
from spectra_core.training.vae_shape import VaeLoss, VaeShape
from spectra_core.training.vaes import VaeWeights, train_vae

SEED = 7


def spectra_and_conditions(n_spectra=50, n_channels=19, n_conditions=3):
    rng = np.random.default_rng(0)
    conditions = rng.standard_normal((n_spectra, n_conditions))
    spectra = conditions @ rng.standard_normal((n_conditions, n_channels))
    return spectra + 0.1 * rng.standard_normal((n_spectra, n_channels)), conditions


def plan(steps=200, **changes):
    return Plan(Budget(steps=steps), batch_size=16, seed=SEED, **changes)


def shape_of(kind, n_channels=19):
    n_conditions = 0 if kind == "vae" else 3
    return VaeShape(n_channels, 11, 5, n_conditions, encoder_sees_conditions=kind == "cvae, encoder sees targets")


def drawn(epoch, size, dtype=torch.float64):
    """Return the documented noise of an epoch, which for every kind of number is another."""
    stream = torch.Generator().manual_seed(derived_seed(SEED, "noise", epoch))
    return torch.randn(size, generator=stream, dtype=dtype).double()


class PlainVae(nn.Module):
    """The network as anybody would write it, for autograd."""

    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        n_seen = shape.n_conditions if shape.encoder_sees_conditions else 0
        sizes = [
            (shape.n_channels + n_seen, shape.n_hidden),
            (shape.n_hidden, 2 * shape.n_latent),
            (shape.n_latent + shape.n_conditions, shape.n_hidden),
            (shape.n_hidden, shape.n_channels),
        ]
        first, posterior, unfold, spectrum = (nn.Linear(a, b, dtype=torch.float64) for a, b in sizes)
        self.encoder = nn.Sequential(first, nn.ReLU(), posterior)
        self.decoder = nn.Sequential(unfold, nn.ReLU(), spectrum)
        self.named = {
            "encoder.hidden": first,
            "encoder.posterior": posterior,
            "decoder.hidden": unfold,
            "decoder.spectrum": spectrum,
        }

    def start_like_ours(self):
        for name, linear in self.named.items():
            rng = random_stream(SEED, "initial weights", name)
            bound = 1 / np.sqrt(linear.in_features)
            with torch.no_grad():
                linear.weight.copy_(torch.tensor(rng.uniform(-bound, bound, linear.weight.shape)))
                linear.bias.copy_(torch.tensor(rng.uniform(-bound, bound, linear.bias.shape)))
        return self

    def forward(self, x, c, noise):
        seen = torch.cat([x, c], 1) if self.shape.encoder_sees_conditions else x
        mu, log_var = self.encoder(seen).chunk(2, dim=1)
        z = mu + torch.exp(log_var / 2) * noise
        if self.shape.n_conditions:
            z = torch.cat([z, c], 1)
        return self.decoder(z), mu, log_var


def plain_loss(output, x, mu, log_var, reduction, beta):
    prior = torch.distributions.Normal(0.0, 1.0)
    kl = torch.distributions.kl_divergence(torch.distributions.Normal(mu, torch.exp(log_var / 2)), prior)
    if reduction == "mean":
        return nn.functional.mse_loss(output, x) + beta * kl.mean()
    return ((output - x) ** 2).sum(1).mean() + beta * kl.sum(1).mean()


def trained_plainly(model, spectra, conditions, n_steps, reduction, beta, kind_of_noise):
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    x, c = torch.tensor(spectra), torch.tensor(conditions)
    step = epoch = 0
    losses = []
    while step < n_steps:
        epoch += 1
        order = torch.tensor(random_stream(SEED, "order", epoch).permutation(len(x)))
        noise = drawn(epoch, (len(x), model.shape.n_latent), kind_of_noise)
        batches = list(zip(torch.split(order, 16), torch.split(noise, 16), strict=True))
        for rows, eps in batches[: n_steps - step]:
            optimiser.zero_grad()
            output, mu, log_var = model(x[rows], c[rows], eps)
            loss = plain_loss(output, x[rows], mu, log_var, reduction, beta)
            loss.backward()
            optimiser.step()
            losses.append((loss.item(), len(rows)))
            step += 1
    return losses


# In float64 only the order of sums differs, by about 1e-14; compiled kernels as in `test_mlps`.
@pytest.mark.parametrize(
    ("kernels", "dtype", "difference"), [("torch", torch.float64, 1e-10), ("numba", torch.float32, 1e-4)]
)
@pytest.mark.parametrize("kind", ["vae", "cvae", "cvae, encoder sees targets"])
@pytest.mark.parametrize(("reduction", "beta"), [("mean", 1.0), ("sum", 0.3)])
def test_60_steps_equal_those_of_autograd_and_torch_adam(kind, reduction, beta, kernels, dtype, difference):
    spectra, conditions = spectra_and_conditions()
    shape = shape_of(kind)
    ours = train_vae(
        spectra,
        conditions if shape.n_conditions else None,
        shape=shape,
        loss=VaeLoss(beta, reduction),
        plan=plan(60, kernels=kernels),
        dtype=np.dtype(str(dtype).removeprefix("torch.")).type,
    )
    plain = PlainVae(shape).start_like_ours()
    losses = trained_plainly(plain, spectra, conditions, 60, reduction, beta, dtype)
    for name, linear in plain.named.items():
        assert_allclose(ours.arrays[f"{name}.weight"], linear.weight.detach(), rtol=0, atol=difference)
        assert_allclose(ours.arrays[f"{name}.bias"], linear.bias.detach(), rtol=0, atol=difference)
    first_epoch = sum(loss * n for loss, n in losses[:4]) / 50
    assert_allclose(ours.curve["loss"][0], first_epoch, rtol=difference / 100)
    parts = ours.curve["reconstruction"] + beta * ours.curve["kl"]
    assert_allclose(ours.curve["loss"], parts, rtol=difference / 100)

    x, c = torch.tensor(spectra), torch.tensor(conditions)
    with torch.no_grad():
        decoded, mu, log_var = plain(x, c, torch.zeros(50, 5, dtype=torch.float64))
    given = conditions if shape.n_conditions else None
    assert_allclose(ours.encode(spectra, given)[0], mu, rtol=0, atol=10 * difference)
    assert_allclose(ours.encode(spectra, given)[1], log_var, rtol=0, atol=10 * difference)
    assert_allclose(ours.decode(mu.numpy(), given), decoded, rtol=0, atol=10 * difference)


@pytest.mark.parametrize(
    ("shape", "n_parameters"), [(VaeShape(911), 537_925), (VaeShape(911, n_conditions=8), 539_973)]
)
def test_networks_of_the_study_have_their_number_of_parameters(shape, n_parameters):
    model = train_vae(np.zeros((4, 911)), np.zeros((4, shape.n_conditions)), shape=shape, loss=VaeLoss(), plan=plan(1))
    assert sum(array.size for array in model.arrays.values()) == n_parameters
    assert sum(parameter.numel() for parameter in PlainVae(shape).parameters()) == n_parameters
    assert shape.n_parameters == n_parameters


class KeptInMemory:
    def __init__(self):
        self.state = None

    def load(self):
        return self.state

    def save(self, state):
        self.state = state


class StopAfter:
    def __init__(self, epochs):
        self.epochs = epochs

    def progress(self, stage, done, total, values=None):
        if done >= self.epochs:
            raise Cancelled

    def message(self, text):
        pass


@pytest.mark.parametrize("kernels", ["torch", "numba"])
@pytest.mark.parametrize("stop_after", [1, 10, 13])
def test_training_resumed_after_a_stop_gives_the_same_bits(stop_after, kernels):
    spectra, _ = spectra_and_conditions()
    work = {"shape": shape_of("vae"), "loss": VaeLoss(), "validation": spectra[:10]}
    uninterrupted = train_vae(spectra, plan=plan(80, kernels=kernels), **work)
    checkpoint = KeptInMemory()
    with pytest.raises(Cancelled):
        train_vae(
            spectra, plan=plan(80, kernels=kernels), reporter=StopAfter(stop_after), checkpoint=checkpoint, **work
        )
    assert int(checkpoint.state["epochs_done"]) == stop_after
    resumed = train_vae(spectra, plan=plan(80, kernels=kernels), checkpoint=checkpoint, **work)
    assert uninterrupted.to_arrays().keys() == resumed.to_arrays().keys()
    for name, array in uninterrupted.to_arrays().items():
        assert_array_equal(array, resumed.to_arrays()[name])


def test_a_checkpoint_of_other_work_is_not_taken_up():
    spectra, _ = spectra_and_conditions()
    work = {"shape": shape_of("vae"), "loss": VaeLoss()}
    checkpoint = KeptInMemory()
    with pytest.raises(Cancelled):
        train_vae(spectra + 1, plan=plan(80), reporter=StopAfter(3), checkpoint=checkpoint, **work)
    fresh = train_vae(spectra, plan=plan(80), **work)
    assert_array_equal(
        train_vae(spectra, plan=plan(80), checkpoint=checkpoint, **work).curve["loss"], fresh.curve["loss"]
    )


def test_validation_is_drawn_and_changes_nothing():
    spectra, _ = spectra_and_conditions()
    work = {"shape": shape_of("vae"), "loss": VaeLoss(0.5), "plan": plan(40)}
    without, with_it = train_vae(spectra, **work), train_vae(spectra, validation=spectra[:9] * 2, **work)
    for name, array in without.arrays.items():
        assert_array_equal(array, with_it.arrays[name])
    curve = with_it.curve
    assert set(curve) - set(without.curve) == {"validation_loss", "validation_reconstruction", "validation_kl"}
    assert_allclose(
        curve["validation_loss"], curve["validation_reconstruction"] + 0.5 * curve["validation_kl"], rtol=1e-6
    )


def test_a_full_basis_starts_from_the_same_function_and_loss_and_takes_another_path():
    spectra, conditions = spectra_and_conditions()
    basis = np.linalg.qr(np.random.default_rng(1).standard_normal((19, 19)))[0]
    work = {"shape": shape_of("cvae, encoder sees targets"), "loss": VaeLoss(), "dtype": np.float64}
    still = {"plan": plan(1, learning_rate=1e-9), **work}
    plain, rotated = (train_vae(spectra, conditions, basis=b, **still) for b in (None, basis))
    # A step moves every weight by the rate, whatever its gradient.
    assert_allclose(plain.curve["loss"], rotated.curve["loss"], rtol=1e-6)
    assert_allclose(plain.encode(spectra, conditions)[0], rotated.encode(spectra, conditions)[0], atol=1e-6)
    point = np.random.default_rng(2).standard_normal((50, 5))
    assert_allclose(plain.decode(point, conditions), rotated.decode(point, conditions), atol=1e-6)
    moved, other = (train_vae(spectra, conditions, plan=plan(50), basis=b, **work) for b in (None, basis))
    assert np.abs(moved.decode(point, conditions) - other.decode(point, conditions)).max() > 1e-3


def test_loss_counts_what_a_small_basis_leaves_out():
    spectra, _ = spectra_and_conditions()
    basis = np.linalg.qr(np.random.default_rng(1).standard_normal((19, 2)))[0]
    model = train_vae(
        spectra, shape=shape_of("vae"), loss=VaeLoss(0.0), plan=plan(1, learning_rate=1e-9), basis=basis,
        dtype=np.float64,
    )  # fmt: skip
    order = random_stream(SEED, "order", 1).permutation(50)[:16]
    mean, log_variance = model.encode(spectra[order])
    noise = drawn(1, (50, 5))[:16].numpy()
    error = model.decode(mean + np.exp(log_variance / 2) * noise) - spectra[order]
    inside = ((error @ basis) ** 2).sum(axis=1).mean()
    outside = (spectra**2).sum(axis=1).mean() - ((spectra @ basis) ** 2).sum(axis=1).mean()
    assert_allclose(model.curve["reconstruction"], (inside + outside) / 19, rtol=1e-6)


def test_learning_rate_10_stops_with_its_cause():
    spectra, _ = spectra_and_conditions()
    with pytest.raises(TrainingError, match=r"VAE diverged in epoch 1 of 50.*learning rate 10 is likely too high"):
        train_vae(spectra, shape=shape_of("vae"), loss=VaeLoss(), plan=plan(learning_rate=10.0))


def test_model_comes_back_from_its_arrays_and_a_damaged_one_is_refused():
    spectra, _ = spectra_and_conditions()
    shape = shape_of("vae")
    model = train_vae(spectra, shape=shape, loss=VaeLoss(), plan=plan(10))
    arrays = model.to_arrays()
    again = VaeWeights.from_arrays(shape, arrays)
    assert_array_equal(again.encode(spectra)[0], model.encode(spectra)[0])
    assert_array_equal(again.curve["loss"], model.curve["loss"])
    with pytest.raises(ConfigError, match=r"'encoder\.hidden\.weight' of shape \(11, 19\), but holds nothing"):
        VaeWeights.from_arrays(shape, {})
    with pytest.raises(ConfigError, match=r"of shape \(10,\), but holds shape \(9,\)"):
        VaeWeights.from_arrays(shape, {**arrays, "encoder.posterior.bias": arrays["encoder.posterior.bias"][:-1]})
    with pytest.raises(ConfigError, match=r"'decoder\.hidden\.bias' of the stored model is not finite"):
        VaeWeights.from_arrays(shape, {**arrays, "decoder.hidden.bias": arrays["decoder.hidden.bias"] * np.nan})
    for other in (bool, np.int64, np.float16):
        with pytest.raises(ConfigError, match=rf"'decoder\.hidden\.bias' as fractions, but holds {np.dtype(other)}"):
            VaeWeights.from_arrays(
                shape, {**arrays, "decoder.hidden.bias": arrays["decoder.hidden.bias"].astype(other)}
            )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_noise_is_standard_normal_and_of_its_epoch(dtype):
    one, other = (noise_of(SEED, "noise", epoch, (2000, 30), dtype).double().numpy().ravel() for epoch in (1, 2))
    assert stats.kstest(one, "norm").pvalue > 1e-3
    assert stats.kstest(other, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(one, other)[0, 1]) < 4 / np.sqrt(one.size)  # four standard errors
