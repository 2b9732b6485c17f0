"""Compile what training needs, before anybody waits for it: ``python -m spectra_core.jobs.compiling_ahead``.

Numba keeps what it compiled on disk, so this does something in a new installation only. The app starts it in a process
of its own when its first visitor comes.
"""

import os
from contextlib import suppress
from typing import Any

NICENESS = 15
"""How far it steps back behind jobs, and behind whatever a person does."""


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
    import numpy as np
    import pandas as pd

    from spectra_core.generators import VAE
    from spectra_core.regressors import MLP
    from spectra_core.spectra import SpectralAxis, SpectraSet

    values = np.random.default_rng(0).random((40, 5))
    spectra = SpectraSet(SpectralAxis(np.arange(5.0)), values, pd.DataFrame({"target": values[:, 0]}))
    MLP(epochs=1, kernels="numba", device="cpu").fit(spectra)
    VAE(n_hidden=8, n_latent=2, epochs=1, kernels="numba", device="cpu").fit(spectra)


if __name__ == "__main__":
    if hasattr(os, "nice"):
        with suppress(OSError):
            os.nice(NICENESS)
    compile_ahead()
