"""An epoch of an autoencoder, compiled (`kernels`)."""

from typing import Any

import numpy as np

from spectra_core.training.kernels import (
    COLUMNS,
    ROWS,
    Array,
    compiled,
    descend,
    forward,
    gather,
    pull_back,
    relu,
    turn,
    whole,
)

KERNELS = "7b2080adf861a3fb"
"""Digest of `kernels.py`, as in `mlp_kernels`."""


@compiled
def draw_points(posterior: Array, noise: Array, n: int, point: Array, deviation: Array) -> Any:
    """Draw a latent point for each of the first `n` spectra, one column per spectrum throughout.

    Parameters
    ----------
    posterior : (2 n_latent, n_columns)
        Means, then log-variances.
    noise : (n_latent, n_columns)
        Standard normal.
    point : (at least n_latent, n_columns)
        Written.
    deviation : (n_latent, n_columns)
        Written: standard deviations.

    Returns
    -------
    float
        Divergence from N(0, 1) in nats, summed.
    """
    n_latent = noise.shape[0]
    half, one, total = posterior.dtype.type(0.5), posterior.dtype.type(1), posterior.dtype.type(0)
    for i in range(n_latent):
        for column in range(noise.shape[1]):
            deviation[i, column] = np.exp(half * posterior[n_latent + i, column])
    for i in range(n_latent):
        for column in range(n):
            mean, spread = posterior[i, column], deviation[i, column]
            point[i, column] = mean + spread * noise[i, column]
            total += mean * mean + spread * spread - one - posterior[n_latent + i, column]
    return half * total


@compiled
def error_gradient(spectrum: Array, target: Array, n: int, factor: Any) -> Any:
    """Replace decoded spectra (n_channels, n_columns) by `factor` times their error, and columns from n on by zeros.

    Returns the sum of squared errors.
    """
    zero = spectrum.dtype.type(0)
    total = zero
    for i in range(spectrum.shape[0]):
        for column in range(spectrum.shape[1]):
            error = spectrum[i, column] - target[i, column] if column < n else zero
            total += error * error
            spectrum[i, column] = factor * error
    return total


@compiled
def posterior_gradient(
    d_point: Array, posterior: Array, deviation: Array, noise: Array, n: int, weight: Any, delta: Array
) -> None:
    """Write the gradient with respect to means and log-variances to `delta`, zeros in columns from n on.

    `d_point` (at least n_latent, n_columns) is the gradient of the reconstruction with respect to the latent points,
    `weight` that of the divergence; `delta` is as `posterior`, the rest as in `draw_points`.
    """
    n_latent = noise.shape[0]
    half, one, zero = posterior.dtype.type(0.5), posterior.dtype.type(1), posterior.dtype.type(0)
    for i in range(n_latent):
        for column in range(noise.shape[1]):
            slope, spread = d_point[i, column], deviation[i, column]
            by_mean = slope + weight * posterior[i, column]
            # point = mean + exp(v/2) noise, so its derivative by v is exp(v/2) noise / 2.
            by_log_variance = half * (slope * spread * noise[i, column] + weight * (spread * spread - one))
            delta[i, column] = by_mean if column < n else zero
            delta[n_latent + i, column] = by_log_variance if column < n else zero


@compiled
def gather_conditions(
    conditions: Array, rows: Array, x: Array, seen: Array, point: Array, n_channels: int, n_latent: int
) -> None:
    """Copy conditions behind the latent coordinates, and behind the channels where `seen` has room for them."""
    for row in range(rows.size):
        for i in range(conditions.shape[1]):
            condition = conditions[rows[row], i]
            point[n_latent + i, row] = condition
            if seen.shape[0] > n_channels:
                x[row, n_channels + i] = condition
                seen[n_channels + i, row] = condition


@compiled
def vae_epoch(
    spectra: Array, conditions: Array, order: Array, noise: Array, batch_size: int, n_hidden: int,
    encoder_sees_conditions: bool, weights: Any, state: Any, rates: Array, scales: Array, constants: Any,
) -> Array:  # fmt: skip
    """Do all steps of an epoch of an autoencoder; arguments as in `mlp_epoch`.

    `noise` (n_rows, n_latent) is in the order of the steps; `weights` are those of the squared error and of the
    divergence, summed over the rows of a batch. Returns the squared error and the divergence, summed over all rows.
    """
    kind = state[0].dtype
    (n_channels, n_conditions), n_latent = (spectra.shape[1], conditions.shape[1]), noise.shape[1]
    n_seen, n_point = n_channels + n_conditions * encoder_sees_conditions, n_latent + n_conditions
    # Of each layer weights (n_outputs, n_inputs), then biases.
    encoder_hidden = 0, n_seen, n_hidden * n_seen, 1
    at = n_hidden * (n_seen + 1)
    encoder_posterior = at, n_hidden, at + 2 * n_latent * n_hidden, 1
    at += 2 * n_latent * (n_hidden + 1)
    decoder_hidden = at, n_point, at + n_hidden * n_point, 1
    at += n_hidden * (n_point + 1)
    decoder_spectrum = at, n_hidden, at + n_channels * n_hidden, 1

    n_columns, widest = whole(batch_size, COLUMNS), max(n_seen, n_hidden, 2 * n_latent, n_point)
    x, seen = np.zeros((n_columns, whole(n_seen, COLUMNS)), kind), np.zeros((n_seen, n_columns), kind)
    hidden = np.zeros((whole(n_hidden, ROWS), n_columns), kind)
    posterior = np.zeros((whole(2 * n_latent, ROWS), n_columns), kind)
    drawn, deviation = np.zeros((n_latent, n_columns), kind), np.zeros((n_latent, n_columns), kind)
    point, unfolded = np.zeros((n_point, n_columns), kind), np.zeros((whole(n_hidden, ROWS), n_columns), kind)
    spectrum, delta = np.zeros((whole(n_channels, ROWS), n_columns), kind), np.zeros((2 * n_latent, n_columns), kind)
    back, d_point = (
        np.zeros((whole(n_hidden, ROWS), n_columns), kind),
        np.zeros((whole(n_point, ROWS), n_columns), kind),
    )
    inputs, block = np.zeros((n_columns, whole(widest, COLUMNS)), kind), np.zeros((ROWS, whole(widest, COLUMNS)), kind)
    nought, nothing = np.zeros(whole(max(widest, n_channels), ROWS), kind), np.zeros((0, n_columns), kind)
    folds, unfolds = hidden[:n_hidden], unfolded[:n_hidden]
    total = np.zeros(2)
    for step in range(rates.size):
        begin = step * batch_size
        rows = order[begin : begin + batch_size]
        n = rows.size
        pace = rates[step], scales[step], constants
        gather(spectra, rows, x, seen)
        gather_conditions(conditions, rows, x, seen, point, n_channels, n_latent)
        turn(noise[begin : begin + n], drawn)

        forward(state[0], encoder_hidden, n_hidden, seen, hidden)
        relu(folds)
        forward(state[0], encoder_posterior, 2 * n_latent, folds, posterior)
        total[1] += draw_points(posterior, drawn, n, point, deviation)
        forward(state[0], decoder_hidden, n_hidden, point, unfolded)
        relu(unfolds)
        forward(state[0], decoder_spectrum, n_channels, unfolds, spectrum)

        error = spectrum[:n_channels]
        total[0] += error_gradient(error, seen, n, kind.type(weights[0] / n))
        pull_back(state[0], decoder_spectrum, n_hidden, error, unfolds, nought, back)
        turn(unfolds, inputs)
        descend(state, decoder_spectrum, n_hidden, error, inputs, nought, block, pace)
        pull_back(state[0], decoder_hidden, n_latent, back[:n_hidden], nothing, nought, d_point)
        turn(point, inputs)
        descend(state, decoder_hidden, n_point, back[:n_hidden], inputs, nought, block, pace)
        posterior_gradient(d_point, posterior, deviation, drawn, n, kind.type(weights[1] / n), delta)
        pull_back(state[0], encoder_posterior, n_hidden, delta, folds, nought, back)
        turn(folds, inputs)
        descend(state, encoder_posterior, n_hidden, delta, inputs, nought, block, pace)
        descend(state, encoder_hidden, n_seen, back[:n_hidden], x, nought, block, pace)
    return total
