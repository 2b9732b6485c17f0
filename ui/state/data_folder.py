"""The data folder of this visitor: store and jobs."""

from typing import TYPE_CHECKING

from ui import cache
from ui.state.notice_board import notify
from ui.state.workspace import home

if TYPE_CHECKING:
    from spectra_core.jobs import Jobs
    from spectra_core.spectra import SpectraSet
    from spectra_core.store import Store


def store() -> "Store":
    """Return the store of this visitor's data folder."""
    return cache.store(home())


def jobs() -> "Jobs":
    """Return the jobs of this visitor's data folder."""
    return cache.jobs(home())


def keep_set(spectra: "SpectraSet") -> str:
    """Keep spectra and return their fingerprint; say so where they are kept already, under another name."""
    fingerprint = store().save_set(spectra)
    named = next((one.name for one in store().sets() if one.fingerprint == fingerprint), spectra.meta.name)
    if named != spectra.meta.name:
        notify(f"These spectra were kept already, as “{named}”; they stay under that name and are in hand.")
    return fingerprint
