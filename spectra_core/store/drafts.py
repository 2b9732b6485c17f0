"""Imports under way: which uploaded files, and what was decided about them so far."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from spectra_core.errors import StoreError
from spectra_core.store.entries import Shelf
from spectra_core.store.entry import Entry
from spectra_core.store.shapes import shaped

MAX_DRAFTS = 16
MAX_BYTES = 4 * 2**30
"""Room for the files of imports under way; the newest one is kept whatever its size."""


@dataclass(frozen=True)
class Draft:
    """An import under way.

    Parameters
    ----------
    key
        Storage key.
    uploads
        Keys of the uploaded files.
    recipe
        What was decided about them, as JSON.
    """

    key: str
    uploads: tuple[str, ...]
    recipe: str


@dataclass(frozen=True)
class Upload:
    """A file as it was uploaded: its name, and its size in bytes."""

    name: str
    size: int = 0


def upload_of(entry: Entry) -> Upload:
    """Read the record of a kept upload."""
    return shaped(Upload, entry.record)


def draft_of(entry: Entry) -> Draft:
    """Read the record of a kept draft."""
    return shaped(Draft, {**entry.record, "key": entry.key})


def found_draft(drafts: Shelf, beginning: str) -> Draft:
    """Return the draft whose key begins like this.

    Raises
    ------
    StoreError
        When there is none, or not only one.
    """
    found = [entry for entry in drafts.entries() if beginning and entry.key.startswith(beginning)]
    if len(found) != 1:
        raise StoreError("This import is no longer kept. Give its files again.")
    return draft_of(found[0])


def remove_draft(drafts: Shelf, uploads: Shelf, key: str) -> None:
    """Forget a draft, and its files unless another draft has them too; what is gone already is no error."""
    known = {entry.key: draft_of(entry) for entry in drafts.entries()}
    gone = known.pop(key, None)
    if gone is None:
        return
    with suppress(StoreError):
        drafts.remove(key)
    for upload in set(gone.uploads).difference(*(one.uploads for one in known.values())):
        with suppress(StoreError):
            uploads.remove(upload)


def surplus_drafts(drafts: Sequence[Entry], uploads: Sequence[Entry]) -> list[str]:
    """Return the keys of the oldest drafts, beyond what there is room for."""
    sizes = {entry.key: upload_of(entry).size for entry in uploads}
    counted: set[str] = set()
    surplus = []
    for number, draft in enumerate(draft_of(entry) for entry in reversed(drafts)):
        held = counted | set(draft.uploads)
        if number and (number >= MAX_DRAFTS or sum(sizes.get(one, 0) for one in held) > MAX_BYTES):
            surplus.append(draft.key)
        else:
            counted = held
    return surplus
