"""Training by compiled kernels, on the processor: an epoch is one call that never takes Python's lock."""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spectra_core.contracts import Arrays
from spectra_core.training.training import Figures, Floats, Training

DECAY_FIRST, DECAY_SECOND, EPSILON = 0.9, 0.999, 1e-8
"""Of Adam (Kingma & Ba, ICLR 2015), as in PyTorch."""


class CompiledEngine:
    """One training; its parameters and Adam's moments are flat arrays that an epoch changes in place."""

    def __init__(self, training: Training) -> None:
        self._training = training
        start = training.start()
        self._flat = np.concatenate([array.ravel() for array in start.values()]).astype(training.dtype)
        self._first, self._second = np.zeros_like(self._flat), np.zeros_like(self._flat)
        self._n_steps = 0
        ends = accumulate(array.size for array in start.values())
        self._places = {
            name: (slice(end - array.size, end), array.shape)
            for (name, array), end in zip(start.items(), ends, strict=True)
        }

    @property
    def identity(self) -> tuple[object, ...]:
        """What a checkpoint must have been made by."""
        return (self._training.plan,)

    def epoch(self, epoch: int, orders: Sequence[NDArray[np.int64]], rates: Sequence[float]) -> Figures:
        """Do as many steps of an epoch as there are rates; as `AutogradEngine.epoch`."""
        noise = self._training.noise(epoch)
        arguments = self._training.compiled_arguments(orders[0], None if noise is None else noise.numpy())
        parts: Figures = self._training.compiled(*arguments, *self._steps(rates))
        return parts[None]

    def finite(self) -> NDArray[np.bool_]:
        """Return whether all parameters are finite; a sum passes on what is not."""
        return np.isfinite([self._flat.sum()])

    def parameters(self, number: int) -> dict[str, Tensor]:
        """Return the parameters as a stack of one, without copying them."""
        return {name: torch.from_numpy(array)[None] for name, array in self._windows().items()}

    def arrays(self, number: int) -> dict[str, Floats]:
        """Return a copy of the parameters."""
        return {name: array.copy() for name, array in self._windows().items()}

    def state(self) -> Arrays:
        """Return parameters and the optimiser's moments, for a checkpoint."""
        state = {"parameters": self._flat, "first_moment": self._first, "second_moment": self._second}
        return {name: array.copy() for name, array in state.items()}

    def restore(self, kept: Arrays, n_steps: int) -> None:
        """Go on from `state`, after so many steps."""
        self._flat[:], self._first[:], self._second[:] = (
            kept[name] for name in ("parameters", "first_moment", "second_moment")
        )
        self._n_steps = n_steps

    def _windows(self) -> dict[str, Floats]:
        return {name: self._flat[place].reshape(shape) for name, (place, shape) in self._places.items()}

    def _steps(self, learning_rates: Sequence[float]) -> tuple[object, ...]:
        """Count steps of these rates as done, and return what `kernels.adam` needs of each.

        All numbers have the precision of the parameters: others would make the compiled loops compute in float64.
        """
        number = self._flat.dtype.type
        steps = float(self._n_steps) + 1.0 + np.arange(len(learning_rates))
        self._n_steps += len(learning_rates)
        rates = np.asarray(learning_rates) / (1.0 - DECAY_FIRST**steps)
        scales = 1.0 / np.sqrt(1.0 - DECAY_SECOND**steps)
        constants = number(DECAY_FIRST), number(DECAY_SECOND), number(EPSILON)
        return (self._flat, self._first, self._second), rates.astype(number), scales.astype(number), constants
