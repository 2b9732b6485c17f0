"""How fast the training engine is beside the loop anybody would write in PyTorch, and beside the machine's limit.

    PYTHONPATH=. python benchmarks/training.py --epochs 3 --repeats 5

Natural loop, engine on one core and engine on all cores take turns, with the rate of a large matrix product (sgemm)
measured in the same minutes, since a busy machine slows all of them. One row per network; "epoch" is one pass
over one fold, and all eight regression networks of the fold count as one. The data are random numbers of the
study's size: speed does not depend on their values.
"""

import argparse
import os
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from spectra_core.contracts import SILENT, Budget, Reporter
from spectra_core.training.mlps import train_mlps
from spectra_core.training.parallel import run_in_threads
from spectra_core.training.plan import Plan
from spectra_core.training.vae_shape import VaeLoss, VaeShape
from spectra_core.training.vaes import train_vae

N_CHANNELS, N_TARGETS, BATCH, HIDDEN, N_HIDDEN, N_LATENT = 911, 8, 32, (64, 16), 256, 91


class PlainMlp(nn.Module):
    """One of the study's regressors."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(N_CHANNELS, HIDDEN[0]), nn.ReLU(), nn.Linear(*HIDDEN), nn.ReLU(), nn.Linear(HIDDEN[1], 1)
        )

    def loss(self, x: Tensor, t: Tensor) -> Tensor:
        """Mean squared error."""
        return nn.functional.mse_loss(self.layers(x), t)


class PlainVae(nn.Module):
    """The study's VAE, or cVAE with `n_conditions` decoder inputs, as modules."""

    def __init__(self, n_conditions: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(N_CHANNELS, N_HIDDEN), nn.ReLU(), nn.Linear(N_HIDDEN, 2 * N_LATENT))
        self.decoder = nn.Sequential(
            nn.Linear(N_LATENT + n_conditions, N_HIDDEN), nn.ReLU(), nn.Linear(N_HIDDEN, N_CHANNELS)
        )

    def loss(self, x: Tensor, c: Tensor) -> Tensor:
        """Mean squared error plus mean divergence."""
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        kl = -0.5 * torch.mean(1 + log_variance - mean**2 - log_variance.exp())
        loss: Tensor = nn.functional.mse_loss(self.decoder(torch.cat([z, c], dim=1)), x) + kl
        return loss


def natural(model: nn.Module, loss_of: Callable[[Tensor, Tensor], Tensor], x: Tensor, t: Tensor, epochs: int) -> None:
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(TensorDataset(x, t), batch_size=BATCH, shuffle=True)
    for _ in range(epochs):
        total = 0.0
        for rows, targets in loader:
            optimiser.zero_grad()
            loss = loss_of(rows, targets)
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimiser.step()
            total += loss.item()


def natural_mlps(x: Tensor, t: Tensor, epochs: int) -> None:
    for target in range(N_TARGETS):
        net = PlainMlp()
        natural(net, net.loss, x, t[:, [target]], epochs)


def natural_vae(x: Tensor, c: Tensor, epochs: int) -> None:
    model = PlainVae(c.shape[1])
    natural(model, model.loss, x, c, epochs)


def engine_mlps(x: np.ndarray, t: np.ndarray, epochs: int, reporter: Reporter) -> None:
    train_mlps(x, t, hidden=HIDDEN, budget=Budget(epochs=epochs), batch_size=BATCH, seed=0, reporter=reporter)


def engine_vae(x: np.ndarray, c: np.ndarray, epochs: int, reporter: Reporter) -> None:
    shape = VaeShape(N_CHANNELS, N_HIDDEN, N_LATENT, c.shape[1])
    train_vae(x, c, shape=shape, loss=VaeLoss(), plan=Plan(Budget(epochs=epochs), BATCH), reporter=reporter)


def flop_per_spectrum(layers: list[tuple[int, int]]) -> int:
    """Products and sums of one training step: forward, weights' gradient, and inputs' gradient but of the first."""
    first, *others = (n_inputs * n_outputs for n_inputs, n_outputs in layers)
    return 4 * first + 6 * sum(others)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def sgemm_rate(n_threads: int, size: int = 1024, repeats: int = 10) -> float:
    """Rate of large float32 products in FLOP/s, one numerical thread in each of `n_threads` Python threads."""
    begin = threading.Barrier(n_threads)
    spent = []

    def multiply(_: Reporter) -> None:
        one, other, product = torch.ones(size, size), torch.ones(size, size), torch.empty(size, size)
        torch.mm(one, other, out=product)
        begin.wait()
        spent.append(seconds(lambda: [torch.mm(one, other, out=product) for _ in range(repeats)]))

    run_in_threads([multiply] * n_threads, n_threads)
    return sum(repeats * 2.0 * size**3 / each for each in spent)


@dataclass(frozen=True)
class Case:
    """One network, or all regressors of a fold, and both ways of training it."""

    name: str
    layers: list[tuple[int, int]]
    n_networks: int
    natural: Callable[[], None]
    engine: Callable[[Reporter], None]


def table_row(case: Case, options: argparse.Namespace) -> str:
    """Return medians over the rounds; ratios and shares are taken within each round."""
    workers, per_epoch = options.workers, 1.0 / options.epochs
    flop = float(options.spectra * case.n_networks * flop_per_spectrum(case.layers))
    case.engine(SILENT)
    rounds = []
    for _ in range(options.repeats):
        limit_one, limit_all = sgemm_rate(1), sgemm_rate(workers)
        slow = seconds(case.natural) * per_epoch
        one = seconds(lambda: case.engine(SILENT)) * per_epoch
        every = seconds(lambda: run_in_threads([case.engine] * workers, workers)) * per_epoch / workers
        shares = flop / one / limit_one, flop / every / limit_all
        rounds.append((slow, one, every, slow / one, slow / every, *shares, limit_one, limit_all))
    slow, one, every, *ratios, share_one, share_all, limit_one, limit_all = map(
        statistics.median, zip(*rounds, strict=True)
    )
    cells = [case.name, *(f"{1e3 * value:.0f}" for value in (slow, one, every)), *(f"{r:.1f}x" for r in ratios)]
    cells += [f"{100 * share:.0f} %" for share in (share_one, share_all)]
    cells += [f"{limit / 1e9:.0f}" for limit in (limit_one, limit_all)]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spectra", type=int, default=3744 * 7 // 8, help="training spectra of a fold")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--natural-threads", type=int, default=1, help="more gain nothing beside other work")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="folds at a time")
    options = parser.parse_args()
    n, epochs = options.spectra, options.epochs
    rng = np.random.default_rng(0)
    x, t = (rng.standard_normal((n, width), dtype=np.float32) for width in (N_CHANNELS, N_TARGETS))
    none = np.empty((n, 0), dtype=np.float32)
    xt, tt, nt = torch.tensor(x), torch.tensor(t), torch.tensor(none)
    torch.set_num_threads(options.natural_threads)  # the engine has one per worker whatever this says
    mlp = [(N_CHANNELS, HIDDEN[0]), HIDDEN, (HIDDEN[1], 1)]
    vae, cvae = (list(VaeShape(N_CHANNELS, N_HIDDEN, N_LATENT, n).layers.values()) for n in (0, N_TARGETS))
    cases = [
        Case(
            f"{N_TARGETS} regressors",
            mlp,
            N_TARGETS,
            lambda: natural_mlps(xt, tt, epochs),
            lambda told: engine_mlps(x, t, epochs, told),
        ),
        Case(
            "VAE", vae, 1, lambda: natural_vae(xt, nt, epochs), lambda reporter: engine_vae(x, none, epochs, reporter)
        ),
        Case("cVAE", cvae, 1, lambda: natural_vae(xt, tt, epochs), lambda reporter: engine_vae(x, t, epochs, reporter)),
    ]
    w = options.workers
    print(f"{n} x {N_CHANNELS}, batch {BATCH}, float32, torch {torch.__version__}; natural loop with ", end="")
    print(f"{options.natural_threads} numerical thread(s), engine with one per worker; medians of {options.repeats}")
    heads = ["one epoch of a fold", "natural, ms", "engine x1, ms", f"engine x{w}, ms", "ratio x1", f"ratio x{w}"]
    heads += ["share of sgemm x1", f"share of sgemm x{w}", "sgemm x1, GFLOP/s", f"sgemm x{w}, GFLOP/s"]
    print("| " + " | ".join(heads) + " |")
    print("|---" * len(heads) + "|")
    for case in cases:
        print(table_row(case, options), flush=True)


if __name__ == "__main__":
    main()
