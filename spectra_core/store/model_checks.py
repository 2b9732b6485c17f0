"""Checks of a model file before anything in it is used: it may come from anyone.

It is never unpickled, sizes are bounded before memory is asked for, the configuration before a layer is built, and
there is no second way in.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from spectra_core.contracts import Arrays
from spectra_core.errors import ConfigError, ReadError, SpectraCoreError, StoreError, json_fault
from spectra_core.json_text import strict_json
from spectra_core.options import options_of
from spectra_core.spectra import Frame

FORMAT = "latent-spectra model"
FORMAT_VERSION = 1
MAX_BYTES = 512 * 2**20
MAX_HEADER_BYTES = 16 * 2**20
MAX_CHANNELS = 200_000
MAX_TARGETS = 1_000
MAX_NUMBER = 10**9

WHOLE_NUMBERS = {"constant_at", "fold", "ids", "n_components", "n_groups"}
"""Last part of the names of arrays of whole numbers, beside those that mark the constant columns of a scaling."""

META = "latent_spectra"
_NO_PICKLE = (
    "This is a pickled or zipped model file (.pt, .pth, .pkl), which can run code when it is opened. "
    "Only model files exported by this program (.safetensors) are read."
)


class UnknownMemberError(ReadError):
    """A model file is of a member that is not in its registry here."""


def member_class(registry: str, member: str) -> type[Any]:
    """Return the class of a member by the name of its registry and its own.

    Raises
    ------
    StoreError
        When either is unknown, listing the known ones.
    """
    members = _members(registry)
    if not isinstance(member, str) or member not in members:
        known = ", ".join(sorted(members))
        raise StoreError(f"Unknown {registry} {str(member)[:60]!r}. Known ones are: {known}.")
    return members[member]


def _members(registry: str) -> Mapping[str, type[Any]]:
    # Here, since both registries take seconds to import on a cold disk.
    if registry == "generator":
        from spectra_core.generators import GENERATORS

        return GENERATORS
    if registry == "regressor":
        from spectra_core.regressors import REGRESSORS

        return REGRESSORS
    raise StoreError(f"A model is a generator or a regressor, not {str(registry)[:60]!r}.")


def checked_parts(content: bytes) -> tuple[dict[str, Any], Arrays]:
    """Check sizes, header and JSON, and return the description and the arrays.

    Raises
    ------
    ReadError
        In one sentence.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    header = checked_header(content)
    try:
        text = header.pop("__metadata__")[META]
        document = strict_json(text)
    except (KeyError, TypeError) as error:
        raise ReadError("This safetensors file was not exported by this program: it lacks the description.") from error
    except ValueError as error:
        raise ReadError(f"The description in this model file {json_fault(error)}. Export the model again.") from error
    if document.get("format") != FORMAT or document.get("version") != FORMAT_VERSION:
        raise ReadError(
            f"Expected a model file of format version {FORMAT_VERSION}, got {str(document.get('version'))[:20]!r}. "
            "Export the model again with this version of the program."
        )
    try:
        return document, load(content)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise ReadError(
            "The arrays in this model file do not fit its header: it is damaged or cut off. Export it again."
        ) from error


def checked_header(content: bytes) -> dict[str, Any]:
    """Return the header of a safetensors file, after checking sizes and JSON; ReadError in one sentence."""
    if len(content) > MAX_BYTES:
        raise ReadError(f"The model file has {len(content) / 2**20:.0f} MB; at most {MAX_BYTES // 2**20} MB are read.")
    if content[:2] in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05") and b"{" not in content[8:9]:
        raise ReadError(_NO_PICKLE)
    if len(content) < 8:
        raise ReadError("This is no model file: it is too short to hold a model.")
    length = int.from_bytes(content[:8], "little")
    if length > min(MAX_HEADER_BYTES, len(content) - 8) or content[8:9] != b"{":
        raise ReadError("This is no model file: its header is not that of a safetensors file.")
    try:
        return strict_json(content[8 : 8 + length])
    except ValueError as error:
        raise ReadError(f"The header of this model file {json_fault(error)}. Export the model again.") from error


def fitted_member(record: Mapping[str, Any], frame: Frame, state: Arrays) -> Any:
    """Build the member and give it its state; members check every option, and every array before they build a layer.

    Raises
    ------
    ReadError
        When the member is unknown, a setting is unknown or beyond reason, or the arrays do not fit.
    """
    try:
        kind = member_class(record["registry"], record["member"])
    except StoreError as error:
        raise UnknownMemberError(f"This model file cannot be used. {error}") from error
    options = record["configuration"]
    unknown = sorted(set(options) - set(options_of(kind)))
    if unknown:
        raise ReadError(f"The model file sets {unknown[0][:60]!r}, which {kind.__name__} does not know.")
    try:
        member = kind(**options)
    except ConfigError as error:
        raise ReadError(f"A setting of this model file is refused. {error}") from error
    try:
        return member.from_arrays(state, frame)
    except SpectraCoreError as error:
        raise ReadError(f"The arrays in this model file do not fit its configuration: {error}") from error
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RuntimeError) as error:
        raise ReadError(f"The arrays in this model file do not fit its configuration ({cause(error)}).") from error


def require_numbers(state: Arrays) -> None:
    """Refuse arrays of other numbers than models are made of: whole ones by their names, else fractions.

    Raises
    ------
    ReadError
        Naming the array.
    """
    from spectra_core.preprocessing.magnitudes import LARGEST

    for name, values in state.items():
        called = repr(name[:60])
        is_whole = name.endswith(".constant") or name.rpartition(".")[2] in WHOLE_NUMBERS
        if not (values.dtype.kind in "iu" if is_whole else values.dtype in (np.float32, np.float64)):
            wanted = "whole numbers" if is_whole else "fractions of 4 or 8 bytes"
            raise ReadError(f"The array {called} of a model holds {wanted}, but here {values.dtype}. Export it again.")
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ReadError(f"The model holds values that are not finite, in its array {called}. Train it again.")
        if values.dtype.kind == "f" and values.size and max(float(values.max()), -float(values.min())) > LARGEST:
            raise ReadError(
                f"Nothing can be computed with numbers beyond {LARGEST:g}, which the model holds in its array "
                f"{called}. Train it again."
            )


def cause(error: Exception) -> str:
    """Return what an error says, short enough for a sentence."""
    return (f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error))[:200].rstrip(".")
