"""One entry of a shelf: as it is kept, as its manifest says, damaged, or in the bin."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spectra_core.errors import StoreError
from spectra_core.store.files import sha256


@dataclass(frozen=True)
class Damaged:
    """An entry that was set aside because its content is not what was kept.

    Parameters
    ----------
    kind, key
        Shelf ("sets", "models", "results", "uploads", "drafts") and storage key of the entry.
    name
        What people called it, where that can still be read.
    reason
        What is wrong, in a sentence.
    """

    kind: str
    key: str
    name: str
    reason: str


@dataclass(frozen=True)
class Entry:
    """One kept entry: its key, its place in the order of keeping, and its record.

    Parameters
    ----------
    sequence
        Grows by one with every entry of the store, so that order survives a change of the clock.
    created
        Coordinated universal time of keeping, ISO 8601.
    record
        The JSON record of the entry.
    """

    key: str
    sequence: int
    created: str
    record: dict[str, Any]


@dataclass(frozen=True)
class Manifest:
    """What an entry's manifest says: its place, its record, and size and sha256 of every file."""

    key: str
    sequence: int
    created: str
    record: dict[str, Any]
    files: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Binned:
    """An entry that was deleted and can still be restored.

    Parameters
    ----------
    kind, key, name
        As of `Damaged`.
    deleted
        Coordinated universal time, ISO 8601.
    """

    kind: str
    key: str
    name: str
    deleted: str


class DamageError(StoreError):
    """The files of an entry are not those its manifest names."""


def require_described(entry: Entry, description: Mapping[str, Any]) -> None:
    """Refuse an entry whose record says something else than its files.

    Parameters
    ----------
    description
        What a record of these files says.

    Raises
    ------
    DamageError
        Naming the field.
    """
    for name, value in description.items():
        if entry.record.get(name) != value:
            raise DamageError(f"its record says something else of {name!r} than its files.")


def keys_of(work: str) -> Iterator[str]:
    """Yield keys for entries: the same ones whenever the same work is done again, any where it has no name."""
    number = 0
    while True:
        number += 1
        yield sha256(f"{work} {number}".encode())[:32] if work else uuid.uuid4().hex
