"""Models that make new spectra."""
