"""The model file: one safetensors file with strict JSON in its header. It can be read, checked and refused.

A model file may come from anyone, so nothing in it is trusted: it is never unpickled, sizes are bounded before
memory is asked for, the configuration before a layer is built, and there is no second way in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from spectra_core.contracts import Arrays, configuration
from spectra_core.errors import ReadError, SpectraCoreError, StoreError
from spectra_core.spectra import Frame, SpectraSet
from spectra_core.store.entries import Entry
from spectra_core.store.files import json_bytes, strict_json
from spectra_core.store.frames import dense, frame_document, frame_from
from spectra_core.versions import versions

FORMAT = "latent-spectra model"
FORMAT_VERSION = 1
MAX_BYTES = 512 * 2**20
MAX_HEADER_BYTES = 16 * 2**20
MAX_CHANNELS = 200_000
MAX_TARGETS = 1_000
MAX_DIMENSIONS = 4
BOUNDS = {"n_hidden": 8192, "n_latent": 4096, "n_components": 4096, "n_members": 1000, "n_layers": 64}
"""Largest accepted value of a field that decides how much memory a model takes."""
MAX_NUMBER = 10**9
MAX_ITEMS = 64

_META = "latent_spectra"
_POSITIONS, _STATE, _HISTORY = "frame.positions", "state.", "history."
_DTYPES = {"F64": 8, "F32": 4, "I64": 8, "I32": 4, "U8": 1, "BOOL": 1}
_NO_PICKLE = (
    "This is a pickled or zipped model file (.pt, .pth, .pkl), which can run code when it is opened. "
    "Only model files exported by this program (.safetensors) are read."
)


@dataclass(frozen=True)
class ModelRecord:
    """What a list of models shows of each.

    Parameters
    ----------
    id
        Sha256 of the model file: two trainings with the same outcome, to the last bit, share it.
    registry, member
        "generator" or "regressor", and the name in that registry.
    title
        Name of the member on the page.
    trained_on, trained_on_name
        Fingerprint and name of the set it was trained on.
    held_out_rows
        Rows of that set which the training did not see.
    versions
        Of python, numpy, torch and this program, at training.
    extra
        Whatever whoever kept the model wanted to remember; JSON values.
    """

    id: str
    name: str
    registry: str
    member: str
    title: str
    configuration: dict[str, Any]
    seed: int
    trained_on: str
    trained_on_name: str
    n_channels: int
    target_names: tuple[str, ...]
    n_parameters: int | None
    held_out_rows: tuple[int, ...]
    versions: dict[str, str]
    extra: dict[str, Any]
    sequence: int
    created: str


@dataclass(frozen=True, eq=False)
class StoredModel:
    """A model read back: its record, the fitted model, and its training curve (one row per epoch)."""

    record: ModelRecord
    model: Any
    history: pd.DataFrame


@dataclass(frozen=True, eq=False)
class ModelFile:
    """A model file that passed every check."""

    model: Any
    history: pd.DataFrame
    record: dict[str, Any]


def model_record(entry: Entry) -> ModelRecord:
    """Read the record of a listed model."""
    known = {
        **entry.record,
        "target_names": tuple(entry.record["target_names"]),
        "held_out_rows": tuple(entry.record["held_out_rows"]),
    }
    return ModelRecord(id=entry.key, sequence=entry.sequence, created=entry.created, **known)


def write_model(
    model: Any, *, registry: str, member: str, train: SpectraSet, seed: int, extra: Mapping[str, Any]
) -> bytes:
    """Return the model file of a fitted model.

    Raises
    ------
    StoreError
        When a weight is not finite, or the member is not in its registry.
    """
    from safetensors.numpy import save

    member_class(registry, member)
    state = {name: np.asarray(values) for name, values in model.to_arrays().items()}
    _require_finite(state)
    history = _history_of(model)
    remembered = dict(extra)
    document = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "registry": registry,
        "member": member,
        "configuration": configuration(model),
        "frame": frame_document(model.frame_),
        "seed": seed,
        "versions": versions(),
        "data": {"fingerprint": train.fingerprint, "name": train.meta.name},
        "held_out_rows": [int(row) for row in remembered.pop("held_out_rows", ())],
        "history": list(history.columns),
        "extra": remembered,
    }
    arrays: Arrays = {_POSITIONS: model.frame_.axis.positions}
    arrays |= {_STATE + name: values for name, values in state.items()}
    arrays |= {_HISTORY + str(n): history[name].to_numpy(np.float64) for n, name in enumerate(history.columns)}
    return bytes(save(dense(arrays), metadata={_META: json_bytes(document).decode("ascii")}))


def read_model(content: bytes) -> ModelFile:
    """Check a model file and build the model in it.

    Raises
    ------
    ReadError
        In one sentence, when anything about the file is not as it must be.
    """
    document, arrays = _checked_parts(content)
    try:
        frame = frame_from(document["frame"], arrays.pop(_POSITIONS))
        if len(frame.axis) > MAX_CHANNELS or len(frame.target_info) > MAX_TARGETS:
            raise ValueError(f"more than {MAX_CHANNELS} channels or {MAX_TARGETS} targets")
        history = pd.DataFrame(
            {str(name): arrays.pop(_HISTORY + str(number)) for number, name in enumerate(document["history"])}
        )
        record = _record_from(document, frame)
    except (KeyError, TypeError, ValueError, AttributeError, SpectraCoreError) as error:
        raise ReadError(f"The description in this model file is incomplete or wrong ({_cause(error)}).") from error
    foreign = [name for name in arrays if not name.startswith(_STATE)]
    if foreign:
        raise ReadError(f"The model file holds an array that no model has: {foreign[0][:60]!r}.")
    state = {name.removeprefix(_STATE): values.copy() for name, values in arrays.items()}
    _require_finite(state)
    if "epoch" in history:
        history["epoch"] = history["epoch"].astype(np.int64)
    fitted = _fitted(record, frame, state)
    return ModelFile(fitted, history, {**record, **_described(fitted)})


def member_class(registry: str, member: str) -> type[Any]:
    """Return the class of a member by the name of its registry and its own.

    Raises
    ------
    StoreError
        When either is unknown, listing the known ones.
    """
    registries = _registries()
    if registry not in registries:
        raise StoreError(f"A model is a {' or a '.join(registries)}, not a {str(registry)[:60]!r}.")
    members = registries[registry]
    if member not in members:
        known = ", ".join(sorted(members))
        raise StoreError(f"Unknown {registry} {str(member)[:60]!r}. Known ones are: {known}.")
    return members[member]


def _registries() -> dict[str, Mapping[str, type[Any]]]:
    from spectra_core.generators import GENERATORS
    from spectra_core.regressors import REGRESSORS

    return {"generator": GENERATORS, "regressor": REGRESSORS}


def _checked_parts(content: bytes) -> tuple[dict[str, Any], Arrays]:
    """Check sizes, header and JSON, and return the description and the arrays."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    header = _checked_header(content)
    try:
        text = header.pop("__metadata__")[_META]
        document = strict_json(text)
    except (KeyError, TypeError) as error:
        raise ReadError("This safetensors file was not exported by this program: it lacks the description.") from error
    except ValueError as error:
        raise ReadError(f"The description in this model file is not valid JSON: {error}.") from error
    if document.get("format") != FORMAT or document.get("version") != FORMAT_VERSION:
        raise ReadError(
            f"Expected a model file of format version {FORMAT_VERSION}, got {str(document.get('version'))[:20]!r}. "
            "Export the model again with this version of the program."
        )
    for name, entry in header.items():
        _check_tensor(name, entry)
    try:
        return document, load(content)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise ReadError(f"The arrays in this model file do not fit its header: {_cause(error)}.") from error


def _checked_header(content: bytes) -> dict[str, Any]:
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
        raise ReadError(f"The header of this model file is not valid JSON: {error}.") from error


def _check_tensor(name: str, entry: Any) -> None:
    shape = entry.get("shape") if isinstance(entry, dict) else None
    if not isinstance(shape, list) or entry.get("dtype") not in _DTYPES:
        raise ReadError(f"The array {name[:60]!r} of this model file is not described as an array of numbers.")
    if len(shape) > MAX_DIMENSIONS or not all(type(size) is int and 0 <= size <= MAX_NUMBER for size in shape):
        raise ReadError(f"The array {name[:60]!r} of this model file has an impossible shape.")


def _record_from(document: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    rows = document["held_out_rows"]
    if not isinstance(rows, list) or not all(type(row) is int and 0 <= row <= MAX_NUMBER for row in rows):
        raise TypeError("held-out rows are whole numbers")
    if type(document["seed"]) is not int or document["seed"] < 0:
        raise TypeError("a seed is a whole number from 0 upwards")
    for name in ("configuration", "versions", "extra", "data"):
        if not isinstance(document[name], dict):
            raise TypeError(f"{name} is not a mapping")
    return {
        "registry": document["registry"],
        "member": document["member"],
        "configuration": document["configuration"],
        "seed": document["seed"],
        "trained_on": str(document["data"]["fingerprint"])[:64],
        "trained_on_name": str(document["data"]["name"])[:500],
        "n_channels": len(frame.axis),
        "target_names": list(frame.target_names),
        "held_out_rows": rows,
        "versions": {str(name): str(value) for name, value in document["versions"].items()},
        "extra": document["extra"],
    }


def _fitted(record: Mapping[str, Any], frame: Frame, state: Arrays) -> Any:
    """Build the member and give it its state, once its size is known to be that of the arrays at hand."""
    try:
        kind = member_class(record["registry"], record["member"])
    except StoreError as error:
        raise ReadError(f"This model file cannot be used. {error}") from error
    options = _bounded(kind, record["configuration"])
    n_numbers = sum(values.size for values in state.values())
    widest = max((size for size in options.values() if type(size) is int and size > 1), default=1)
    hidden = options.get("n_hidden")
    if type(hidden) is int and hidden * len(frame.axis) > n_numbers:
        raise ReadError(
            f"The model file speaks of {hidden} hidden units over {len(frame.axis)} channels but holds only "
            f"{n_numbers} numbers (its largest setting is {widest})."
        )
    try:
        return kind(**options).from_arrays(state, frame)
    except SpectraCoreError as error:
        raise ReadError(f"The arrays in this model file do not fit its configuration: {error}") from error
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RuntimeError) as error:
        raise ReadError(f"The arrays in this model file do not fit its configuration ({_cause(error)}).") from error


def _bounded(kind: type[Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Refuse unknown fields, values that are no numbers or short texts, and sizes beyond reason."""
    known = {field.name: field for field in fields(kind) if field.init}
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ReadError(f"The model file sets {unknown[0][:60]!r}, which {kind.__name__} does not know.")
    for name, value in options.items():
        _require_bounded(name, value)
    return {
        name: tuple(value) if isinstance(value, list) and "tuple" in str(known[name].type) else value
        for name, value in options.items()
    }


def _require_bounded(name: str, value: Any) -> None:
    if isinstance(value, list):
        if len(value) > MAX_ITEMS:
            raise ReadError(f"The setting {name!r} has {len(value)} values; at most {MAX_ITEMS} are accepted.")
        for item in value:
            _require_bounded(name, item)
    elif isinstance(value, str):
        if len(value) > 200:
            raise ReadError(f"The setting {name!r} is a text of {len(value)} characters; at most 200 are accepted.")
    elif isinstance(value, dict):
        raise ReadError(f"The setting {name!r} is a mapping; settings are numbers, texts and lists of them.")
    elif value is not None and not isinstance(value, bool) and abs(value) > BOUNDS.get(name, MAX_NUMBER):
        raise ReadError(f"The setting {name} = {value} is beyond the accepted {BOUNDS.get(name, MAX_NUMBER)}.")


def _require_finite(state: Arrays) -> None:
    for name, values in state.items():
        if values.dtype.kind not in "fiub":
            raise ReadError(f"A model is made of numbers, but its array {name[:60]!r} holds {values.dtype}.")
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ReadError(f"The model holds values that are not finite, in its array {name[:60]!r}. Train it again.")


def _history_of(model: Any) -> pd.DataFrame:
    history = getattr(model, "history_", None)
    return history if isinstance(history, pd.DataFrame) else pd.DataFrame()


def _described(model: Any) -> dict[str, Any]:
    count = getattr(model, "n_parameters", None)
    return {"title": type(model).title, "n_parameters": int(count) if isinstance(count, int | np.integer) else None}


def _cause(error: Exception) -> str:
    return (f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error))[:200].rstrip(".")
