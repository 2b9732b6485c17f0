"""Training compiled by numba: an epoch is one call that never takes Python's lock.

Networks of this size multiply with batches of 32 columns, which general BLAS libraries do at half their rate: they
first rearrange both factors in memory. Here a tile of the result stays in the processor's registers while it is summed,
and one factor is kept so that it needs no rearranging. Adam follows the gradient of a few units at a time, so no
gradient is stored. Regressors are independent: each takes many steps before the next has its turn, while its weights
and moments stay in the processor's caches.

The first call compiles for this processor, some seconds; the result is kept on disk where a folder is writable, and
read from there in later runs. Called are `mlp_kernels.mlp_epoch` and `vae_kernels.vae_epoch`. Numba looks only at the
file of the function that is called to see whether what it kept is still good, so both files name the digest of this
one: who changes this file has to change them too, and a test says so.

Rounding differs from torch's in the last digit, so `Plan.kernels`, which says who computes, decides the bits of a
result. Every element of a product is summed in the order of the inner dimension, so bits depend neither on the size of
tiles nor on addresses.
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
