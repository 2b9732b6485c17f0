"""What generators that work on the training spectra themselves share: keeping them, and saying who came from whom."""

import json
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spectra_core.contracts import SILENT, Arrays, Checkpoint, Reporter
from spectra_core.errors import ConfigError, SpectraError
from spectra_core.generators.base import DirectGenerator
from spectra_core.generators.state import checked_arrays, require_fitted, require_training_set
from spectra_core.spectra import Frame, SetMeta, SpectraSet


@dataclass
class ParentGenerator(DirectGenerator):
    """A generator whose fitted state is its training set."""

    def fit(
        self,
        train: SpectraSet,
        *,
        validation: SpectraSet | None = None,
        seed: int = 0,
        reporter: Reporter = SILENT,
        checkpoint: Checkpoint | None = None,
    ) -> Self:
        """Keep `train`, whose spectra become parents."""
        require_training_set(train, self.title)
        self._keep(train.frame, train.signal, train.target_values, tuple(train.samples["id"]))
        reporter.progress(f"Fitting {self.title}", 1, 1)
        return self

    @property
    def history_(self) -> pd.DataFrame:
        """No rows: nothing is trained."""
        return pd.DataFrame({"epoch": np.empty(0, dtype=np.int64)})

    def to_arrays(self) -> Arrays:
        """Return the parents: spectra, targets and ids (as JSON text in bytes)."""
        require_fitted(self, self.title)
        return {"signal": self.signal_, "targets": self.targets_, "ids": ids_as_array(self.ids_)}

    def from_arrays(self, arrays: Arrays, frame: Frame) -> Self:
        """Take over stored parents after checking them."""
        shapes: dict[str, tuple[int | None, ...]] = {
            "signal": (None, len(frame.axis)),
            "targets": (None, len(frame.target_info)),
            "ids": (None,),
        }
        state = checked_arrays(arrays, shapes, self.title)
        ids = ids_from_array(state["ids"], self.title)
        if {len(ids), len(state["signal"])} != {len(state["targets"])} or not ids:
            raise ConfigError(f"The stored spectra, targets and ids of {self.title} differ in number. Fit it again.")
        self._keep(frame, state["signal"], state["targets"], ids)
        return self

    def _keep(
        self,
        frame: Frame,
        signal: NDArray[np.floating[Any]],
        targets: NDArray[np.float64],
        ids: tuple[str, ...],
    ) -> None:
        self.frame_, self.signal_, self.targets_, self.ids_ = frame, signal, targets, ids

    def _children(
        self, signal: NDArray[np.floating[Any]], targets: NDArray[np.float64], parents: list[str]
    ) -> SpectraSet:
        """Return the generated set with its lineage."""
        frame = self.frame_
        return SpectraSet(
            frame.axis,
            signal.astype(self.signal_.dtype),
            pd.DataFrame(targets, columns=list(frame.target_names)),
            target_info=frame.target_info,
            samples=pd.DataFrame({"parent": parents}),
            meta=SetMeta(self.title, "generated", frame.quantity, frame.unit),
        )


def ids_as_array(ids: tuple[str, ...]) -> NDArray[np.uint8]:
    """Return ids of spectra as JSON text in bytes."""
    return np.frombuffer(json.dumps(ids).encode(), dtype=np.uint8)


def ids_from_array(stored: NDArray[Any], title: str) -> tuple[str, ...]:
    """Read what `ids_as_array` wrote.

    Raises
    ------
    ConfigError
        When it is damaged.
    """
    try:
        ids = json.loads(stored.astype(np.uint8).tobytes().decode())
    except ValueError as error:
        raise ConfigError(f"The stored ids of {title} cannot be read: they are damaged. Fit it again.") from error
    if not isinstance(ids, list):
        raise ConfigError(f"The stored ids of {title} cannot be read: they are damaged. Fit it again.")
    return tuple(str(name) for name in ids)


def even_rows(n_rows: int, n_wanted: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return `n_wanted` row numbers that use every row equally often; the remainder without repeats.

    Raises
    ------
    SpectraError
        When fewer than one is wanted.
    """
    if n_wanted < 1:
        raise SpectraError(f"Ask for at least 1 spectrum, got {n_wanted}.")
    whole, rest = divmod(n_wanted, n_rows)
    rounds = [rng.permutation(n_rows) for _ in range(whole)] + [rng.permutation(n_rows)[:rest]]
    return np.concatenate(rounds)
