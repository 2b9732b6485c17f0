"""Do concentrations fit their spectra: measured labels, generated labels, sets that were chosen."""
