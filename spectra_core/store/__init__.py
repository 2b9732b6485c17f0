"""Sets, models and results on disk, by fingerprint; written at once or not at all; nothing is pickled."""

from spectra_core.store.calibrations import CalibrationRecord, load_calibration, save_calibration
from spectra_core.store.disk import DiskUse
from spectra_core.store.entry import Binned, Damaged
from spectra_core.store.models import ModelRecord, StoredModel
from spectra_core.store.results import ResultRecord, StoredResult
from spectra_core.store.sets import SetRecord
from spectra_core.store.store import Store, home_folder

__all__ = [
    "Binned",
    "CalibrationRecord",
    "Damaged",
    "DiskUse",
    "ModelRecord",
    "ResultRecord",
    "SetRecord",
    "Store",
    "StoredModel",
    "StoredResult",
    "home_folder",
    "load_calibration",
    "save_calibration",
]
