"""Adam (Kingma & Ba, ICLR 2015) with PyTorch's defaults, on all parameters in one call."""

from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.optim.adam import adam

from spectra_core.training.parameters import FlatParameters
from spectra_core.training.plan import Kernels

DECAY_FIRST, DECAY_SECOND, EPSILON = 0.9, 0.999, 1e-8


class Adam(Protocol):
    """An optimiser whose state can be kept."""

    first_moment: Tensor
    second_moment: Tensor
    n_steps: Tensor

    def step(self, learning_rate: float) -> None:
        """Move the parameters by one step against their gradient."""


def adam_for(parameters: FlatParameters, kernels: Kernels) -> Adam:
    """Return the optimiser of `parameters`, computed by `kernels`."""
    return TorchAdam(parameters) if kernels == "torch" else CompiledAdam(parameters)


class TorchAdam:
    """By torch. Its function rather than its class: the class spends a tenth of a step on its bookkeeping."""

    def __init__(self, parameters: FlatParameters) -> None:
        self._parameters = parameters
        self.first_moment = torch.zeros_like(parameters.flat)
        self.second_moment = torch.zeros_like(parameters.flat)
        self.n_steps = torch.tensor(0.0)

    def step(self, learning_rate: float) -> None:
        """Move the parameters by one step against their gradient."""
        adam(
            [self._parameters.flat],
            [self._parameters.flat_gradient],
            [self.first_moment],
            [self.second_moment],
            [],
            [self.n_steps],
            fused=True,
            lr=learning_rate,
            beta1=DECAY_FIRST,
            beta2=DECAY_SECOND,
            eps=EPSILON,
            weight_decay=0.0,
            amsgrad=False,
            maximize=False,
        )


class CompiledAdam:
    """By `kernels.adam`: one pass over memory, in about half of torch's time."""

    def __init__(self, parameters: FlatParameters) -> None:
        from spectra_core.training.kernels import adam as compiled

        self._compiled = compiled
        self.first_moment = torch.zeros_like(parameters.flat)
        self.second_moment = torch.zeros_like(parameters.flat)
        self.n_steps = torch.tensor(0.0)
        self._values, self._gradient = parameters.flat.numpy(), parameters.flat_gradient.numpy()
        self._moments = self.first_moment.numpy(), self.second_moment.numpy()
        # A number of another precision than the arrays would make the whole loop compute in float64.
        self._number = self._values.dtype.type
        self._decays = self._number(DECAY_FIRST), self._number(DECAY_SECOND)

    def step(self, learning_rate: float) -> None:
        """Move the parameters by one step against their gradient."""
        self.n_steps += 1
        n = float(self.n_steps)
        rate = self._number(learning_rate / (1.0 - DECAY_FIRST**n))
        scale = self._number(1.0 / np.sqrt(1.0 - DECAY_SECOND**n))
        epsilon = self._number(EPSILON)
        self._compiled(self._values, self._gradient, *self._moments, *self._decays, rate, scale, epsilon)
