"""Where networks are trained: on the processor, or on an accelerator that torch sees."""

from typing import Literal

from spectra_core.errors import ConfigError

Device = Literal["auto", "cpu", "cuda"]
CPU = "cpu"


def accelerator() -> str | None:
    """Return torch's name of the accelerator it sees, None where there is none."""
    import torch

    return "cuda" if torch.cuda.is_available() else None


def trained_on(device: Device) -> str:
    """Return torch's name of the device that `device` stands for on this machine.

    Parameters
    ----------
    device
        "auto": an accelerator where torch sees one, else the processor; "cpu" or "cuda" insist on one.

    Raises
    ------
    ConfigError
        When an accelerator is insisted on and there is none.

    Examples
    --------
    >>> trained_on("cpu")
    'cpu'
    """
    found = None if device == "cpu" else accelerator()
    if device == "cuda" and found is None:
        raise ConfigError(
            'These networks are to be trained with device="cuda", but torch sees no accelerator. Choose device="auto" '
            'or "cpu", or install a build of torch that supports yours.'
        )
    return found or CPU


def device_title(name: str) -> str:
    """Return what results say of a device.

    >>> device_title("cpu")
    'cpu'
    """
    if not name.startswith("cuda"):
        return name
    import torch

    return f"{name} ({torch.cuda.get_device_name(name)})"
