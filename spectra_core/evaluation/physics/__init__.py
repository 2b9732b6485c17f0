"""Whether a spectrum could have been measured."""
