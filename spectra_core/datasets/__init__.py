"""Where spectra come from: files, public sets, and the simulator."""

from spectra_core.datasets.questions import Choice, Point, Problem
from spectra_core.datasets.recipe import Recipe
from spectra_core.datasets.understanding import DataWarning, Understanding, read, understand
from spectra_core.datasets.writers import WRITERS, export

__all__ = [
    "WRITERS",
    "Choice",
    "DataWarning",
    "Point",
    "Problem",
    "Recipe",
    "Understanding",
    "export",
    "read",
    "understand",
]
