"""Long work outside the page's process: it goes on when the page closes, and is found again."""

from spectra_core.jobs.queue import Jobs
from spectra_core.jobs.records import JobRecord

__all__ = ["JobRecord", "Jobs"]
