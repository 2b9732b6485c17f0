"""A cluster as the workforce of an experiment."""

from collections.abc import Sequence
from dataclasses import dataclass

from spectra_core.cluster.address import require_distributed, scheduler_address
from spectra_core.contracts import Memo, Reporter
from spectra_core.errors import ClusterError, ConfigError
from spectra_core.experiment.units import Unit
from spectra_core.spectra import SpectraSet

CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class Cluster:
    """Workers behind a Dask scheduler, for the `workforce` of `experiment.run`.

    Results come back as arrays and are kept in the memo of whoever runs the experiment: no disk is shared. They equal
    those of a local run to the last bit where the workers have the same versions and kind of processor; workers of
    other versions are left out.

    Parameters
    ----------
    address
        Of the scheduler, as ``tcp://host:8786``; ``tls://`` where Dask's configuration names certificates.
    silence
        Seconds without an answer after which the scheduler counts as lost; it judges the workers, by its worker-ttl.
    patience
        Seconds to wait while there is no worker.

    Raises
    ------
    ConfigError
        When the address is none, or the package distributed is not installed.
    """

    address: str
    silence: float = 30.0
    patience: float = 600.0

    def __post_init__(self) -> None:
        if scheduler_address(self.address) is None:
            raise ConfigError("A cluster needs the address of its scheduler, such as tcp://host:8786.")
        require_distributed()

    def work_through(self, units: Sequence[Unit], spectra: SpectraSet, memo: Memo, reporter: Reporter) -> None:
        """Do all units on the workers; afterwards `memo` holds what came of each.

        Raises
        ------
        Cancelled
            When the reporter says that the person asked to stop; finished units stay in the memo.
        ClusterError
            When the scheduler cannot be reached or is lost, no worker can be used, or a unit lost two workers.
        """
        from distributed import Client

        from spectra_core.cluster.dispatch import Dispatch

        reporter.message(f"Working on the cluster at {self.address}.")
        try:
            client = Client(self.address, timeout=CONNECT_SECONDS, set_as_default=False, name="latent-spectra")
        except (OSError, TimeoutError, ValueError) as error:
            raise ClusterError(
                f"No scheduler answers at {self.address}. Start it, check the address, or "
                "leave the address out to work on this computer."
            ) from error
        Dispatch(client, units, spectra, memo, reporter, silence=self.silence, patience=self.patience).run()


def workforce(address: str | None = None) -> Cluster | None:
    """Return the cluster at an address, else the one that the environment names, else None: this computer's threads."""
    found = scheduler_address(address)
    return None if found is None else Cluster(found)
