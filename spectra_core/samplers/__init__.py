"""Latent sampling strategies: where in latent space new spectra are decoded from."""
