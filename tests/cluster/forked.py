"""A scheduler or a worker of Dask as its command line starts it, in a process that has loaded everything before."""

import os
from pathlib import Path

import dask
from distributed.cli import dask_scheduler, dask_worker

import spectra_core.cluster.worker_side  # noqa: F401  # loaded before the process forks: five seconds each

COMMANDS = {"scheduler": dask_scheduler.main, "worker": dask_worker.main}


def do(command: str, arguments: tuple[str, ...], folder: Path, worker_ttl: str) -> None:
    """Be ``dask scheduler`` or ``dask worker``, printing to a file of the folder."""
    with (folder / f"{command}.txt").open("ab") as output:
        for descriptor in (1, 2):
            os.dup2(output.fileno(), descriptor)
    os.chdir(folder)
    dask.config.set({"temporary-directory": str(folder), "distributed.scheduler.worker-ttl": worker_ttl})
    COMMANDS[command](list(arguments))
