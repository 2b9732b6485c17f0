"""An epoch of training in torch's operations, with gradients and Adam written out; `kernels` holds the compiled twins.

Layers are lists of one or two tensors, weight and bias, all of them changed in place. The optimiser updates a layer as
soon as its gradient is there, while that lies in the processor's caches, and after the gradient has been taken further.
"""

import threading
import warnings
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from spectra_core.training.adam import DECAY_FIRST, DECAY_SECOND, EPSILON
from spectra_core.training.products import product

_compiling = threading.Lock()


def in_one_call(epoch: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return a function of this module as TorchScript runs it, or itself where this torch cannot.

    It computes the same to the bit, but holds Python's lock only at its ends: trainings side by side in threads do not
    wait for each other some fifty times a step.
    """
    with _compiling:
        return _scripted(epoch)


@cache
def _scripted(epoch: Callable[..., Tensor]) -> Callable[..., Tensor]:
    with warnings.catch_warnings():
        # Torch wants programs to move on to its compiler, which needs one for C++ on every visitor's machine.
        warnings.simplefilter("ignore")
        try:
            scripted: Callable[..., Tensor] = torch.jit.script(epoch)
        except (RuntimeError, OSError, AttributeError):  # not for this Python; no source at hand; gone from torch
            return epoch
    return scripted


def _descend(
    layer: list[Tensor], first: list[Tensor], second: list[Tensor], gradient: list[Tensor], count: Tensor, rate: float,
    keep_first: float = DECAY_FIRST, keep_second: float = DECAY_SECOND, epsilon: float = EPSILON,
) -> None:  # fmt: skip
    """Move a layer by one step of Adam (Kingma & Ba, ICLR 2015), its `count`-th."""
    counts = [count] * len(layer)
    torch._fused_adam_(
        layer, gradient, first, second, [], counts, lr=rate, beta1=keep_first, beta2=keep_second, weight_decay=0.0,
        eps=epsilon, amsgrad=False, maximize=False,
    )  # fmt: skip


def mlp_epoch(
    inputs: Tensor, targets: Tensor, order: Tensor, batch_size: int, layers: list[list[Tensor]],
    first: list[list[Tensor]], second: list[list[Tensor]], count: Tensor, rates: list[float], onednn: bool,
) -> Tensor:  # fmt: skip
    """Do the first steps of an epoch of all regressors, as many as there are rates.

    Parameters
    ----------
    inputs : (n_spectra, n_inputs)
        Standardised, the last input 1: its weight is the bias.
    targets : (n_spectra, n_networks)
    order : (n_spectra,)
        Rows of all steps, one batch after the other.
    batch_size
        Spectra per step; the last step of an epoch takes what is left.
    layers
        First ``[weight (n_networks * width, n_inputs)]``, then ``[weight (n_networks, n_outputs, n_inputs), bias
        (n_networks, n_outputs, 1)]`` each.
    first, second
        Moments of Adam in the same shapes.
    count : ()
        Steps done so far; raised in place.
    rates
        Learning rate of each step.
    onednn
        As in `products.product`.

    Returns
    -------
    Tensor, (n_networks,)
        Squared errors, summed over the rows seen.
    """
    n_networks, last = targets.size(1), len(layers) - 1
    squares = torch.zeros(n_networks, dtype=targets.dtype)
    for number, rate in enumerate(rates):
        rows = order[number * batch_size : (number + 1) * batch_size]
        n = rows.size(0)
        x = inputs.index_select(0, rows)
        hidden = product(layers[0][0], x, None, onednn).relu_().view(n_networks, -1, n)
        activations = [hidden]  # (n_networks, width, n): one column per spectrum
        for layer in layers[1:]:
            hidden = torch.baddbmm(layer[1], layer[0], hidden)
            if len(activations) < last:
                hidden = hidden.relu_()
            activations.append(hidden)
        error = activations[last] - targets.index_select(0, rows).t().unsqueeze(1)
        squares += error.square().sum(dim=(1, 2))

        count += 1
        delta = error * (2.0 / n)  # gradient of the mean of squares, with respect to the output
        for above in range(last):
            at = last - above
            below = activations[at - 1]
            gradient = [torch.bmm(delta, below.transpose(1, 2)), delta.sum(dim=2, keepdim=True)]
            pulled = torch.bmm(layers[at][0].transpose(1, 2), delta)
            delta = torch.ops.aten.threshold_backward(pulled, below, 0.0)  # through the ReLU
            _descend(layers[at], first[at], second[at], gradient, count, rate)
        _descend(layers[0], first[0], second[0], [product(delta.view(-1, n), x.t(), None, onednn)], count, rate)
    return squares


def vae_epoch(
    spectra: Tensor, conditions: Tensor, order: Tensor, noise: Tensor, batch_size: int, encoder_sees_conditions: bool,
    weights: tuple[float, float], layers: list[list[Tensor]], first: list[list[Tensor]], second: list[list[Tensor]],
    count: Tensor, rates: list[float], onednn: bool,
) -> Tensor:  # fmt: skip
    """Do the first steps of an epoch of an autoencoder, as many as there are rates.

    Parameters
    ----------
    spectra : (n_spectra, n_channels)
        Standardised.
    conditions : (n_spectra, n_conditions)
        No columns for the unconditional form.
    order : (n_spectra,)
        Rows of all steps, one batch after the other.
    noise : (n_spectra, n_latent)
        Of the rows in this order.
    batch_size
        Spectra per step; the last step of an epoch takes what is left.
    encoder_sees_conditions
        Whether they are inputs of the encoder too.
    weights
        Of the slope of squared errors and of the divergence, summed over channels and over latent dimensions.
    layers
        ``[weight (n_outputs, n_inputs), bias (n_outputs,)]`` of each of `vae_shape.LAYERS`.
    first, second, count, rates, onednn
        As in `mlp_epoch`.

    Returns
    -------
    Tensor, (2,)
        Squared error and divergence, summed over the rows seen.
    """
    n_latent = noise.size(1)
    parts = torch.zeros(2, dtype=spectra.dtype)
    for number, rate in enumerate(rates):
        start, stop = number * batch_size, (number + 1) * batch_size
        rows, draw = order[start:stop], noise[start:stop]
        n = rows.size(0)
        x, c = spectra.index_select(0, rows), conditions.index_select(0, rows)

        through = vae_forward(x, c, draw, encoder_sees_conditions, layers, onednn)
        seen, hidden, mean, log_variance, point, unfolded, error = through
        variance = log_variance.exp()
        kl = 0.5 * (mean.square() + variance - 1.0 - log_variance).sum()
        parts += torch.stack([error.square().sum(), kl])

        count += 1
        kl_weight = weights[1] / n
        delta = error * (weights[0] / n)
        gradient = _gradient(delta, unfolded, onednn)
        pulled = product(delta, layers[3][0].t(), None, onednn)
        _descend(layers[3], first[3], second[3], gradient, count, rate)

        delta = torch.ops.aten.threshold_backward(pulled, unfolded, 0.0)  # through the ReLU
        gradient = _gradient(delta, point, onednn)
        pulled = product(delta, layers[2][0].t(), None, onednn)[:, :n_latent]
        _descend(layers[2], first[2], second[2], gradient, count, rate)

        # point = mean + exp(v/2) * noise, so its derivative by v is half of (point - mean).
        to_log_variance = 0.5 * (pulled * (point[:, :n_latent] - mean) + kl_weight * (variance - 1.0))
        delta = torch.cat([pulled + kl_weight * mean, to_log_variance], dim=1)
        gradient = _gradient(delta, hidden, onednn)
        pulled = product(delta, layers[1][0].t(), None, onednn)
        _descend(layers[1], first[1], second[1], gradient, count, rate)

        delta = torch.ops.aten.threshold_backward(pulled, hidden, 0.0)
        _descend(layers[0], first[0], second[0], _gradient(delta, seen, onednn), count, rate)
    return parts


def vae_forward(
    x: Tensor, c: Tensor, noise: Tensor, encoder_sees_conditions: bool, layers: list[list[Tensor]], onednn: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Take spectra through an autoencoder; arguments as in `vae_epoch`.

    Returns
    -------
    tuple of Tensor, one row per spectrum each
        What the encoder sees, its hidden layer, mean and log-variance of the posterior, the point that the decoder
        sees, its hidden layer, and the error of the reconstruction.
    """
    n_latent = noise.size(1)
    seen = torch.cat([x, c], dim=1) if encoder_sees_conditions else x
    hidden = product(seen, layers[0][0], layers[0][1], onednn).relu_()
    posterior = product(hidden, layers[1][0], layers[1][1], onednn)
    mean, log_variance = posterior[:, :n_latent], posterior[:, n_latent:]
    point = torch.addcmul(mean, torch.exp(0.5 * log_variance), noise)
    if c.size(1) > 0:
        point = torch.cat([point, c], dim=1)
    unfolded = product(point, layers[2][0], layers[2][1], onednn).relu_()
    return seen, hidden, mean, log_variance, point, unfolded, product(unfolded, layers[3][0], layers[3][1], onednn) - x


def _gradient(delta: Tensor, inputs: Tensor, onednn: bool) -> list[Tensor]:
    """Return the gradients of weight and bias of a layer, from that of its outputs (n, n_outputs)."""
    return [product(delta.t(), inputs.t(), None, onednn), delta.sum(dim=0)]
