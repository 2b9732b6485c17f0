"""The model file: one safetensors file with strict JSON in its header."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from spectra_core.contracts import Arrays, configuration
from spectra_core.errors import ReadError, SpectraCoreError, StoreError
from spectra_core.spectra import Frame, SpectraSet
from spectra_core.store.entry import DamageError, Entry, require_described
from spectra_core.store.files import json_bytes
from spectra_core.store.frames import dense, frame_document, frame_from
from spectra_core.store.model_checks import (
    FORMAT,
    FORMAT_VERSION,
    MAX_CHANNELS,
    MAX_NUMBER,
    MAX_TARGETS,
    META,
    UnknownMemberError,
    cause,
    checked_parts,
    fitted_member,
    member_class,
    require_numbers,
)
from spectra_core.store.shapes import MOST, fits, shaped
from spectra_core.training.devices import CPU
from spectra_core.training.versions import versions

MODEL_FILE = "model.safetensors"
_POSITIONS, _STATE, _HISTORY = "frame.positions", "state.", "history."


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
        Of python, numpy, torch and this program, at training; and the accelerator, where it was trained on one.
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

    @property
    def name(self) -> str:
        """What it is called until a person says otherwise."""
        return f"{self.record['title']} on {self.record['trained_on_name']}"[:200]


def model_record(entry: Entry) -> ModelRecord:
    """Read the record of a listed model."""
    known = {"id": entry.key, "sequence": entry.sequence, "created": entry.created}
    return shaped(ModelRecord, {**entry.record, **known})


def kept_frame(files: Mapping[str, bytes]) -> Frame:
    """Return what the spectra of a kept model are like, as `read_frame`.

    Raises
    ------
    DamageError
        As `kept_model`.
    """
    try:
        return read_frame(files[MODEL_FILE])
    except ReadError as error:
        raise DamageError(f"this version cannot use it. {error}") from error


def kept_model(entry: Entry, files: Mapping[str, bytes]) -> StoredModel:
    """Build a kept model.

    Raises
    ------
    DamageError
        When its file is not that of the model that its record describes.
    StoreError
        When nothing is wrong with it but that its member is not there now.
    """
    try:
        found = read_model(files[MODEL_FILE])
    except UnknownMemberError as error:
        raise StoreError(f"This model can no longer be used: {error}") from error
    except ReadError as error:
        raise DamageError(f"this version cannot use it. {error}") from error
    # Title and size are the program's to say.
    require_described(entry, {name: found.record[name] for name in found.record.keys() - {"title", "n_parameters"}})
    return StoredModel(model_record(entry), found.model, found.history)


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
    require_numbers(state)
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
        "versions": versions(getattr(model, "device_", CPU)),
        "data": {"fingerprint": train.fingerprint, "name": train.meta.name},
        "held_out_rows": [int(row) for row in remembered.pop("held_out_rows", ())],
        "history": list(history.columns),
        "extra": remembered,
    }
    arrays: Arrays = {_POSITIONS: model.frame_.axis.positions}
    arrays |= {_STATE + name: values for name, values in state.items()}
    arrays |= {_HISTORY + str(n): history[name].to_numpy(np.float64) for n, name in enumerate(history.columns)}
    return bytes(save(dense(arrays), metadata={META: json_bytes(document).decode("ascii")}))


def read_model(content: bytes) -> ModelFile:
    """Check a model file and build the model in it.

    Raises
    ------
    ReadError
        In one sentence, when anything about the file is not as it must be.
    """
    document, arrays = checked_parts(content)
    try:
        frame = frame_from(document["frame"], arrays.pop(_POSITIONS))
        if len(frame.axis) > MAX_CHANNELS or len(frame.target_info) > MAX_TARGETS:
            raise ValueError(f"more than {MAX_CHANNELS} channels or {MAX_TARGETS} targets")
        history = _history_from(document["history"], arrays)
        record = _record_from(document, frame)
    except (KeyError, TypeError, ValueError, AttributeError, SpectraCoreError) as error:
        raise ReadError(f"The description in this model file is incomplete or wrong ({cause(error)}).") from error
    state = _state_in(arrays)
    fitted = fitted_member(record, frame, state)
    return ModelFile(fitted, history, {**record, **_described(fitted)})


def read_frame(content: bytes) -> Frame:
    """Return what the spectra of a model are like, without building it, which loads PyTorch.

    Raises
    ------
    ReadError
        As `read_model`, but whether the arrays fit the configuration is not known before it is built.
    """
    document, arrays = checked_parts(content)
    try:
        frame = frame_from(document["frame"], arrays.pop(_POSITIONS))
    except (KeyError, TypeError, ValueError, AttributeError, SpectraCoreError) as error:
        raise ReadError(f"The description in this model file is incomplete or wrong ({cause(error)}).") from error
    _state_in({name: values for name, values in arrays.items() if not name.startswith(_HISTORY)})
    return frame


def _state_in(arrays: Arrays) -> Arrays:
    """Return the arrays of the model itself, all of them finite."""
    foreign = [name for name in arrays if not name.startswith(_STATE)]
    if foreign:
        raise ReadError(f"The model file holds an array that no model has: {foreign[0][:60]!r}.")
    state = {name.removeprefix(_STATE): values.copy() for name, values in arrays.items()}
    require_numbers(state)
    return state


def _record_from(document: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    rows = document["held_out_rows"]
    if not isinstance(rows, list) or not all(type(row) is int and 0 <= row <= MAX_NUMBER for row in rows):
        raise TypeError("held-out rows are whole numbers")
    if type(document["seed"]) is not int or not 0 <= document["seed"] <= MOST:
        raise TypeError("a seed is a whole number from 0 to 2^63 - 1")
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


def _history_from(names: Any, arrays: Arrays) -> pd.DataFrame:
    """Take the training curve out of `arrays`."""
    if not fits(names, list[str]):
        raise TypeError("the names of the training curve are no list of texts")
    columns = [arrays.pop(_HISTORY + str(number)) for number in range(len(names))]
    if any(values.dtype != np.float64 or values.ndim != 1 for values in columns):
        raise ValueError("its training curve is none")
    history = pd.DataFrame(dict(enumerate(columns)))
    if names[:1] == ["epoch"]:
        if not ((history[0] == history[0].round()) & (history[0].abs() <= MAX_NUMBER)).all():
            raise ValueError("its training curve does not count epochs")
        history[0] = history[0].astype(np.int64)
    return history.set_axis(names, axis="columns")


def _history_of(model: Any) -> pd.DataFrame:
    history = getattr(model, "history_", None)
    return history if isinstance(history, pd.DataFrame) else pd.DataFrame()


def _described(model: Any) -> dict[str, Any]:
    count = getattr(model, "n_parameters", None)
    return {"title": type(model).title, "n_parameters": int(count) if isinstance(count, int | np.integer) else None}
