import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from spectra_core.contracts import Budget, Cancelled, random_stream
from spectra_core.errors import ConfigError, TrainingError
from spectra_core.training.mlps import MlpWeights, train_mlps
from spectra_core.training.plan import Plan


def linear_problem(n_spectra=70, n_inputs=23, n_targets=3, seed=0):
    rng = np.random.default_rng(seed)
    inputs = rng.standard_normal((n_spectra, n_inputs))
    return inputs, np.tanh(inputs @ rng.standard_normal((n_inputs, n_targets)))


def trained(inputs, targets, **changes):
    return train_mlps(inputs, targets, **{"budget": Budget(steps=200), "seed": 4, "hidden": (9, 5), **changes})


def initial_networks(n_inputs, hidden, n_targets, seed):
    """Plain nets with the documented start: one stream per net, layer by layer, weight then bias."""
    networks = []
    for number in range(n_targets):
        rng = random_stream(seed, "initial weights", number)
        modules = []
        for a, b in zip((n_inputs, *hidden), (*hidden, 1), strict=True):
            linear = nn.Linear(a, b, dtype=torch.float64)
            with torch.no_grad():
                linear.weight.copy_(torch.tensor(rng.uniform(-1, 1, (b, a)) / np.sqrt(a)))
                linear.bias.copy_(torch.tensor(rng.uniform(-1, 1, b) / np.sqrt(a)))
            modules += [linear, nn.ReLU()]
        networks.append(nn.Sequential(*modules[:-1]))
    return networks


def trained_alone(network, inputs, target, n_steps, batch_size, seed, schedule):
    """Train one net as anybody would in PyTorch, with the same order of spectra."""
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, n_steps)
    x, t = torch.tensor(inputs), torch.tensor(target)[:, None]
    step = epoch = 0
    while step < n_steps:
        epoch += 1
        order = random_stream(seed, "order", epoch).permutation(len(x))
        for rows in torch.split(torch.tensor(order), batch_size)[: n_steps - step]:
            optimiser.zero_grad()
            nn.functional.mse_loss(network(x[rows]), t[rows]).backward()
            optimiser.step()
            if schedule == "cosine":
                cosine.step()
            step += 1
    return network


# In float64 only the order of sums differs, by about 1e-14. Compiled kernels are compared in the float32 that they are
# used in: to compile them for another kind of number takes longer than all these tests.
ROUNDED = pytest.mark.parametrize(
    ("kernels", "dtype", "difference"), [("torch", np.float64, 1e-10), ("numba", np.float32, 1e-4)]
)


@ROUNDED
@pytest.mark.parametrize(("hidden", "schedule"), [((9, 5), "constant"), ((7,), "cosine"), ((6, 10, 4), "cosine")])
def test_fused_networks_equal_networks_trained_alone(hidden, schedule, kernels, dtype, difference):
    inputs, targets = linear_problem()
    steps = Budget(steps=60)
    fused = trained(inputs, targets, budget=steps, dtype=dtype, hidden=hidden, schedule=schedule, kernels=kernels)
    networks = initial_networks(inputs.shape[1], hidden, targets.shape[1], seed=4)
    for number, network in enumerate(networks):
        alone = trained_alone(network, inputs, targets[:, number], 60, 32, 4, schedule)
        for ours, theirs in zip(fused.network(number).parameters(), alone.parameters(), strict=True):
            assert_allclose(ours.detach(), theirs.detach(), rtol=0, atol=difference)
        assert_allclose(
            fused.predict(inputs)[:, number], alone(torch.tensor(inputs)).detach()[:, 0], rtol=0, atol=difference
        )


def test_network_of_the_study_has_59425_parameters():
    weights = train_mlps(np.zeros((4, 911)), np.zeros((4, 8)), budget=Budget(steps=1), seed=0)
    assert weights.n_parameters == 59_425
    assert sum(p.numel() for p in weights.network(0).parameters()) == 59_425
    assert len(weights.weights[0]) == 8


@ROUNDED
@pytest.mark.parametrize("batch_size", [5, 40, 70, 1_000_000])
def test_batches_of_any_size_equal_networks_trained_alone(batch_size, kernels, dtype, difference):
    inputs, targets = linear_problem()
    fused = trained(inputs, targets, dtype=dtype, batch_size=batch_size, budget=Budget(steps=40), kernels=kernels)
    for number, network in enumerate(initial_networks(23, (9, 5), 3, seed=4)):
        alone = trained_alone(network, inputs, targets[:, number], 40, batch_size, 4, "constant")
        assert_allclose(
            fused.predict(inputs)[:, number], alone(torch.tensor(inputs)).detach()[:, 0], rtol=0, atol=difference
        )


@pytest.mark.parametrize("kernels", ["torch", "numba"])
def test_one_seed_gives_the_same_bits_and_another_seed_others(kernels):
    inputs, targets = linear_problem()
    one, again, other = (trained(inputs, targets, seed=seed, kernels=kernels) for seed in (1, 1, 2))
    for name, array in one.to_arrays().items():
        assert_array_equal(array, again.to_arrays()[name])
    assert not np.array_equal(one.predict(inputs), other.predict(inputs))


def test_a_full_basis_changes_the_path_but_a_step_of_size_zero_shows_the_same_function():
    inputs, targets = linear_problem()
    basis = np.linalg.qr(np.random.default_rng(1).standard_normal((23, 23)))[0]
    tiny = {"dtype": np.float64, "learning_rate": 1e-9, "budget": Budget(steps=1)}
    plain, rotated = trained(inputs, targets, **tiny), trained(inputs, targets, basis=basis, **tiny)
    # A step moves every weight by the rate, whatever its gradient.
    assert_allclose(plain.predict(inputs), rotated.predict(inputs), rtol=0, atol=1e-6)
    moved = trained(inputs, targets, basis=basis, dtype=np.float64)
    assert np.abs(moved.predict(inputs) - trained(inputs, targets, dtype=np.float64).predict(inputs)).max() > 1e-3


def test_loss_of_a_step_is_the_mean_squared_error_before_it():
    inputs, targets = linear_problem(n_spectra=30)
    weights = trained(inputs, targets, budget=Budget(steps=1), dtype=np.float64)
    networks = initial_networks(23, (9, 5), 3, seed=4)
    before = np.column_stack([net(torch.tensor(inputs)).detach()[:, 0] for net in networks])
    assert_allclose(weights.loss, ((before - targets) ** 2).mean(axis=0)[None], rtol=1e-12)


def test_networks_come_back_from_their_arrays():
    inputs, targets = linear_problem()
    weights = trained(inputs, targets)
    assert_array_equal(MlpWeights.from_arrays(weights.to_arrays()).predict(inputs), weights.predict(inputs))


def test_stored_networks_that_do_not_fit_are_refused():
    inputs, targets = linear_problem()
    arrays = trained(inputs, targets).to_arrays()
    with pytest.raises(ConfigError, match=r"lack 'layer2\.bias'"):
        MlpWeights.from_arrays({name: array for name, array in arrays.items() if name != "layer2.bias"})
    with pytest.raises(ConfigError, match="do not fit the layer before"):
        MlpWeights.from_arrays({**arrays, "layer2.weight": arrays["layer2.weight"][:, :, 1:]})
    with pytest.raises(ConfigError, match="is not finite"):
        MlpWeights.from_arrays({**arrays, "layer1.bias": arrays["layer1.bias"] * np.nan})


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (
            10.0,
            r"epoch 1 of 67: the error is more than 1000 times that of predicting the mean.*learning rate 10 is likely",
        ),
        (1e6, r"epoch 1 of 67: the (loss is no|error is more).*learning rate 1e\+06 is likely too high; try 0\.001"),
    ],
)
@pytest.mark.parametrize("kernels", ["torch", "numba"])
def test_a_diverging_training_stops_with_epoch_and_learning_rate(rate, text, kernels):
    inputs, targets = linear_problem()
    with pytest.raises(TrainingError, match=r"Training regressors diverged in " + text):
        trained(inputs, targets, learning_rate=rate, kernels=kernels)


def test_numba_where_it_is_missing_is_refused_with_what_to_do(monkeypatch):
    monkeypatch.setattr("spectra_core.training.plan.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r'numba is not installed.*choose kernels="torch"'):
        Plan(Budget(epochs=1), kernels="numba")


def test_cancel_is_obeyed_after_the_first_epoch():
    class Impatient:
        calls = 0

        def progress(self, stage, done, total, values=None):
            self.calls += 1
            assert (stage, done, total) == ("Training regressors", 1, 67)
            assert np.isfinite(values["loss"])
            raise Cancelled

        def message(self, text):
            pass

    impatient = Impatient()
    with pytest.raises(Cancelled):
        trained(*linear_problem(), reporter=impatient)
    assert impatient.calls == 1
