"""Training compiled by numba: an epoch is one call that never takes Python's lock.

Networks of this size multiply with batches of 32 columns, which general BLAS libraries do at half their rate: they
first rearrange both factors in memory. Here a tile of the result stays in the processor's registers while it is summed,
and one factor is kept so that it needs no rearranging. Adam follows the gradient of a few units at a time, so no
gradient is stored. Regressors are independent: each takes many steps before the next has its turn, while its weights
and moments stay in the processor's caches.

The first call compiles for this processor, some seconds; the result is kept on disk where a folder is writable, and
read from there in later runs. All compiled code is in this one file, whose content decides whether what was kept is
still good. Rounding differs from torch's in the last digit, so `Plan.kernels`, which says who computes, decides the
bits of a result. Every element of a product is summed in the order of the inner dimension, so bits depend neither on
the size of tiles nor on addresses.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numpy.typing import NDArray

Array = NDArray[Any]
Function = TypeVar("Function", bound=Callable[..., Any])

_WIDE = binding.get_host_cpu_features().get("avx512f", False)
ROWS, COLUMNS = (8, 32) if _WIDE else (4, 16)
"""Of a tile: its sums, a few columns and a factor fit into 32 registers of 64 bytes, or else 16 of 32 bytes."""
_REGISTER_BYTES = 64 if _WIDE else 32

_FREEDOMS = {"reassoc", "contract", "arcp", "nsz"}
"""What lets sums use all lanes of the processor. Not among them: that no value is nan or infinite, since a training
that diverges must be seen to."""

SPECTRA_AT_ONCE = 1024
"""In the steps of one regressor before the next has its turn: twice 4 MB at the study's size."""


def compiled(function: Function) -> Function:
    """Compile at the first call, for the kinds of its arguments, releasing Python's lock; keep the result on disk."""
    options: dict[str, Any] = {"error_model": "numpy", "nogil": True, "fastmath": _FREEDOMS}
    try:
        made: Function = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no writable folder for the cache: compiles in every process
        made = numba.njit(**options)(function)
    return made


@intrinsic  # type: ignore[untyped-decorator]  # numba leaves it untyped
def _tile(_: Any, a: Any, start: Any, b: Any, out: Any, row: Any, column: Any, out_row: Any) -> Any:  # noqa: ARG001
    """Write out[out_row : out_row + ROWS, column : column + COLUMNS] = start + a[row : row + ROWS] b[:, column : …].

    `a` (n, n_inner) may have any strides; rows beyond its last repeat the last. `start` (n,) is added to each row of
    the product. The columns of `b` and `out` lie side by side in memory, and are whole tiles of them.
    """
    signature = types.void(a, start, b, out, types.intp, types.intp, types.intp)
    return signature, _tile_code


def _tile_code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    kinds = signature.args
    a, start, b, out = (
        context.make_array(kind)(context, builder, argument)
        for kind, argument in zip(kinds[:4], arguments, strict=False)
    )
    row, column, out_row = arguments[4:]
    scalar, size = context.get_value_type(kinds[0].dtype), kinds[0].dtype.bitwidth // 8
    vector = ir.VectorType(scalar, _REGISTER_BYTES // size)
    n_vectors = COLUMNS // vector.count
    integer = row.type
    in_all_lanes = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)

    def address(array: Any, i: Any, j: Any, kind: Any = scalar) -> Any:
        row_stride, *column_stride = cgutils.unpack_tuple(builder, array.strides)
        offset = builder.mul(i, row_stride)
        if column_stride:
            offset = builder.add(offset, builder.mul(j, column_stride[0]))
        data = builder.bitcast(array.data, ir.IntType(8).as_pointer())
        return builder.bitcast(builder.gep(data, [offset]), kind.as_pointer())

    def spread(value: Any) -> Any:
        undefined = ir.Constant(vector, ir.Undefined)
        first = builder.insert_element(undefined, value, ir.IntType(32)(0))
        return builder.shuffle_vector(first, undefined, in_all_lanes)

    n_rows, n_inner = cgutils.unpack_tuple(builder, a.shape)
    last = builder.sub(n_rows, integer(1))
    rows = [builder.add(row, integer(j)) for j in range(ROWS)]
    rows = [builder.select(builder.icmp_signed("<", each, n_rows), each, last) for each in rows]
    sums = [[cgutils.alloca_once(builder, vector) for _ in range(n_vectors)] for _ in range(ROWS)]
    for each, its_sums in zip(rows, sums, strict=True):
        first = spread(builder.load(address(start, each, None)))
        for each_sum in its_sums:
            builder.store(first, each_sum)
    places = [builder.add(column, integer(v * vector.count)) for v in range(n_vectors)]
    with cgutils.for_range(builder, n_inner, intp=integer) as loop:
        factors = [builder.load(address(b, loop.index, place, vector), align=size) for place in places]
        for each, its_sums in zip(rows, sums, strict=True):
            value = spread(builder.load(address(a, each, loop.index)))
            for each_sum, factor in zip(its_sums, factors, strict=True):
                product = builder.fmul(value, factor, flags=("contract",))
                builder.store(builder.fadd(builder.load(each_sum), product, flags=("contract",)), each_sum)
    for j, its_sums in enumerate(sums):
        to = builder.add(out_row, integer(j))
        for each_sum, place in zip(its_sums, places, strict=True):
            builder.store(builder.load(each_sum), address(out, to, place, vector), align=size)
    return context.get_dummy_value()


@compiled
def whole(n: int, part: int) -> int:
    """Return the smallest multiple of `part` that is not below `n`."""
    return -(-n // part) * part


@compiled
def product(a: Array, start: Array, b: Array, out: Array) -> None:
    """Write the matrix product a b, plus `start` (n,) in every column, to `out`.

    Parameters
    ----------
    a : (n, n_inner)
        Of any strides.
    b : (n_inner, n_columns)
        Of a multiple of COLUMNS columns; contiguous.
    out : (at least n, in whole ROWS; n_columns)
        Contiguous; what is beyond row n is of no meaning afterwards.
    """
    for row in range(0, a.shape[0], ROWS):
        for column in range(0, b.shape[1], COLUMNS):
            _tile(a, start, b, out, row, column, row)


@compiled
def adam(state: Any, at: int, n: int, gradient: Array, pace: Any) -> None:
    """Move parameters at : at + n by one step of Adam (Kingma & Ba, ICLR 2015) along `gradient` (at least n,).

    `state` are the flat parameters, first and second moments. `pace` are the learning rate over 1 - decay_first^t,
    1/sqrt(1 - decay_second^t), and the constants decay_first, decay_second and epsilon.
    """
    values, first, second = state
    rate, scale, (keep_first, keep_second, epsilon) = pace
    value, mean, square = values[at : at + n], first[at : at + n], second[at : at + n]
    one = values.dtype.type(1)
    for i in range(n):
        slope = gradient[i]
        mean[i] = keep_first * mean[i] + (one - keep_first) * slope
        square[i] = keep_second * square[i] + (one - keep_second) * slope * slope
        value[i] -= rate * mean[i] / (np.sqrt(square[i]) * scale + epsilon)


@compiled
def forward(values: Array, place: Any, n_units: int, below: Array, out: Array) -> None:
    """Write the outputs of a layer to `out`, before any ReLU.

    Parameters
    ----------
    values
        Flat parameters.
    place
        Where the layer lies in them: the weights of unit u begin at place[0] + u * place[1], its bias is at
        place[2] + u * place[3].
    n_units
        Of the layer.
    below : (n_inputs, n_columns)
        Its inputs, one column per spectrum.
    out
        As in `product`.
    """
    at, stride, bias, bias_stride = place
    weight = values[at : at + n_units * stride].reshape(n_units, stride)[:, : below.shape[0]]
    product(weight, values[bias : bias + (n_units - 1) * bias_stride + 1 : bias_stride], below, out)


@compiled
def pull_back(values: Array, place: Any, n_inputs: int, delta: Array, below: Array, nought: Array, out: Array) -> None:
    """Write the gradient with respect to the layer below, through its ReLU where `below` holds its activations.

    Parameters
    ----------
    values, place
        As in `forward`.
    n_inputs
        Of this layer that belong to the one below.
    delta : (n_units, n_columns)
        Gradient with respect to the outputs of this layer, before its own ReLU.
    below : (n_inputs, n_columns)
        Activations; of no rows where there is no ReLU.
    nought : (at least n_inputs,)
        Zeros.
    out : (at least n_inputs, in whole ROWS; n_columns)
        Overwritten.
    """
    n_units = delta.shape[0]
    at, stride = place[0], place[1]
    weight = values[at : at + n_units * stride].reshape(n_units, stride)[:, :n_inputs]
    product(weight.T, nought, delta, out)
    slope, active, zero = out.reshape(-1), below.reshape(-1), values.dtype.type(0)
    for i in range(active.size):
        slope[i] = slope[i] if active[i] > zero else zero


@compiled
def descend(
    state: Any, place: Any, n_inputs: int, delta: Array, inputs: Array, nought: Array, block: Array, pace: Any
) -> None:
    """Move weights and biases of one layer by a step of Adam.

    Parameters
    ----------
    state
        Flat parameters, first and second moments.
    place, n_inputs, delta, nought
        As in `pull_back`.
    inputs : (n_columns, at least n_inputs, in whole COLUMNS)
        One row per spectrum.
    block : (ROWS, at least as many columns as `inputs` needs)
        Overwritten: the gradient of a few units at a time.
    pace
        `rate`, `scale` and `constants` of `adam`.
    """
    at, stride, bias, bias_stride = place
    n_units, width = delta.shape[0], whole(n_inputs, COLUMNS)
    flat = block.reshape(-1)[: ROWS * width]
    narrow = flat.reshape(ROWS, width)
    for unit in range(0, n_units, ROWS):
        n_rows, start = min(ROWS, n_units - unit), at + unit * stride
        for column in range(0, n_inputs, COLUMNS):
            _tile(delta, nought, inputs, narrow, unit, column, 0)
        if stride == width:  # one after the other without a gap
            adam(state, start, n_rows * width, flat, pace)
        else:
            for row in range(n_rows):
                adam(state, start + row * stride, n_inputs, narrow[row], pace)
    for unit in range(n_units):
        total = delta.dtype.type(0)
        for column in range(delta.shape[1]):
            total += delta[unit, column]
        block[0, 0] = total
        adam(state, bias + unit * bias_stride, 1, block[0], pace)


@compiled
def relu(values: Array) -> None:
    """Zero what is negative in `values`, contiguous."""
    flat, zero = values.reshape(-1), values.dtype.type(0)
    for i in range(flat.size):
        flat[i] = max(flat[i], zero)


@compiled
def turn(values: Array, out: Array) -> None:
    """Write the transpose of `values` to the first columns of `out`."""
    for column in range(values.shape[1]):
        for row in range(values.shape[0]):
            out[column, row] = values[row, column]


@compiled
def gather(table: Array, rows: Array, out: Array, turned: Array) -> None:
    """Copy `rows` of `table` to the first rows of `out`, and to columns of `turned`; zero the other rows."""
    zero, n_columns = out.dtype.type(0), table.shape[1]
    for row in range(out.shape[0]):
        if row < rows.size:
            out[row, :n_columns] = table[rows[row]]
        else:
            out[row, :n_columns] = zero
    for column in range(n_columns):
        for row in range(out.shape[0]):
            turned[column, row] = out[row, column]


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
