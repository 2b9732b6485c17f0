"""Compile what training needs, before anybody waits for it.

Numba keeps what it compiled on disk, so this takes long in a new installation only. The process that waits for the next
job does it.
"""

from typing import Any


def compile_ahead() -> bool:
    """Compile all compiled code that could be kept on disk and is not; return whether there was any."""
    from spectra_core.training.compiling import must_compile
    from spectra_core.training.mlp_kernels import mlp_epoch
    from spectra_core.training.vae_kernels import vae_epoch

    compiled: tuple[Any, ...] = (mlp_epoch, vae_epoch)
    needed = [function for function in compiled if function.stats.cache_path is not None and must_compile(function)]
    if needed:
        _use_all()
    return bool(needed)


def _use_all() -> None:
    """Call it as everything else does, since numba compiles for the kinds of arguments that it is called with."""
    use_networks(kernels="numba")


def use_networks(**options: Any) -> None:
    """Train networks of a moment, so that what they call is loaded."""
    import numpy as np
    import pandas as pd

    from spectra_core.generators import VAE
    from spectra_core.regressors import MLP
    from spectra_core.spectra import SpectralAxis, SpectraSet

    values = np.random.default_rng(0).random((40, 5))
    spectra = SpectraSet(SpectralAxis(np.arange(5.0)), values, pd.DataFrame({"target": values[:, 0]}))
    MLP(epochs=1, device="cpu", **options).fit(spectra)
    VAE(n_hidden=8, n_latent=2, epochs=1, device="cpu", **options).fit(spectra)
