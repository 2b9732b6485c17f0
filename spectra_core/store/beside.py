"""A shelf of a workspace beside the same one of its class: what lies there can be used, and not be changed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from spectra_core.errors import StoreError
from spectra_core.store.entries import Made, Shelf
from spectra_core.store.entry import Entry


class ShelfBeside(Shelf):
    """Entries of a workspace, and those that its class shares.

    Parameters
    ----------
    own, shared
        Two shelves of one kind; nothing is ever written to the second.
    """

    def __init__(self, own: Shelf, shared: Shelf) -> None:
        vars(self).update(vars(own))
        self._shared = shared

    def is_shared(self, key: str) -> bool:
        """Whether an entry is the class's alone."""
        return not super().__contains__(key) and key in self._shared

    def __contains__(self, key: str) -> bool:
        return super().__contains__(key) or key in self._shared

    def entries(self) -> list[Entry]:
        """List all entries, shared ones first: their numbers are negative."""
        own = super().entries()
        keys = {entry.key for entry in own}
        shared = [entry for entry in self._shared.entries() if entry.key not in keys]
        return [replace(entry, sequence=number - len(shared)) for number, entry in enumerate(shared)] + own

    def read(self, key: str) -> tuple[Entry, dict[str, bytes]]:
        """As of `Shelf`."""
        return self._shared.read(key) if self.is_shared(key) else super().read(key)

    def read_as(self, key: str, build: Callable[[Entry, dict[str, bytes]], Made]) -> Made:
        """As of `Shelf`."""
        return self._shared.read_as(key, build) if self.is_shared(key) else super().read_as(key, build)

    def locate(self, key: str) -> tuple[Entry, dict[str, Path]]:
        """As of `Shelf`."""
        return self._shared.locate(key) if self.is_shared(key) else super().locate(key)

    def _existing(self, key: str) -> Path:
        if self.is_shared(key):
            raise StoreError("This lies on the shelf that the class shares: only its teacher changes it.")
        return super()._existing(key)
