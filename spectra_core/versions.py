"""Versions of what computed a result: part of every result's provenance."""

import platform
from importlib.metadata import PackageNotFoundError, version

from spectra_core import __version__

_PACKAGES = ("numpy", "pandas", "scipy", "scikit-learn", "torch", "umap-learn", "phreeqc")


def versions() -> dict[str, str]:
    """Return the versions of Python, this package and what it computes with.

    >>> sorted(versions())[:3]
    ['latent-spectra', 'numpy', 'pandas']
    """
    found = {"latent-spectra": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
