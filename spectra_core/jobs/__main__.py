"""``python -m spectra_core.jobs DIR``: do the work that the job folder DIR describes."""

import sys
from pathlib import Path

from spectra_core.jobs.queue import Jobs
from spectra_core.jobs.work import do

if __name__ == "__main__":
    folder = Path(sys.argv[1]).resolve()
    do(folder, Jobs(folder.parents[1]).start_waiting)
