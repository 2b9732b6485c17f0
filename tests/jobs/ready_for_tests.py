"""The process that waits for the next job, without loading anything beforehand."""

import sys
from pathlib import Path

from spectra_core.jobs import ready

if __name__ == "__main__":
    ready._PREPARATIONS = ()
    ready.main(Path(sys.argv[1]), sys.argv[2], (int(sys.argv[3]), sys.argv[4]))
