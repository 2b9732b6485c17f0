"""The small parts of training, compiled by numba: what torch does in many short calls is one loop here.

A whole epoch is one call that never takes Python's lock, so that trainings side by side do not wait for each
other. Matrix products are those of scipy's BLAS library. The first call compiles for this
processor, some seconds; the result is kept on disk where a folder is writable, and read from there in later runs.
Rounding differs from torch's in the last digit, so `Plan.kernels`, which says who computes, decides the bits of a
result. All functions write into arrays that are handed in, and release Python's lock.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
import scipy.linalg  # noqa: F401 (loads the BLAS library whose products numba calls)
from numpy.typing import NDArray

Array = NDArray[Any]
Function = TypeVar("Function", bound=Callable[..., Any])

_FREEDOMS = {"reassoc", "contract", "arcp", "nsz"}
"""What lets sums use all lanes of the processor. Not among them: that no value is nan or infinite, since a training
that diverges must be seen to."""


def _compiled(function: Function) -> Function:
    options: dict[str, Any] = {"error_model": "numpy", "nogil": True, "fastmath": _FREEDOMS}
    try:
        made: Function = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no writable folder for the cache: compiles in every process
        made = numba.njit(**options)(function)
    return made


@_compiled
def adam(
    values: Array, gradient: Array, first: Array, second: Array, decay_first: Any, decay_second: Any, rate: Any,
    scale: Any, epsilon: Any,
) -> None:  # fmt: skip
    """Move `values` by one step of Adam (Kingma & Ba, ICLR 2015), all arrays (n_parameters,).

    `rate` is the learning rate over 1 - decay_first^t, `scale` is 1/sqrt(1 - decay_second^t).
    """
    one = values.dtype.type(1)
    for i in range(values.size):
        slope = gradient[i]
        first[i] = decay_first * first[i] + (one - decay_first) * slope
        second[i] = decay_second * second[i] + (one - decay_second) * slope * slope
        values[i] -= rate * first[i] / (np.sqrt(second[i]) * scale + epsilon)


@_compiled
def add_product(a: Array, b: Array, out: Array) -> None:
    """Add the matrix product a b to `out`; eight rows of b at a time, so that `out` is read and written less often."""
    n_inner, n_columns = b.shape
    in_eights = n_inner - n_inner % 8
    for row in range(a.shape[0]):
        for k in range(0, in_eights, 8):
            a0, a1, a2, a3 = a[row, k], a[row, k + 1], a[row, k + 2], a[row, k + 3]
            a4, a5, a6, a7 = a[row, k + 4], a[row, k + 5], a[row, k + 6], a[row, k + 7]
            for c in range(n_columns):
                first = a0 * b[k, c] + a1 * b[k + 1, c] + a2 * b[k + 2, c] + a3 * b[k + 3, c]
                second = a4 * b[k + 4, c] + a5 * b[k + 5, c] + a6 * b[k + 6, c] + a7 * b[k + 7, c]
                out[row, c] += first + second
        for k in range(in_eights, n_inner):
            for c in range(n_columns):
                out[row, c] += a[row, k] * b[k, c]


@_compiled
def upper_layers(
    first_hidden: Array, targets: Array, widths: Array, values: Array, gradient: Array, delta: Array, loss: Array
) -> None:
    """Take all layers but the first, of all networks, forward and backward.

    Parameters
    ----------
    first_hidden : (n_networks, widths[0], n_rows)
        Activations of the first hidden layer, after the ReLU.
    targets : (n_rows, n_networks)
    widths : (n_layers,)
        Units of the first hidden layer and of all later ones; the last is 1.
    values, gradient
        Flat parameters of these layers, layer by layer weights (n_networks, n_outputs, n_inputs), then biases
        (n_networks, n_outputs), and where their gradient is written.
    delta : (n_networks, widths[0], n_rows)
        Written: the gradient with respect to the first hidden layer before its ReLU.
    loss : (n_networks,)
        Written: the sum of squared errors.
    """
    n_networks, _, n_rows = first_hidden.shape
    n_layers, widest = widths.size, widths.max()
    hidden = np.empty((n_layers, widest, n_rows), values.dtype)  # activations per layer of one network
    above = np.empty((widest, n_rows), values.dtype)
    scratch = np.empty(n_rows * widest, values.dtype)
    zero, share = values.dtype.type(0), values.dtype.type(2.0 / n_rows)
    gradient[:] = zero
    for net in range(n_networks):
        hidden[0, : widths[0]] = first_hidden[net]
        start = 0
        for layer in range(1, n_layers):
            n_in, n_out = widths[layer - 1], widths[layer]
            at, bias = start + net * n_out * n_in, start + n_networks * n_out * n_in + net * n_out
            output = hidden[layer, :n_out]
            for unit in range(n_out):
                output[unit] = values[bias + unit]
            weight = values[at : at + n_out * n_in].reshape(n_out, n_in)
            add_product(weight, hidden[layer - 1, :n_in], output)
            if layer < n_layers - 1:
                for unit in range(n_out):
                    for row in range(n_rows):
                        output[unit, row] = max(output[unit, row], zero)
            start += n_networks * n_out * (n_in + 1)

        total = zero
        for row in range(n_rows):
            error = hidden[n_layers - 1, 0, row] - targets[row, net]
            total += error * error
            above[0, row] = share * error  # gradient of the mean of squares
        loss[net] = total

        for layer in range(n_layers - 1, 0, -1):
            n_in, n_out = widths[layer - 1], widths[layer]
            start -= n_networks * n_out * (n_in + 1)
            at, bias = start + net * n_out * n_in, start + n_networks * n_out * n_in + net * n_out
            below = hidden[layer - 1, :n_in]
            for unit in range(n_out):
                total = zero
                for row in range(n_rows):
                    total += above[unit, row]
                gradient[bias + unit] = total
            turned = scratch[: n_in * n_rows].reshape(n_rows, n_in)
            for row in range(n_rows):
                for unit in range(n_in):
                    turned[row, unit] = below[unit, row]
            slope = gradient[at : at + n_out * n_in].reshape(n_out, n_in)
            add_product(above[:n_out], turned, slope)
            weight = values[at : at + n_out * n_in].reshape(n_out, n_in)
            back = delta[net] if layer == 1 else scratch[: n_in * n_rows].reshape(n_in, n_rows)
            back[:] = zero
            add_product(weight.T, above[:n_out], back)
            for unit in range(n_in):
                for row in range(n_rows):
                    back[unit, row] = back[unit, row] if below[unit, row] > zero else zero  # through the ReLU
            if layer > 1:
                above[:n_in] = back


@_compiled
def draw_points(
    posterior: Array, noise: Array, conditions: Array, point: Array, deviation: Array, divergence: Array
) -> None:
    """Draw one latent point per spectrum from its posterior.

    Parameters
    ----------
    posterior : (n_rows, 2 n_latent)
        Means, then log-variances.
    noise : (n_rows, n_latent)
        Standard normal.
    conditions : (n_rows, n_conditions)
        Copied behind the latent coordinates.
    point : (n_rows, n_latent + n_conditions)
        Written.
    deviation : (n_rows, n_latent)
        Written: standard deviations.
    divergence : (1,)
        Written: divergence from N(0, 1) in nats, summed.
    """
    n_rows, n_latent = noise.shape
    half, one, total = posterior.dtype.type(0.5), posterior.dtype.type(1), posterior.dtype.type(0)
    for row in range(n_rows):
        for i in range(n_latent):
            deviation[row, i] = np.exp(half * posterior[row, n_latent + i])
        for i in range(n_latent):
            mean, spread = posterior[row, i], deviation[row, i]
            point[row, i] = mean + spread * noise[row, i]
            total += mean * mean + spread * spread - one - posterior[row, n_latent + i]
        for i in range(conditions.shape[1]):
            point[row, n_latent + i] = conditions[row, i]
    divergence[0] = half * total


@_compiled
def error_gradient(spectrum: Array, target: Array, factor: Any, bias_gradient: Array, squares: Array) -> None:
    """Replace decoded spectra (n_rows, n_channels) by `factor` times their error.

    The sums over rows are written to `bias_gradient` (n_channels,), the sum of squared errors to `squares` (1,).
    """
    total = spectrum.dtype.type(0)
    bias_gradient[:] = total
    for row in range(spectrum.shape[0]):
        for i in range(spectrum.shape[1]):
            error = spectrum[row, i] - target[row, i]
            total += error * error
            spectrum[row, i] = factor * error
            bias_gradient[i] += spectrum[row, i]
    squares[0] = total


@_compiled
def through_relu(delta: Array, activation: Array, bias_gradient: Array) -> None:
    """Zero `delta` (n_rows, n_units) where the unit was off; write its sums over rows to `bias_gradient` (n_units,)."""
    zero = delta.dtype.type(0)
    bias_gradient[:] = zero
    for row in range(delta.shape[0]):
        for i in range(delta.shape[1]):
            delta[row, i] = delta[row, i] if activation[row, i] > zero else zero
            bias_gradient[i] += delta[row, i]


@_compiled
def posterior_gradient(
    d_point: Array, posterior: Array, deviation: Array, noise: Array, weight: Any, delta: Array, bias_gradient: Array
) -> None:
    """Write the gradient with respect to means and log-variances, and its sums over rows.

    `d_point` (n_rows, at least n_latent) is the gradient of the reconstruction with respect to the latent points,
    `weight` that of the divergence; `delta` is (n_rows, 2 n_latent) as `posterior`, the rest as in `draw_points`.
    """
    n_rows, n_latent = noise.shape
    half, one = posterior.dtype.type(0.5), posterior.dtype.type(1)
    bias_gradient[:] = posterior.dtype.type(0)
    for row in range(n_rows):
        for i in range(n_latent):
            slope, spread = d_point[row, i], deviation[row, i]
            delta[row, i] = slope + weight * posterior[row, i]
            # point = mean + exp(v/2) noise, so its derivative by v is exp(v/2) noise / 2.
            by_log_variance = slope * spread * noise[row, i] + weight * (spread * spread - one)
            delta[row, n_latent + i] = half * by_log_variance
        for i in range(2 * n_latent):
            bias_gradient[i] += delta[row, i]


@_compiled
def add_bias(values: Array, bias: Array, relu: bool) -> None:
    """Add `bias` (n_units,) to `values` (n_rows, n_units), and zero what is negative where `relu`."""
    zero = values.dtype.type(0)
    for row in range(values.shape[0]):
        for i in range(values.shape[1]):
            value = values[row, i] + bias[i]
            values[row, i] = max(value, zero) if relu else value


@_compiled
def mlp_epoch(
    inputs: Array, targets: Array, order: Array, batch_size: int, widths: Array, state: Any, rates: Array,
    scales: Array, constants: Any,
) -> Array:  # fmt: skip
    """Do all steps of an epoch of the fused regressors.

    Parameters
    ----------
    inputs : (n_spectra, n_inputs + 1)
        Standardised, with a last column of ones.
    targets : (n_spectra, n_networks)
    order : (n_rows,)
        Rows of all steps, one batch after the other.
    widths
        As in `upper_layers`.
    state
        Flat parameters, gradient, first and second moment.
    rates, scales : (n_steps,)
        As in `adam`.
    constants
        Both decays and epsilon of `adam`.

    Returns
    -------
    ndarray (n_networks,)
        Squared errors, summed over the rows.
    """
    values, gradient, first, second = state
    n_networks, n_inputs = targets.shape[1], inputs.shape[1]
    n_units = n_networks * widths[0]
    n_first = n_units * n_inputs
    weight, slope = values[:n_first].reshape(n_units, n_inputs), gradient[:n_first].reshape(n_units, n_inputs)
    x_all, t_all = np.empty((batch_size, n_inputs), values.dtype), np.empty((batch_size, n_networks), values.dtype)
    hidden_all, delta_all = np.empty(n_units * batch_size, values.dtype), np.empty(n_units * batch_size, values.dtype)
    zero, loss, total = values.dtype.type(0), np.empty(n_networks, values.dtype), np.zeros(n_networks)
    for step in range(rates.size):
        rows = order[step * batch_size : (step + 1) * batch_size]
        n = rows.size
        x, t = x_all[:n], t_all[:n]
        for row in range(n):
            x[row] = inputs[rows[row]]
            t[row] = targets[rows[row]]
        hidden = hidden_all[: n_units * n].reshape(n_units, n)
        delta = delta_all[: n_units * n].reshape(n_units, n)
        np.dot(weight, x.T, hidden)
        for unit in range(n_units):
            for row in range(n):
                hidden[unit, row] = max(hidden[unit, row], zero)
        shape = (n_networks, widths[0], n)
        upper_layers(hidden.reshape(shape), t, widths, values[n_first:], gradient[n_first:], delta.reshape(shape), loss)
        np.dot(delta, x, slope)
        adam(values, gradient, first, second, constants[0], constants[1], rates[step], scales[step], constants[2])
        total += loss
    return total


@_compiled
def _windows(flat: Array, n_seen: int, n_hidden: int, n_latent: int, n_point: int, n_channels: int) -> Any:
    """Return weight (n_outputs, n_inputs) and bias of each layer of an autoencoder, as windows into `flat`."""
    a = n_hidden * n_seen
    b = a + n_hidden
    c = b + 2 * n_latent * n_hidden
    d = c + 2 * n_latent
    e = d + n_hidden * n_point
    f = e + n_hidden
    h = f + n_channels * n_hidden
    return (
        flat[:a].reshape(n_hidden, n_seen),
        flat[a:b],
        flat[b:c].reshape(2 * n_latent, n_hidden),
        flat[c:d],
        flat[d:e].reshape(n_hidden, n_point),
        flat[e:f],
        flat[f:h].reshape(n_channels, n_hidden),
        flat[h:],
    )


@_compiled
def vae_epoch(
    spectra: Array, conditions: Array, order: Array, noise: Array, batch_size: int, n_hidden: int,
    encoder_sees_conditions: bool, weights: Any, state: Any, rates: Array, scales: Array, constants: Any,
) -> Array:  # fmt: skip
    """Do all steps of an epoch of an autoencoder; arguments as in `mlp_epoch`.

    `noise` (n_rows, n_latent) is in the order of the steps; `weights` are those of the squared error and of the
    divergence, summed over the rows of a batch. Returns the squared error and the divergence, summed over all rows.
    """
    values, gradient, first, second = state
    (n_channels, n_conditions), n_latent = (spectra.shape[1], conditions.shape[1]), noise.shape[1]
    n_seen, n_point = n_channels + n_conditions * encoder_sees_conditions, n_latent + n_conditions
    w = _windows(values, n_seen, n_hidden, n_latent, n_point, n_channels)
    g = _windows(gradient, n_seen, n_hidden, n_latent, n_point, n_channels)
    kind = values.dtype
    x_all, c_all = np.empty((batch_size, n_channels), kind), np.empty((batch_size, n_conditions), kind)
    seen_all, hidden_all = np.empty((batch_size, n_seen), kind), np.empty((batch_size, n_hidden), kind)
    posterior_all, delta_all = np.empty((batch_size, 2 * n_latent), kind), np.empty((batch_size, 2 * n_latent), kind)
    point_all, deviation_all = np.empty((batch_size, n_point), kind), np.empty((batch_size, n_latent), kind)
    unfolded_all, spectrum_all = np.empty((batch_size, n_hidden), kind), np.empty((batch_size, n_channels), kind)
    back_all, d_point_all = np.empty((batch_size, n_hidden), kind), np.empty((batch_size, n_point), kind)
    parts, total = np.empty(2, kind), np.zeros(2)
    for step in range(rates.size):
        start = step * batch_size
        rows = order[start : start + batch_size]
        n = rows.size
        x, c, seen, drawn = x_all[:n], c_all[:n], seen_all[:n], noise[start : start + n]
        for row in range(n):
            x[row] = spectra[rows[row]]
            c[row] = conditions[rows[row]]
            seen[row, :n_channels] = x[row]
            if encoder_sees_conditions:
                seen[row, n_channels:] = c[row]
        hidden, posterior, delta, point = hidden_all[:n], posterior_all[:n], delta_all[:n], point_all[:n]
        unfolded, spectrum, back, d_point = unfolded_all[:n], spectrum_all[:n], back_all[:n], d_point_all[:n]
        deviation = deviation_all[:n]

        np.dot(seen, w[0].T, hidden)
        add_bias(hidden, w[1], True)
        np.dot(hidden, w[2].T, posterior)
        add_bias(posterior, w[3], False)
        draw_points(posterior, drawn, c, point, deviation, parts[1:])
        np.dot(point, w[4].T, unfolded)
        add_bias(unfolded, w[5], True)
        np.dot(unfolded, w[6].T, spectrum)
        add_bias(spectrum, w[7], False)

        error_gradient(spectrum, x, kind.type(weights[0] / n), g[7], parts[:1])
        np.dot(spectrum.T, unfolded, g[6])
        np.dot(spectrum, w[6], back)
        through_relu(back, unfolded, g[5])
        np.dot(back.T, point, g[4])
        np.dot(back, w[4], d_point)
        posterior_gradient(d_point, posterior, deviation, drawn, kind.type(weights[1] / n), delta, g[3])
        np.dot(delta.T, hidden, g[2])
        np.dot(delta, w[2], back)
        through_relu(back, hidden, g[1])
        np.dot(back.T, seen, g[0])
        adam(values, gradient, first, second, constants[0], constants[1], rates[step], scales[step], constants[2])
        total += parts
    return total
