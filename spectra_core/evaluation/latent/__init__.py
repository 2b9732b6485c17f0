"""What a latent space holds, and where spectra lie on a map."""
