"""The process that waits for the next job, without loading anything beforehand."""

import sys
from pathlib import Path

from spectra_core.jobs import waiting

if __name__ == "__main__":
    waiting._PREPARATIONS = ()
    waiting.main(Path(sys.argv[1]), sys.argv[2], (int(sys.argv[3]), sys.argv[4]))
