"""An epoch by TorchScript is the epoch by Python; that it is the right epoch is tested on whole trainings."""

import sys

import pytest
import torch

from spectra_core.training import torch_epochs
from spectra_core.training.products import by_onednn
from spectra_core.training.torch_epochs import in_one_call, mlp_epoch, vae_epoch

N_SPECTRA, N_CHANNELS, N_TARGETS = 50, 20, 3


def layers(draws, *shapes):
    return [[0.3 * torch.randn(shape, generator=draws) for shape in layer] for layer in shapes]


def moments(layers):
    return [[torch.zeros_like(tensor) for tensor in layer] for layer in layers]


def run(epoch, kind):
    """Return every tensor that three epochs of two full steps and one short one leave behind."""
    draws = torch.Generator().manual_seed(0)
    spectra, targets = (torch.randn(N_SPECTRA, n, generator=draws) for n in (N_CHANNELS, N_TARGETS))
    order, noise = torch.randperm(N_SPECTRA, generator=draws), torch.randn(N_SPECTRA, 4, generator=draws)
    if kind == "regressors":
        ours = layers(draws, [(3 * 8, 20)], [(3, 5, 8), (3, 5, 1)], [(3, 1, 5), (3, 1, 1)])
        given = (spectra, targets, order, 20)
    else:
        seen = N_CHANNELS + N_TARGETS
        ours = layers(draws, [(9, seen), (9,)], [(8, 9), (8,)], [(9, 4 + N_TARGETS), (9,)], [(N_CHANNELS, 9), (20,)])
        given = (spectra, targets, order, noise, 20, True, (0.1, 0.2))
    state = ours, moments(ours), moments(ours), torch.tensor(0.0)
    with torch.no_grad():
        parts = [epoch(*given, *state, [1e-2, 1e-2, 5e-3], onednn) for onednn in (False, False, by_onednn(spectra))]
    return [*parts, state[3], *(tensor for which in state[:3] for layer in which for tensor in layer)]


@pytest.mark.parametrize(("epoch", "kind"), [(mlp_epoch, "regressors"), (vae_epoch, "autoencoder")])
def test_in_one_call_every_bit_is_the_same(epoch, kind):
    scripted = in_one_call(epoch)
    if sys.version_info < (3, 14):
        assert isinstance(scripted, torch.jit.ScriptFunction)
    for found, expected in zip(run(scripted, kind), run(epoch, kind), strict=True):
        assert torch.equal(found, expected)


def test_where_torch_cannot_script_python_runs_the_epoch(monkeypatch):
    def refuse(_):
        raise RuntimeError("not for this Python")

    monkeypatch.setattr(torch.jit, "script", refuse)
    torch_epochs._scripted.cache_clear()
    try:
        assert in_one_call(mlp_epoch) is mlp_epoch
    finally:
        torch_epochs._scripted.cache_clear()
