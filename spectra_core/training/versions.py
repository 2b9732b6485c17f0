"""Versions of what computed a result: part of every result's provenance."""

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from spectra_core import __version__
from spectra_core.training.devices import CPU, device_title

_PACKAGES = ("numpy", "pandas", "scipy", "scikit-learn", "torch", "numba", "phreeqc")


@cache
def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def versions(device: str = CPU) -> dict[str, str]:
    """Return the versions of Python, this package and what it computes with.

    Parameters
    ----------
    device
        What networks were trained on; named where it is not the processor.

    Examples
    --------
    >>> sorted(versions())[:3]
    ['latent-spectra', 'numba', 'numpy']
    """
    found = {"latent-spectra": __version__, "python": platform.python_version()}
    found |= {package: _installed(package) for package in _PACKAGES}
    if device != CPU:
        found["device"] = device_title(device)
    return found
