"""How long, how fast and from which seed a network is trained."""

import math
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal, get_args

from spectra_core.contracts import Budget
from spectra_core.errors import ConfigError

Schedule = Literal["constant", "cosine"]
Kernels = Literal["torch", "numba"]
Coordinates = Literal["channels", "components"]
"""What a network is trained on; "components" is another path of optimisation than the study's, never a default."""


MOST_SPECTRA, MOST_SEED = 1_000_000, 2**63 - 1


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
    batch_size: int = 32
    learning_rate: float = 1e-3
    schedule: Schedule = "constant"
    seed: int = 0
    kernels: Kernels = "torch"

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ConfigError(f"A batch holds at least 1 spectrum, got {self.batch_size}.")
        if self.batch_size > MOST_SPECTRA:
            raise ConfigError(f"A batch holds at most {MOST_SPECTRA:,} spectra, got {self.batch_size}. Usual is 32.")
        if not 0 <= self.seed <= MOST_SEED:
            raise ConfigError(f"A seed is a whole number from 0 to {MOST_SEED}, got {self.seed}.")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ConfigError(f"The learning rate is a positive number, got {self.learning_rate}. Usual is 0.001.")
        if self.schedule not in get_args(Schedule):
            raise ConfigError(f"The schedule is one of {', '.join(get_args(Schedule))}; got {self.schedule!r}.")

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


def require_coordinates(coordinates: str) -> None:
    """Refuse an unknown name of coordinates to train on."""
    if coordinates not in get_args(Coordinates):
        raise ConfigError(f"The coordinates are one of {', '.join(get_args(Coordinates))}; got {coordinates!r}.")


def require_kernels(kernels: str) -> None:
    """Refuse a way of computing that is unknown or not installed.

    Raises
    ------
    ConfigError
        Saying what to do.
    """
    if kernels not in get_args(Kernels):
        raise ConfigError(f"The kernels are one of {', '.join(get_args(Kernels))}; got {kernels!r}.")
    if kernels == "numba" and find_spec("numba") is None:
        raise ConfigError(
            'These networks are to be trained with kernels="numba", but numba is not installed. '
            'Install it (pip install numba), or choose kernels="torch", which computes the same up to rounding.'
        )
