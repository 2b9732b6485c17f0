"""A calibration to use: fitted on all spectra, its figures of merit, and the reading of unknown spectra."""

from spectra_core.calibration.calibration import Calibration, calibrate
from spectra_core.calibration.labels import with_teacher_intervals
from spectra_core.calibration.merit import coefficient_table, figures_of_merit, regression_vectors
from spectra_core.calibration.reading import diagnostics, nearest, read
from spectra_core.calibration.validation import ExternalValidation, interval_calibration, validate

__all__ = [
    "Calibration",
    "ExternalValidation",
    "calibrate",
    "coefficient_table",
    "diagnostics",
    "figures_of_merit",
    "interval_calibration",
    "nearest",
    "read",
    "regression_vectors",
    "validate",
    "with_teacher_intervals",
]
