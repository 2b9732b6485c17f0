"""Arrays as torch tensors, and how the layers of a network begin."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

TORCH_DTYPES = {"float32": torch.float32, "float64": torch.float64}


def torch_dtype(dtype: Any) -> torch.dtype:
    """Return torch's name of a numpy dtype.

    >>> torch_dtype(np.float32)
    torch.float32
    """
    return TORCH_DTYPES[np.dtype(dtype).name]


def to_tensor(values: NDArray[Any], dtype: torch.dtype) -> Tensor:
    """Copy into torch's own memory.

    Numpy's memory starts at other addresses in every run, and the order in which a matrix product adds up
    depends on the address; torch's memory always starts at a multiple of 64 bytes.
    """
    return torch.tensor(np.asarray(values), dtype=dtype)


def initial_layer(
    rng: np.random.Generator, n_inputs: int, n_outputs: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw weight (n_outputs, n_inputs) and bias (n_outputs,) of one layer, as PyTorch does by default.

    Both uniform within ±1/sqrt(n_inputs): He et al., ICCV 2015, with a = sqrt(5), as in `torch.nn.Linear`.
    """
    bound = 1.0 / np.sqrt(n_inputs)
    return rng.uniform(-bound, bound, (n_outputs, n_inputs)), rng.uniform(-bound, bound, n_outputs)
