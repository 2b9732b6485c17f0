"""The data folder of this visitor: store and jobs."""

from typing import TYPE_CHECKING

from ui import cache
from ui.state.workspace import home

if TYPE_CHECKING:
    from spectra_core.jobs import Jobs
    from spectra_core.store import Store


def store() -> "Store":
    """Return the store of this visitor's data folder."""
    return cache.store(home())


def jobs() -> "Jobs":
    """Return the jobs of this visitor's data folder."""
    return cache.jobs(home())
