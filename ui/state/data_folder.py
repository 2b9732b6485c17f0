"""The user data folder of this server: store and jobs."""

from typing import TYPE_CHECKING

from ui import cache

if TYPE_CHECKING:
    from spectra_core.jobs import Jobs
    from spectra_core.store import Store


def store() -> "Store":
    """Return the store of the user data folder."""
    return cache.store(cache.home())


def jobs() -> "Jobs":
    """Return the jobs of the user data folder."""
    return cache.jobs(cache.home())
