"""Models that read concentrations from spectra."""

from spectra_core.regressors.base import FitTask, Regressor
from spectra_core.regressors.gaussian_process import GaussianProcess
from spectra_core.regressors.mlp import MLP
from spectra_core.regressors.mlp_ensemble import MLPEnsemble
from spectra_core.regressors.pls import PLS
from spectra_core.regressors.ridge import Ridge
from spectra_core.regressors.stack import Stack

REGRESSORS: dict[str, type[Regressor]] = {
    "mlp": MLP,
    "pls": PLS,
    "ridge": Ridge,
    "gaussian_process": GaussianProcess,
    "mlp_ensemble": MLPEnsemble,
    "stack": Stack,
}
"""Every regressor by name."""

__all__ = ["MLP", "PLS", "REGRESSORS", "FitTask", "GaussianProcess", "MLPEnsemble", "Regressor", "Ridge", "Stack"]
