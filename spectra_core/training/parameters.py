"""All parameters of a network in one flat tensor, which one optimiser call or one compiled epoch updates."""

from collections.abc import Mapping
from functools import cached_property
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
    """Named tensors that are windows into one flat tensor; a gradient of the same layout is made when asked for.

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
        ends = list(accumulate(array.size for array in initial.values()))
        starts = [0, *ends]
        self._places = {name: slice(start, end) for name, start, end in zip(initial, starts, ends, strict=False)}
        self._shapes = {name: array.shape for name, array in initial.items()}
        self.values = self.windows_into(self.flat)

    @cached_property
    def flat_gradient(self) -> Tensor:
        """Gradient in the layout of `flat`, (n_parameters,)."""
        return torch.zeros_like(self.flat)

    @cached_property
    def gradients(self) -> dict[str, Tensor]:
        """Windows into `flat_gradient`."""
        return self.windows_into(self.flat_gradient)

    def windows_into(self, flat: Tensor) -> dict[str, Tensor]:
        """Return the windows of a tensor of this layout, by name."""
        return {name: flat[at].view(self._shapes[name]) for name, at in self._places.items()}

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
