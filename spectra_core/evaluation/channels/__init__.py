"""Whether generated spectra vary as the experimental ones do, channel by channel."""
