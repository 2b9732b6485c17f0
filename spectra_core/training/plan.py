"""How long, how fast and from which seed a network is trained."""

import math
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Annotated, Literal

from spectra_core.contracts import Budget
from spectra_core.errors import ConfigError
from spectra_core.options import Range, require_options

Schedule = Literal["constant", "cosine"]
Kernels = Annotated[Literal["torch", "numba"], "Computed by"]
Epochs = Annotated[int, Range(1, 100_000)]
BatchSize = Annotated[int, Range(1, 1_000_000)]
LearningRate = Annotated[float, Range(1e-9, 1e6)]
Coordinates = Annotated[Literal["channels", "components"], "Trained on"]
"""What a network is trained on; "components" is another path of optimisation than the study's, never a default."""


@dataclass(frozen=True)
class Plan:
    """How a network is trained; with the data it decides every bit of the result.

    Parameters
    ----------
    budget
        Epochs or optimiser steps.
    batch_size
        Spectra per step; the last step of an epoch takes what is left.
    learning_rate
        Of Adam (Kingma & Ba, ICLR 2015), with its usual other constants.
    schedule
        "constant", or "cosine": the rate falls as half a cosine to zero (Loshchilov & Hutter, ICLR 2017,
        without restarts).
    seed
        Decides initial weights, order of spectra and noise.
    kernels
        "torch", or "numba": the small parts of a step compiled for this processor (`kernels`), which is faster. The
        same mathematics, rounded differently, so part of what decides a result, and never chosen by what is installed.
    """

    budget: Budget
    batch_size: BatchSize = 32
    learning_rate: LearningRate = 1e-3
    schedule: Schedule = "constant"
    seed: Annotated[int, Range(0, 2**63 - 1)] = 0
    kernels: Kernels = "torch"

    def __post_init__(self) -> None:
        require_options(self, "Training")
        require_kernels(self.kernels)

    def rate(self, step: int, n_steps: int) -> float:
        """Return the learning rate of step `step` (from 0) of `n_steps`."""
        if self.schedule == "constant":
            return self.learning_rate
        return 0.5 * self.learning_rate * (1.0 + math.cos(math.pi * step / n_steps))


def path_sentence(n_components: int, share_left_out: float) -> str:
    """Say that a network was trained on principal components, how many, and what they leave out.

    >>> path_sentence(12, 0.0004)
    'Trained on 12 principal components of the standardised spectra, which leave out 0.04 % of their variance: the same function and loss, but another path of optimisation than on channels.'
    """  # noqa: E501 (one sentence)
    return (
        f"Trained on {n_components} principal components of the standardised spectra, which leave out "
        f"{100 * share_left_out:.2g} % of their variance: the same function and loss, but another path of "
        "optimisation than on channels."
    )


def kernels_here() -> Kernels:
    """Return what computes fastest on this processor: compiled kernels where numba is installed."""
    return "numba" if find_spec("numba") is not None else "torch"


def require_kernels(kernels: str) -> None:
    """Refuse a way of computing that is not installed.

    Raises
    ------
    ConfigError
        Saying what to do.
    """
    if kernels == "numba" and find_spec("numba") is None:
        raise ConfigError(
            'These networks are to be trained with kernels="numba", but numba is not installed. '
            'Install it (pip install numba), or choose kernels="torch", which computes the same up to rounding.'
        )
