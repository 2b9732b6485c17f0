"""The ways of training that `training.py` compares: the natural loop, scikit-learn, JAX, and this program's engine."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from spectra_core.contracts import Budget, Reporter
from spectra_core.training.mlps import train_mlps
from spectra_core.training.plan import Kernels, Plan
from spectra_core.training.vae_shape import VaeLoss, VaeShape
from spectra_core.training.vaes import train_vae

BATCH, HIDDEN, N_HIDDEN, N_LATENT = 32, (64, 16), 256, 91
Loss = Callable[[Tensor, Tensor], Tensor]
Train = Callable[[Reporter], object]


@dataclass(frozen=True)
class Problem:
    """Standardised spectra and targets of one fold."""

    spectra: np.ndarray
    targets: np.ndarray
    epochs: int

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Numbers of spectra, channels and targets."""
        return (*self.spectra.shape, self.targets.shape[1])


def natural_loop(
    model: nn.Module, loss_of: Callable[[Tensor, Tensor], Tensor], one: Tensor, other: Tensor, n: int
) -> None:
    """What anybody would write."""
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(TensorDataset(one, other), batch_size=BATCH, shuffle=True)
    for _ in range(n):
        total = 0.0
        for rows, labels in loader:
            optimiser.zero_grad()
            loss = loss_of(rows, labels)
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimiser.step()
            total += loss.item()


def natural_mlps(problem: Problem, _: Reporter) -> None:
    """Train one network after the other."""
    n_channels = problem.sizes[1]
    x, t = torch.tensor(problem.spectra), torch.tensor(problem.targets)
    for target in range(t.shape[1]):
        layers = [
            nn.Linear(n_channels, HIDDEN[0]), nn.ReLU(), nn.Linear(*HIDDEN), nn.ReLU(), nn.Linear(HIDDEN[1], 1)
        ]  # fmt: skip
        net = nn.Sequential(*layers)
        natural_loop(net, lambda x, t, net=net: nn.functional.mse_loss(net(x), t), x, t[:, [target]], problem.epochs)


class PlainVae(nn.Module):
    """The study's VAE, or cVAE with `n_conditions` decoder inputs, as modules."""

    def __init__(self, n_channels: int, n_conditions: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(n_channels, N_HIDDEN), nn.ReLU(), nn.Linear(N_HIDDEN, 2 * N_LATENT))
        self.decoder = nn.Sequential(
            nn.Linear(N_LATENT + n_conditions, N_HIDDEN), nn.ReLU(), nn.Linear(N_HIDDEN, n_channels)
        )

    def loss(self, x: Tensor, c: Tensor) -> Tensor:
        """Mean squared error plus mean divergence."""
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        kl = -0.5 * torch.mean(1 + log_variance - mean**2 - log_variance.exp())
        loss: Tensor = nn.functional.mse_loss(self.decoder(torch.cat([z, c], dim=1)), x) + kl
        return loss


def natural_vae(problem: Problem, _: Reporter, *, conditional: bool) -> None:
    """Train the VAE or the cVAE."""
    x, c = torch.tensor(problem.spectra), torch.tensor(problem.targets if conditional else problem.targets[:, :0])
    model = PlainVae(x.shape[1], c.shape[1])
    natural_loop(model, model.loss, x, c, problem.epochs)


def sklearn_mlps(problem: Problem, _: Reporter) -> None:
    """Train scikit-learn's networks, without its early stopping."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPRegressor

    for target in problem.targets.T:
        stop = {"max_iter": problem.epochs, "n_iter_no_change": 10**6, "tol": 0.0}
        net = MLPRegressor(hidden_layer_sizes=HIDDEN, alpha=0.0, batch_size=BATCH, **stop)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            net.fit(problem.spectra, target)


def jax_mlps(problem: Problem) -> Train:
    """Return training of all networks by jit, vmap and scan; compiled before it is timed."""
    import jax
    import jax.numpy as jnp

    n, n_channels, n_targets = problem.sizes
    n_steps = n // BATCH  # scan takes whole batches only

    def start(key: Any) -> Any:
        widths = (n_channels, *HIDDEN, 1)
        keys = jax.random.split(key, len(widths) - 1)
        return [
            (jax.random.uniform(k, (a, b), minval=-1.0, maxval=1.0) / a**0.5, jnp.zeros(b))
            for k, (a, b) in zip(keys, pairwise(widths), strict=True)
        ]

    def loss(net: Any, x: Any, t: Any) -> Any:
        *hidden, (last, bias) = net
        for weight, b in hidden:
            x = jax.nn.relu(x @ weight + b)
        return jnp.mean(((x @ last + bias)[:, 0] - t) ** 2)

    gradients = jax.vmap(jax.grad(loss), in_axes=(0, None, 1))

    def step(state: Any, rows: Any) -> tuple[Any, None]:
        nets, first, second, count = state
        slope = gradients(nets, spectra[rows], targets[rows])
        count = count + 1
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, slope)
        second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, slope)
        correction = jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        nets = jax.tree.map(lambda p, m, v: p - 1e-3 * correction * m / (jnp.sqrt(v) + 1e-8), nets, first, second)
        return (nets, first, second, count), None

    spectra, targets = jnp.asarray(problem.spectra), jnp.asarray(problem.targets)
    epoch = jax.jit(lambda state, order: jax.lax.scan(step, state, order)[0])

    def train(_: Reporter) -> None:
        nets = jax.vmap(start)(jax.random.split(jax.random.key(0), n_targets))
        zeros = jax.tree.map(jnp.zeros_like, nets)
        state = (nets, zeros, zeros, jnp.zeros(()))
        for number in range(problem.epochs):
            order = jax.random.permutation(jax.random.key(number), n)[: n_steps * BATCH].reshape(n_steps, BATCH)
            state = epoch(state, order)
        jax.block_until_ready(state)

    return train


def engine_mlps(problem: Problem, reporter: Reporter, *, kernels: Kernels, basis: np.ndarray | None = None) -> None:
    """Train by this program."""
    budget = Budget(epochs=problem.epochs)
    train_mlps(problem.spectra, problem.targets, budget=budget, kernels=kernels, basis=basis, reporter=reporter)


def engine_vae(
    problem: Problem, reporter: Reporter, *, conditional: bool, kernels: Kernels, basis: np.ndarray | None = None
) -> None:
    """Train the VAE or the cVAE by this program."""
    _, n_channels, n_targets = problem.sizes
    shape = VaeShape(n_channels, N_HIDDEN, N_LATENT, n_targets if conditional else 0)
    plan = Plan(Budget(epochs=problem.epochs), BATCH, kernels=kernels)
    targets = problem.targets if conditional else None
    train_vae(problem.spectra, targets, shape=shape, loss=VaeLoss(), plan=plan, basis=basis, reporter=reporter)


def has_jax() -> bool:
    """Tell whether JAX is installed; it is no requirement of anything here."""
    return find_spec("jax") is not None
