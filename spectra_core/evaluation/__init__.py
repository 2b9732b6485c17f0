"""How generated spectra differ from experimental ones, and what they do to errors: one question a file."""
