"""Where spectra come from: files, public sets, and the simulator."""
