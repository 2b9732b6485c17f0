"""How a set of spectra lies on disk: numbers as safetensors, everything else as JSON."""

import unicodedata
from dataclasses import dataclass
from typing import Any

import pandas as pd

from spectra_core.errors import SpectraCoreError, StoreError
from spectra_core.json_text import strict_json
from spectra_core.spectra import SetMeta, SpectraSet
from spectra_core.store.entry import DamageError, Entry, require_described
from spectra_core.store.files import json_bytes
from spectra_core.store.frames import dense, frame_document, frame_from
from spectra_core.store.shapes import shaped

_MAX_NAME = 200
SET_FILES = _NUMBERS, _WORDS = "set.safetensors", "set.json"


@dataclass(frozen=True)
class SetRecord:
    """What a list of sets shows of each.

    Parameters
    ----------
    fingerprint
        Sha256 of the content; also the storage key.
    origin
        "measured", "simulated" or "generated".
    sequence
        Order of keeping, growing.
    created
        Coordinated universal time, ISO 8601.
    licence
        Under which the data may be used, as a person stated it; empty where nobody did.
    """

    fingerprint: str
    name: str
    origin: str
    quantity: str
    n_spectra: int
    n_channels: int
    target_names: tuple[str, ...]
    sequence: int
    created: str
    licence: str = ""


def set_record(entry: Entry) -> SetRecord:
    """Read the record of a listed set."""
    known = {"fingerprint": entry.key, "sequence": entry.sequence, "created": entry.created}
    return shaped(SetRecord, {**entry.record, **known})


def record_of(spectra: SpectraSet) -> dict[str, Any]:
    """Describe a set for the list."""
    return {
        "name": spectra.meta.name,
        "origin": spectra.meta.origin,
        "quantity": spectra.meta.quantity,
        "n_spectra": len(spectra),
        "n_channels": spectra.n_channels,
        "target_names": list(spectra.target_names),
    }


def set_files(spectra: SpectraSet) -> dict[str, bytes]:
    """Return the files of a set."""
    from safetensors.numpy import save

    words = {
        "frame": frame_document(spectra.frame),
        "origin": spectra.meta.origin,
        "provenance": dict(spectra.meta.provenance),
        "samples": [[name, list(spectra.samples[name])] for name in spectra.samples.columns],
    }
    arrays = {"axis": spectra.axis.positions, "signal": spectra.signal, "targets": spectra.target_values}
    return {_NUMBERS: save(dense(arrays)), _WORDS: json_bytes(words)}


def kept_set(entry: Entry, files: dict[str, bytes]) -> SpectraSet:
    """Rebuild a kept set.

    Raises
    ------
    DamageError
        When its files are not those of the set that its record describes.
    """
    try:
        spectra = set_from(entry.key, entry.record["name"], files)
    except StoreError as error:
        raise DamageError("its files are not those of a set as this version keeps it.") from error
    described = record_of(spectra)
    require_described(entry, {name: described[name] for name in ("n_spectra", "n_channels", "target_names")})
    return spectra


def set_from(fingerprint: str, name: str, files: dict[str, bytes]) -> SpectraSet:
    """Rebuild a set and check that its content has the fingerprint it was kept under.

    The file with the numbers is taken out of `files`: a large set would be held three times while it is read.

    Raises
    ------
    StoreError
        When it has not.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        words, arrays = strict_json(files[_WORDS]), load(files.pop(_NUMBERS))
        frame = frame_from(words["frame"], arrays["axis"])
        spectra = SpectraSet(
            frame.axis,
            arrays.pop("signal"),
            pd.DataFrame(arrays["targets"], columns=list(frame.target_names)),
            target_info=frame.target_info,
            samples=pd.DataFrame(dict(words["samples"])),
            meta=SetMeta(name, words["origin"], frame.quantity, frame.unit, words["provenance"]),
        )
    except (LookupError, TypeError, ValueError, ArithmeticError, SafetensorError, SpectraCoreError) as error:
        raise StoreError(
            f"The set {name!r} cannot be read back: it is damaged. Import or simulate it again."
        ) from error
    if spectra.fingerprint != fingerprint:
        raise StoreError(f"The set {name!r} is not what was kept. Import or simulate it again.")
    return spectra


def checked_name(name: str) -> str:
    """Return a name that a person gave, without blanks around it; refuse what is none."""
    stripped = name.strip()
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in stripped):
        raise StoreError("A name is one line of text, without control characters. Choose another.")
    if not 0 < len(stripped) <= _MAX_NAME:
        raise StoreError(f"A name has 1 to {_MAX_NAME} characters, got {len(stripped)}. Choose another.")
    return stripped
