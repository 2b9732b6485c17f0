"""A calibration to use: fitted on all spectra, its figures of merit, and the reading of unknown spectra."""

from spectra_core.calibration.calibration import Calibration, calibrate
from spectra_core.calibration.merit import coefficient_table, figures_of_merit, regression_vectors
from spectra_core.calibration.reading import diagnostics, read

__all__ = [
    "Calibration",
    "calibrate",
    "coefficient_table",
    "diagnostics",
    "figures_of_merit",
    "read",
    "regression_vectors",
]
