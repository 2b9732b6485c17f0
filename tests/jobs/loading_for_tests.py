"""The process that waits for the next job, on a computer where loading takes for ever."""

import sys
import time
from pathlib import Path

from spectra_core.jobs import waiting

if __name__ == "__main__":
    waiting._PREPARATIONS = (lambda: time.sleep(3600),)
    waiting.main(Path(sys.argv[1]), sys.argv[2], (int(sys.argv[3]), sys.argv[4]))
