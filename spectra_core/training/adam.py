"""Adam (Kingma & Ba, ICLR 2015) with PyTorch's defaults: its state, and a step on all parameters in one call."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim.adam import adam

from spectra_core.training.parameters import FlatParameters

DECAY_FIRST, DECAY_SECOND, EPSILON = 0.9, 0.999, 1e-8

LayerState = tuple[list[list[Tensor]], list[list[Tensor]], list[list[Tensor]], Tensor]


class Adam:
    """The optimiser's state, one step by torch, and what compiled steps need.

    PyTorch's function rather than its class: the class spends a tenth of a step on its bookkeeping.
    """

    def __init__(self, parameters: FlatParameters) -> None:
        self._parameters = parameters
        self.first_moment = torch.zeros_like(parameters.flat)
        self.second_moment = torch.zeros_like(parameters.flat)
        self.n_steps = torch.tensor(0.0, device=parameters.flat.device)

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

    def state_of(self, layers: Sequence[Sequence[str]]) -> LayerState:
        """Return values, first and second moments of layers named by their tensors, and the count of steps.

        The arguments `layers`, `first`, `second` and `count` of the functions of `torch_epochs`.
        """
        flats = (self._parameters.flat, self.first_moment, self.second_moment)
        windows = [self._parameters.windows_into(flat) for flat in flats]
        values, first, second = ([[named[name] for name in layer] for layer in layers] for named in windows)
        return values, first, second, self.n_steps

    def compiled_steps(self, learning_rates: Sequence[float]) -> tuple[Any, ...]:
        """Count steps of these rates as done, and return the last arguments of `kernels.mlp_epoch` and `vae_epoch`.

        All numbers have the precision of the parameters: others would make the compiled loops compute in float64.
        """
        number = self._parameters.flat.numpy().dtype.type
        steps = float(self.n_steps) + 1.0 + np.arange(len(learning_rates))
        self.n_steps += len(learning_rates)
        rates = np.asarray(learning_rates) / (1.0 - DECAY_FIRST**steps)
        scales = 1.0 / np.sqrt(1.0 - DECAY_SECOND**steps)
        tensors = (self._parameters.flat, self.first_moment, self.second_moment)
        constants = (number(DECAY_FIRST), number(DECAY_SECOND), number(EPSILON))
        return tuple(tensor.numpy() for tensor in tensors), rates.astype(number), scales.astype(number), constants
