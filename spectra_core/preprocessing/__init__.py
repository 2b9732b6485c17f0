"""What is done to numbers before a method sees them, fitted on training spectra only."""

from spectra_core.preprocessing.absorbance import Clip, Transmittance
from spectra_core.preprocessing.base import Preprocessing
from spectra_core.preprocessing.derivative import SavitzkyGolay
from spectra_core.preprocessing.scatter import MSC, SNV
from spectra_core.preprocessing.standardiser import Standardiser

PREPROCESSINGS: dict[str, type[Preprocessing]] = {
    "clip": Clip,
    "transmittance": Transmittance,
    "savitzky_golay": SavitzkyGolay,
    "snv": SNV,
    "msc": MSC,
}
"""Every step of preprocessing, by name."""

__all__ = ["PREPROCESSINGS", "Preprocessing", "Standardiser"]
