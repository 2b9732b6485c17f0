"""Arrays as bytes: what crosses the network is numbers and JSON, laid out the same on both sides."""

from spectra_core.contracts import Arrays
from spectra_core.store.frames import dense


def packed(arrays: Arrays) -> bytes:
    """Return named arrays as one safetensors file."""
    from safetensors.numpy import save

    return bytes(save(dense(arrays)))


def unpacked(content: bytes) -> Arrays:
    """Return the arrays of `packed`, as copies that may be written into."""
    from safetensors.numpy import load

    return {name: values.copy() for name, values in load(content).items()}
