"""Is a set fit for calibration: its design, and spectra that do not belong."""
