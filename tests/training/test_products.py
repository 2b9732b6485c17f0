import numpy as np
import pytest
import torch

from spectra_core.training import products
from spectra_core.training.products import linear


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("with_onednn", [True, False])
@pytest.mark.parametrize(("n", "n_inner", "n_outputs"), [(1, 1, 1), (32, 91, 256), (256, 12, 33)])
def test_products_equal_numpys(n, n_inner, n_outputs, with_onednn, dtype, monkeypatch):
    monkeypatch.setattr(products, "_HAS_ONEDNN", products._HAS_ONEDNN and with_onednn)
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((n, n_inner)).astype(dtype), rng.standard_normal((n_outputs, n_inner)).astype(dtype)
    bias = rng.standard_normal(n_outputs).astype(dtype)
    expected = a.astype(np.longdouble) @ b.T.astype(np.longdouble)
    # Each of the sums loses at most half a last digit per term.
    bound = n_inner * np.finfo(dtype).eps * (np.abs(a) @ np.abs(b).T + np.abs(bias))
    with torch.no_grad():
        found = linear(torch.tensor(a), torch.tensor(b), torch.tensor(bias)).numpy()
        turned = linear(torch.tensor(a.T.copy()).T, torch.tensor(b.T.copy()).T).numpy()
    assert (np.abs(found - (expected + bias)) <= bound).all()
    assert (np.abs(turned - expected) <= bound).all()
