"""Matrix products by torch for batches of a few dozen spectra."""

import torch
from torch import Tensor

_AVAILABLE = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]  # torch leaves it untyped
_HAS_ONEDNN = _AVAILABLE and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def by_onednn(inputs: Tensor) -> bool:
    """Whether `linear` leaves products of such inputs to oneDNN, which torch carries for its own compiler.

    In float32 products with a side of 32 take half the time there that they take by MKL on processors of AMD, which is
    what torch would call.
    """
    return _HAS_ONEDNN and inputs.dtype == torch.float32 and inputs.device.type == "cpu"


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return inputs (n, n_inner) times the transpose of weight (n_outputs, n_inner), plus bias (n_outputs,).

    What `torch.nn.functional.linear` returns.
    """
    return product(inputs, weight, bias, onednn=by_onednn(inputs))


def product(inputs: Tensor, weight: Tensor, bias: Tensor | None, onednn: bool) -> Tensor:
    """Do as `linear`, by oneDNN or not."""
    if onednn:
        through: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, weight, bias, "none", [], "")
        return through
    return torch.nn.functional.linear(inputs, weight, bias)
