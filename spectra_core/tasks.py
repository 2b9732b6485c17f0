"""What a job can be told to do: JSON in, fingerprints out."""

from collections.abc import Callable
from typing import Any

from spectra_core.contracts import Reporter
from spectra_core.store import Store

Task = Callable[[dict[str, Any], Reporter, Store], dict[str, Any]]


def simulate(arguments: dict[str, Any], reporter: Reporter, store: Store) -> dict[str, Any]:
    raise NotImplementedError


TASKS: dict[str, Task] = {
    "simulate": simulate,
    "train": simulate,
    "map": simulate,
    "study": simulate,
    "import": simulate,
}
