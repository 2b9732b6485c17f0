"""Models that read concentrations from spectra."""
