"""``latent-spectra``, or ``python -m spectra_core``: the command line."""

import os
import sys

from spectra_core.training.numerical_threads import THREAD_LIMITS


def run() -> int:
    """Run one command in this process, every numerical library on one thread, and return its exit code."""
    # Before numpy is loaded, which reads them once. Jobs do the same: the order of sums decides last bits.
    # The app has no such results: it leaves them to its jobs.
    if sys.argv[1:2] != ["app"]:
        os.environ.update(dict.fromkeys(THREAD_LIMITS, "1"))
    try:
        from spectra_core.cli.commands import main

        try:
            return main()
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:  # while it was loaded
        sys.stderr.write("Cancelled before it began.\n")
        return 128 + 2
    except BrokenPipeError:  # whoever reads, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13  # as a shell says it of SIGPIPE


if __name__ == "__main__":
    sys.exit(run())
