"""All parameters of a network in one flat tensor, so that one optimiser call updates them all."""

from collections.abc import Mapping
from itertools import accumulate
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


class FlatParameters:
    """Named tensors that are windows into one flat tensor, with a gradient of the same layout.

    Parameters
    ----------
    initial
        Initial values by name, in the order of the flat tensor.
    dtype
        Of values and gradient.
    device
        Where they lie.

    Attributes
    ----------
    flat, flat_gradient : (n_parameters,)
    values, gradients
        Windows into them, by name, in the shapes of `initial`.
    """

    def __init__(self, initial: Mapping[str, NDArray[Any]], dtype: torch.dtype, device: str = "cpu") -> None:
        self.flat = torch.cat([to_tensor(array, dtype).reshape(-1) for array in initial.values()]).to(device)
        self.flat_gradient = torch.zeros_like(self.flat)
        ends = list(accumulate(array.size for array in initial.values()))
        starts = [0, *ends]
        places = {name: slice(start, end) for name, start, end in zip(initial, starts, ends, strict=False)}
        self.values = {name: self.flat[at].view(initial[name].shape) for name, at in places.items()}
        self.gradients = {name: self.flat_gradient[at].view(initial[name].shape) for name, at in places.items()}

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return copies of the values as numpy arrays, by name."""
        return {name: value.cpu().numpy().copy() for name, value in self.values.items()}


def initial_layer(
    rng: np.random.Generator, n_inputs: int, n_outputs: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw weight (n_outputs, n_inputs) and bias (n_outputs,) of one layer, as PyTorch does by default.

    Both uniform within ±1/sqrt(n_inputs): He et al., ICCV 2015, with a = sqrt(5), as in `torch.nn.Linear`.
    """
    bound = 1.0 / np.sqrt(n_inputs)
    return rng.uniform(-bound, bound, (n_outputs, n_inputs)), rng.uniform(-bound, bound, n_outputs)
