"""Where the scheduler is, and whether it can be spoken to."""

import os
import re
from types import ModuleType

from spectra_core.errors import ConfigError

SCHEDULER_VARIABLE = "SPECTRA_SCHEDULER"
"""Environment variable with the address of the scheduler; unset or empty, all work is done by this computer."""

_FORM = re.compile(r"(tcp|tls)://[^\s/@]+:\d{1,5}")


def scheduler_address(given: str | None = None) -> str | None:
    """Return the address of the scheduler: what is given, else that of the environment, else None.

    Raises
    ------
    ConfigError
        When it is no address.
    """
    address = (given or os.environ.get(SCHEDULER_VARIABLE, "")).strip()
    if not address:
        return None
    if not _FORM.fullmatch(address):
        raise ConfigError(f"The address of a scheduler looks like tcp://host:8786, got {address!r}.")
    return address


def require_distributed() -> ModuleType:
    """Return the package that speaks to schedulers.

    Raises
    ------
    ConfigError
        When it is not installed.
    """
    try:
        import distributed
    except ImportError as error:
        raise ConfigError(
            "Working on a cluster needs the package distributed. "
            "Install it with: pip install 'latent-spectra[cluster]'."
        ) from error
    module: ModuleType = distributed
    return module
