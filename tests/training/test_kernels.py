import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from spectra_core.training.kernels import COLUMNS, ROWS, adam, product, whole


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "n_inner"), [(1, 1), (ROWS, 7), (3 * ROWS + 1, 40)])
@pytest.mark.parametrize("layout", ["rows", "turned", "window"])
def test_products_of_any_strides_equal_numpys(dtype, n, n_inner, layout):
    rng = np.random.default_rng(0)
    room = {"rows": (n, n_inner), "turned": (n_inner, n), "window": (n, n_inner + 3)}[layout]
    a = rng.standard_normal(room).astype(dtype)
    a = {"rows": a, "turned": a.T, "window": a[:, :n_inner]}[layout]
    b, start = rng.standard_normal((n_inner, 2 * COLUMNS)).astype(dtype), rng.standard_normal(n).astype(dtype)
    out = np.full((whole(n, ROWS), 2 * COLUMNS), np.nan, dtype)
    product(a, start, b, out)
    expected = a.astype(np.longdouble) @ b.astype(np.longdouble) + start[:, None]
    # Each of the sums loses at most half a last digit per term.
    bound = n_inner * np.finfo(dtype).eps * (np.abs(a) @ np.abs(b) + np.abs(start)[:, None])
    assert (np.abs(out[:n] - expected) <= bound).all()


def test_products_do_not_depend_on_where_arrays_lie():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((ROWS, 50)).astype(np.float32), rng.standard_normal((50, COLUMNS)).astype(np.float32)
    results = []
    for shift in range(3):
        moved = np.empty(b.size + shift, np.float32)[shift:].reshape(b.shape)
        moved[:] = b
        out = np.empty((ROWS, COLUMNS), np.float32)
        product(a, np.zeros(ROWS, np.float32), moved, out)
        results.append(out)
    assert_array_equal(results[0], results[1])
    assert_array_equal(results[0], results[2])


def test_a_step_of_adam_moves_its_own_parameters_alone_and_as_published():
    rng = np.random.default_rng(0)
    values, first, second, slope = (np.abs(rng.standard_normal(100)) for _ in range(4))
    state = values.copy(), first.copy(), second.copy()
    step, rate = 3, 0.01
    adam(state, 20, 50, slope, (rate / (1 - 0.9**step), 1 / np.sqrt(1 - 0.999**step), (0.9, 0.999, 1e-8)))
    # Algorithm 1 of Kingma & Ba, ICLR 2015.
    mean, square = 0.9 * first[20:70] + 0.1 * slope[:50], 0.999 * second[20:70] + 0.001 * slope[:50] ** 2
    moved = rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    for now, before, expected in zip(
        state, (values, first, second), (values[20:70] - moved, mean, square), strict=True
    ):
        assert_allclose(now[20:70], expected, rtol=1e-13)
        assert_array_equal(np.delete(now, np.s_[20:70]), np.delete(before, np.s_[20:70]))
