"""The same experiment on many computers: a Dask cluster, found by the address of its scheduler.

Nothing here is loaded, and Dask need not be installed, unless an address is given.
"""

from spectra_core.cluster.address import SCHEDULER_VARIABLE, scheduler_address
from spectra_core.cluster.cluster import Cluster, workforce
from spectra_core.cluster.overview import Overview, overview

__all__ = ["SCHEDULER_VARIABLE", "Cluster", "Overview", "overview", "scheduler_address", "workforce"]
