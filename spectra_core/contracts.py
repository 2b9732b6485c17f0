"""Small protocols handed down from above: who is told of progress, where finished work is looked up.

Lower layers use them and never know whether a page, a job or a notebook is behind them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from spectra_core.errors import ConfigError
from spectra_core.options import Range, option_of, require_options

Arrays = dict[str, NDArray[Any]]
"""Named arrays: the state of a model, or any other result that is kept on disk."""


class Cancelled(Exception):  # noqa: N818 (a request of the person, not an error)
    """The person asked to stop; raised by `Reporter.progress` and caught by whoever started the work."""


class Reporter(Protocol):
    """Who is told of progress. Methods may be called from several threads."""

    def progress(self, stage: str, done: int, total: int, values: Mapping[str, float] | None = None) -> None:
        """Say that `done` of `total` steps of `stage` are finished.

        Parameters
        ----------
        stage
            What is being done, as a person would say it: "Training the VAE".
        done, total
            Finished steps and all steps of this stage.
        values
            Figures of this step, such as ``{"reconstruction": 0.1}``, for live curves.

        Raises
        ------
        Cancelled
            When the person asked to stop.
        """

    def message(self, text: str) -> None:
        """Add one sentence to the log."""


class SilentReporter:
    """A reporter that nobody listens to."""

    def progress(self, stage: str, done: int, total: int, values: Mapping[str, float] | None = None) -> None:
        """Do nothing."""

    def message(self, text: str) -> None:
        """Do nothing."""


SILENT = SilentReporter()


@runtime_checkable
class PartsReporter(Protocol):
    """A reporter that is also told how far each part of the work is."""

    def parts(self, progress: Mapping[str, tuple[float, float | None]]) -> None:
        """Say of every part, by name, which share is done and about how many seconds the rest takes, where known."""


class Memo(Protocol):
    """Looks up a result by key, or computes and keeps it."""

    def arrays(self, key: str, compute: Callable[[], Arrays]) -> Arrays:
        """Return what is kept under `key`; compute and keep it where nothing is."""


class NoMemo:
    """A memo that keeps nothing."""

    def arrays(self, key: str, compute: Callable[[], Arrays]) -> Arrays:
        """Compute afresh."""
        return compute()


NO_MEMO = NoMemo()


class Checkpoint(Protocol):
    """Where unfinished training is kept, so that a crash costs little."""

    def load(self) -> Arrays | None:
        """Return the last kept state, or None."""

    def save(self, state: Arrays) -> None:
        """Keep `state` in place of the last one; durable when it returns."""


@dataclass(frozen=True)
class Budget:
    """How long to train: passes over the training rows, or optimiser steps.

    Parameters
    ----------
    epochs
        Passes over all training rows; each makes ``ceil(n_spectra / batch_size)`` steps.
    steps
        Optimiser steps, whatever the number of rows. Exactly one of the two is given.
    """

    epochs: Annotated[int | None, Range(1, 10**9)] = None
    steps: Annotated[int | None, Range(1, 10**12)] = None

    def __post_init__(self) -> None:
        require_options(self, "Budget of training")
        if (self.epochs is None) == (self.steps is None):
            raise ConfigError(
                "A budget is either a number of epochs or a number of optimiser steps; "
                f"got epochs={self.epochs} and steps={self.steps}. Give exactly one."
            )

    def total_steps(self, n_spectra: int, batch_size: int) -> int:
        """Return the number of optimiser steps for `n_spectra` rows in batches of `batch_size`.

        >>> Budget(epochs=100).total_steps(3276, 32)
        10300
        """
        if self.steps is not None:
            return self.steps
        assert self.epochs is not None
        return self.epochs * -(-n_spectra // batch_size)


_SEED = option_of("seed", Annotated[int, Range(0, 2**63 - 1)])
"""Wider than what a person may choose: a seed may be derived from another."""


def random_stream(seed: int, *key: str | int) -> np.random.Generator:
    """Return the random stream of one piece of work, named by `key`.

    Streams depend on the name of the work, never on the order in which work is done, so that fusing,
    resuming and distributing change nothing.

    Parameters
    ----------
    seed
        The one seed that decides everything; a non-negative whole number.
    key
        Names and numbers of the work, such as ``("vae", fold, epoch)``.

    Examples
    --------
    >>> one, two = random_stream(0, "fold", 3), random_stream(0, "fold", 3)
    >>> one.random() == two.random()
    True
    """
    seed = _SEED.checked(seed, "Random numbers")
    words = [word for part in key for word in _words(part)]
    return np.random.default_rng([seed, len(key), *words])


def derived_seed(seed: int, *key: str | int) -> int:
    """Return a seed below 2**63 for one piece of work, from the same naming as `random_stream`."""
    return int(random_stream(seed, *key).integers(2**63))


def _words(part: str | int) -> list[int]:
    """Spell a name or number as whole numbers; the leading word keeps "1" and 1 apart."""
    if isinstance(part, str):
        raw = part.encode()
        return [1, len(raw), *(int.from_bytes(raw[i : i + 4], "little") for i in range(0, len(raw), 4))]
    return [0, *divmod(int(part) % 2**64, 2**32)]


UNSAID = {"unsaid at its default": True}
"""Metadata of a field that came later: files written without it stay what they are."""


def configuration(member: Any) -> dict[str, Any]:
    """Return the init fields of a dataclass as a dict: what makes the member again.

    Fields marked ``UNSAID`` appear only where they differ from their default.

    >>> configuration(Budget(epochs=3))
    {'epochs': 3, 'steps': None}
    """
    values = {f.name: (f, getattr(member, f.name)) for f in fields(member) if f.init}
    return {name: value for name, (f, value) in values.items() if f.metadata != UNSAID or value != f.default}
