"""``python -m spectra_core.jobs DIR TOKEN``: do the work that the job folder DIR describes."""

import sys
from pathlib import Path

from spectra_core.jobs import processes
from spectra_core.jobs.queue import Jobs
from spectra_core.jobs.work import NICENESS, do

if __name__ == "__main__":
    processes.step_back(NICENESS)
    folder = Path(sys.argv[1]).resolve()
    do(Jobs(folder.parents[1]), folder.name, sys.argv[2])
