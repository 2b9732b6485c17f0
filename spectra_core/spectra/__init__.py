"""Spectra with their axis, targets and origin, held together, locked and fingerprinted."""

from spectra_core.spectra.checks import require_same_targets
from spectra_core.spectra.frame import Frame, Origin, SetMeta, SpectralAxis, Target
from spectra_core.spectra.spectra_set import SpectraSet, require_same_axis, require_targets, stack, without

__all__ = [
    "Frame",
    "Origin",
    "SetMeta",
    "SpectraSet",
    "SpectralAxis",
    "Target",
    "require_same_axis",
    "require_same_targets",
    "require_targets",
    "stack",
    "without",
]
