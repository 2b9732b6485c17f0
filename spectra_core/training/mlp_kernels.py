"""An epoch of regression networks, compiled (`kernels`)."""

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
"""Digest of `kernels.py`, which numba does not look at: what it kept of this file is good for these kernels alone."""

SPECTRA_AT_ONCE = 1024
"""In the steps of one regressor before the next has its turn: twice 4 MB at the study's size."""


@compiled
def mlp_epoch(
    inputs: Array, targets: Array, order: Array, batch_size: int, widths: Array, state: Any, rates: Array,
    scales: Array, constants: Any,
) -> Array:  # fmt: skip
    """Do all steps of an epoch of all regressors.

    Parameters
    ----------
    inputs : (n_spectra, n_inputs)
        Standardised.
    targets : (n_spectra, n_networks)
    order : (n_rows,)
        Rows of all steps, one batch after the other.
    widths : (n_layers,)
        Units of each layer; the last is 1.
    state
        Flat parameters, first and second moments: of the first layer weights and bias of each unit of each network,
        of each later layer weights (n_networks, n_outputs, n_inputs), then biases (n_networks, n_outputs).
    rates, scales : (n_steps,)
        As in `adam`.
    constants
        Both decays and epsilon of `adam`.

    Returns
    -------
    ndarray (n_networks,)
        Squared errors, summed over the rows.
    """
    kind, n_inputs, n_networks = state[0].dtype, inputs.shape[1], targets.shape[1]
    n_columns = whole(batch_size, COLUMNS)
    most = min(max(1, SPECTRA_AT_ONCE // n_columns), rates.size)
    x = np.zeros((most, n_columns, whole(n_inputs, COLUMNS)), kind)
    turned, t = np.zeros((most, n_inputs, n_columns), kind), np.zeros((most, n_networks, n_columns), kind)
    tall, wide = whole(widths.max(), ROWS), whole(max(n_inputs, widths.max()), COLUMNS)
    room = (
        np.zeros((widths.size, tall, n_columns), kind),
        np.zeros((2, tall, n_columns), kind),
        np.zeros((n_columns, wide), kind),
        np.zeros(tall, kind),
        np.zeros((ROWS, wide), kind),
    )
    total = np.zeros(n_networks)
    for begin in range(0, rates.size, most):
        n_steps = min(most, rates.size - begin)
        for step in range(n_steps):
            at = (begin + step) * batch_size
            rows = order[at : at + batch_size]
            gather(inputs, rows, x[step], turned[step])
            for row in range(rows.size):
                for net in range(n_networks):
                    t[step, net, row] = targets[rows[row], net]
        for net in range(n_networks):
            for step in range(n_steps):
                n = min(batch_size, order.size - (begin + step) * batch_size)
                pace = rates[begin + step], scales[begin + step], constants
                total[net] += _mlp_step(
                    x[step], turned[step], t[step, net], n, net, n_networks, widths, state, room, pace
                )
    return total


@compiled
def _mlp_step(
    x: Array, turned: Array, target: Array, n: int, net: int, n_networks: int, widths: Array, state: Any, room: Any,
    pace: Any,
) -> Any:  # fmt: skip
    """Take one step of one network; return the sum of its `n` squared errors. Later columns count for nothing."""
    hidden, deltas, rows, nought, block = room
    values, n_inputs, n_layers = state[0], turned.shape[0], widths.size
    zero, start = values.dtype.type(0), 0
    for layer in range(n_layers):
        n_in, n_out = (n_inputs if layer == 0 else widths[layer - 1]), widths[layer]
        place = _place(layer, start, net, n_networks, n_in, n_out)
        forward(values, place, n_out, turned if layer == 0 else hidden[layer - 1, :n_in], hidden[layer])
        if layer < n_layers - 1:
            relu(hidden[layer, :n_out])
        start += n_networks * n_out * (n_in + 1)

    loss, share, delta = zero, values.dtype.type(2.0 / n), deltas[0, :1]
    for column in range(delta.shape[1]):
        error = hidden[n_layers - 1, 0, column] - target[column] if column < n else zero
        loss += error * error
        delta[0, column] = share * error  # gradient of the mean of squares

    for layer in range(n_layers - 1, -1, -1):
        n_in, n_out = (n_inputs if layer == 0 else widths[layer - 1]), widths[layer]
        start -= n_networks * n_out * (n_in + 1)
        place = _place(layer, start, net, n_networks, n_in, n_out)
        back = deltas[(n_layers - layer) % 2]
        if layer > 0:
            below = hidden[layer - 1, :n_in]
            pull_back(values, place, n_in, delta, below, nought, back)
            turn(below, rows)
        descend(state, place, n_in, delta, x if layer == 0 else rows, nought, block, pace)
        delta = back[:n_in] if layer > 0 else delta
    return loss


@compiled
def _place(layer: int, start: int, net: int, n_networks: int, n_in: int, n_out: int) -> Any:
    """Return the place, as in `forward`, of one network in a layer whose parameters begin at `start`."""
    if layer == 0:
        at = start + net * n_out * (n_in + 1)
        return at, n_in + 1, at + n_in, n_in + 1
    return start + net * n_out * n_in, n_in, start + n_networks * n_out * n_in + net * n_out, 1
