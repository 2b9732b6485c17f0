"""``python -m spectra_core.jobs DIR``: do the work that the job folder DIR describes."""

import sys
from pathlib import Path

from spectra_core.jobs.work import do

if __name__ == "__main__":
    do(Path(sys.argv[1]))
