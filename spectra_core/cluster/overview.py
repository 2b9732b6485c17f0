"""Who works for a scheduler, and on what: for people to look at."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pandas as pd

from spectra_core.cluster.address import require_distributed
from spectra_core.errors import ClusterError

ANSWER_SECONDS = 3.0


@dataclass(frozen=True, eq=False)
class Overview:
    """What a scheduler says of its workers.

    Parameters
    ----------
    workers
        Row per worker: ``name``, ``worker`` (address), ``threads``, ``memory`` and ``memory_limit`` [bytes],
        ``cpu`` [%], ``works_on`` (what it does, a line each; empty where nothing).
    """

    address: str
    workers: pd.DataFrame


def overview(address: str) -> Overview:
    """Ask a scheduler for its workers.

    Raises
    ------
    ClusterError
        When it does not answer within three seconds.
    ConfigError
        When the package distributed is not installed.
    """
    require_distributed()
    try:
        identity, processing = asyncio.run(asyncio.wait_for(_ask(address), ANSWER_SECONDS))
    except (OSError, TimeoutError, ValueError) as error:
        raise ClusterError(
            f"No scheduler answers at {address}. Start it, or check the address; work goes on where it runs already."
        ) from error
    rows = [
        {
            "name": str(facts["name"]),
            "worker": worker,
            "threads": facts["nthreads"],
            "cpu": facts["metrics"].get("cpu", 0.0),
            "memory": facts["metrics"].get("memory", 0),
            "memory_limit": facts["memory_limit"],
            "works_on": "\n".join(_said(key) for key in processing.get(worker, ())),
        }
        for worker, facts in sorted(identity["workers"].items())
    ]
    return Overview(address, pd.DataFrame(rows, columns=list(_COLUMNS)))


_COLUMNS = ("name", "worker", "threads", "cpu", "memory", "memory_limit", "works_on")


async def _ask(address: str) -> tuple[dict[str, Any], dict[str, Any]]:
    from distributed.core import rpc
    from distributed.security import Security

    scheduler = rpc(address, connection_args=Security().get_connection_args("client"), timeout=ANSWER_SECONDS)
    async with scheduler:
        return await scheduler.identity(), await scheduler.processing()


def _said(key: Any) -> str:
    """Return the part of a task's key that is meant for people.

    >>> _said("VAE: MLP, repetition 1, fold 3 (latent-spectra-0123-4567)")
    'VAE: MLP, repetition 1, fold 3'
    """
    return str(key).partition(" (latent-spectra-")[0]
