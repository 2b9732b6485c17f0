"""The calibration file: one zip of JSON and safetensors under a seal, every byte checked before any of it is used."""

import io
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spectra_core.choices import Choice
from spectra_core.contracts import Arrays
from spectra_core.errors import ZIP_FAULTS, ReadError, SpectraCoreError, json_fault
from spectra_core.json_text import strict_json
from spectra_core.spectra import Frame
from spectra_core.store.entry import DamageError, Entry, require_described
from spectra_core.store.files import directory_size, json_bytes, sha256, write_at
from spectra_core.store.frames import dense
from spectra_core.store.model_checks import (
    MAX_CHANNELS,
    MAX_TARGETS,
    cause,
    checked_header,
    require_numbers,
)
from spectra_core.store.sets import SET_FILES, set_files, set_from
from spectra_core.store.shapes import MOST, shaped

if TYPE_CHECKING:  # it loads readers and regressors: two fifths of a second, in every process that opens a store
    from spectra_core.calibration.calibration import Calibration
    from spectra_core.regressors.base import Regressor

FORMAT, FORMAT_VERSION = "latent-spectra calibration", 1
CALIBRATION_FILE = "calibration.zip"
MAX_BYTES = 2 * 2**30
_WORDS, _NUMBERS = "calibration.json", "calibration.safetensors"
_MEMBERS = {_WORDS, _NUMBERS, *SET_FILES}
_SEAL = 64
_MOST_OF_DIRECTORY = 4096
"""Bytes: four members of ours take 400."""
_COMMENT = struct.pack("<H", _SEAL)
_CHANGED = "This calibration file was changed, repacked or cut off after it was written. Export the calibration again."


@dataclass(frozen=True)
class CalibrationRecord:
    """What a list of calibrations shows of each.

    Parameters
    ----------
    id
        Sha256 of the calibration file.
    title
        Regressors and preprocessing.
    data, data_name
        Fingerprint and name of the set it was made from.
    """

    id: str
    name: str
    title: str
    data: str
    data_name: str
    n_spectra: int
    target_names: tuple[str, ...]
    sequence: int
    created: str


def calibration_record(entry: Entry) -> CalibrationRecord:
    """Read the record of a listed calibration."""
    known = {"id": entry.key, "sequence": entry.sequence, "created": entry.created}
    return shaped(CalibrationRecord, {**entry.record, **known})


def record_of_calibration(calibration: "Calibration") -> dict[str, Any]:
    """Describe a calibration for the list."""
    return {
        "name": f"{calibration.title} on {calibration.data['name']}"[:200],
        "title": calibration.title,
        "data": calibration.data["fingerprint"],
        "data_name": calibration.data["name"],
        "n_spectra": len(calibration.train),
        "target_names": list(calibration.train.target_names),
    }


def kept_calibration(entry: Entry, files: Mapping[str, bytes]) -> "Calibration":
    """Rebuild a kept calibration.

    Raises
    ------
    DamageError
        When its file is not that of the calibration that its record describes.
    """
    try:
        calibration = read_calibration(files[CALIBRATION_FILE])
    except ReadError as error:
        raise DamageError(f"this version cannot use it. {error}") from error
    described = record_of_calibration(calibration)
    require_described(entry, {name: described[name] for name in ("data", "data_name", "n_spectra", "target_names")})
    return calibration


def save_calibration(calibration: "Calibration", path: str | Path) -> None:
    """Write a calibration as one file, whole or not at all."""
    write_at(Path(path), write_calibration(calibration))


def load_calibration(path: str | Path) -> "Calibration":
    """Read a calibration file; nothing in it is run.

    Raises
    ------
    ReadError
        When it cannot be opened, or is no calibration of this program in every detail.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ReadError(f"{Path(path).name} cannot be opened: {error.strerror}. Check name and permissions.") from error
    return read_calibration(content)


def write_calibration(calibration: "Calibration") -> bytes:
    """Return the calibration file: stored members, then the sha256 of all before it as the archive's comment."""
    from safetensors.numpy import save

    arrays: Arrays = {"fold": calibration.fold, "held_out": calibration.held_out, "fitted": calibration.fitted}
    arrays |= {f"usual.{name}": values for name, values in calibration.applicability.to_arrays().items()}
    for number, part in enumerate(calibration.parts):
        arrays |= {f"part{number}.whole.{name}": values for name, values in part.model.to_arrays().items()}
        for fold, model in enumerate(part.folds):
            arrays |= {f"part{number}.fold{fold}.{name}": values for name, values in model.to_arrays().items()}
    arrays = {name: np.asarray(values) for name, values in arrays.items()}
    require_numbers(arrays)
    words = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "parts": [{"targets": list(part.targets), "regressor": part.choice.to_json()} for part in calibration.parts],
        "train": {"fingerprint": calibration.train.fingerprint, "name": calibration.train.meta.name},
        "n_folds": calibration.n_folds,
        "data": dict(calibration.data),
        "seed": calibration.seed,
        "versions": dict(calibration.versions),
    }
    files = {_WORDS: json_bytes(words), _NUMBERS: bytes(save(dense(arrays))), **set_files(calibration.train)}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    before = stream.getvalue()[:-2]  # all but the length of the comment, which is none
    return before + _COMMENT + sha256(before).encode("ascii")


def read_calibration(content: bytes) -> "Calibration":
    """Check a calibration file and build the calibration in it.

    Raises
    ------
    ReadError
        In one sentence, when anything about the file is not as it must be.
    """
    files = _unsealed(content)
    try:
        words = strict_json(files[_WORDS])
    except ValueError as error:
        raise ReadError(f"The description in this calibration file {json_fault(error)}. Export it again.") from error
    if words.get("format") != FORMAT or words.get("version") != FORMAT_VERSION:
        raise ReadError(
            f"Expected a calibration file of format version {FORMAT_VERSION}, got {str(words.get('version'))[:20]!r}. "
            "Export the calibration again with this version of the program."
        )
    try:
        return _calibration(words, _arrays(files.pop(_NUMBERS)), {name: files[name] for name in SET_FILES})
    except ReadError:
        raise
    except (SpectraCoreError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise ReadError(f"This calibration file does not fit together: {cause(error)}. Export it again.") from error


def _unsealed(content: bytes) -> dict[str, bytes]:
    """Return the members of the archive."""
    if len(content) > MAX_BYTES:
        raise ReadError(f"The calibration file has {len(content) >> 20} MB; at most {MAX_BYTES >> 20} MB are read.")
    if not content.startswith(b"PK\x03\x04"):
        raise ReadError("This is no calibration file: it is not a zip archive written by this program.")
    before, comment, seal = content[: -_SEAL - 2], content[-_SEAL - 2 : -_SEAL], content[-_SEAL:]
    if comment != _COMMENT or seal != sha256(before).encode("ascii"):
        raise ReadError(_CHANGED)
    if not 0 < directory_size(content, _SEAL) <= _MOST_OF_DIRECTORY:
        raise ReadError("A calibration file holds four members; this one lists other things. Export it again.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            names = [member.filename for member in members]
            if len(names) != len(_MEMBERS) or set(names) != _MEMBERS:
                raise ReadError(
                    f"A calibration file holds {', '.join(sorted(_MEMBERS))}; this one holds "
                    f"{', '.join(sorted(names))[:200] or 'nothing'}. Export the calibration again."
                )
            # Stored members cannot grow beyond the file.
            if any(member.compress_type != zipfile.ZIP_STORED for member in members):
                raise ReadError("The members of a calibration file are stored, not compressed. Export it again.")
            return {name: archive.read(name) for name in names}
    except ZIP_FAULTS as error:
        raise ReadError(_CHANGED) from error


def _arrays(content: bytes) -> Arrays:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    checked_header(content)
    try:
        arrays: Arrays = load(content)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise ReadError("The numbers in this calibration file do not fit their header. Export it again.") from error
    require_numbers(arrays)
    return arrays


def _calibration(words: Mapping[str, Any], arrays: Arrays, files: dict[str, bytes]) -> "Calibration":
    from spectra_core.calibration.applicability import Applicability
    from spectra_core.calibration.calibration import MOST_FOLDS, Calibration, FittedPart
    from spectra_core.regressors.choice import regressor_from_json

    train = set_from(str(words["train"]["fingerprint"]), str(words["train"]["name"])[:500], files)
    if train.n_channels > MAX_CHANNELS or train.n_targets > MAX_TARGETS:
        raise ValueError(f"it has more than {MAX_CHANNELS} channels or {MAX_TARGETS} targets")
    n_folds, seed = words["n_folds"], words["seed"]
    if type(n_folds) is not int or not 2 <= n_folds <= MOST_FOLDS or type(seed) is not int or not 0 <= seed <= MOST:
        raise ValueError("the number of folds, or the seed, is none")
    named = [name for one in words["parts"] for name in one["targets"]]
    if sorted(named) != sorted(train.target_names):
        raise ValueError("its regressors are for other targets")
    parts = []
    for number, one in enumerate(words["parts"]):
        choice = regressor_from_json(one["regressor"])
        frame = train.with_targets(one["targets"]).frame
        models = [
            _model(choice, frame, _under(f"part{number}.{which}.", arrays))
            for which in ("whole", *(f"fold{fold}" for fold in range(n_folds)))
        ]
        parts.append(FittedPart(choice, tuple(one["targets"]), models[0], tuple(models[1:])))
    usual = Applicability.from_arrays(_under("usual.", arrays), train.n_channels)
    fold, held_out, fitted = (arrays.pop(name) for name in ("fold", "held_out", "fitted"))
    if arrays:
        raise ValueError(f"it holds an array that no calibration has, {next(iter(arrays))[:60]!r}")
    if fold.dtype != np.int64 or fold.shape != (len(train),) or set(fold.tolist()) != set(range(n_folds)):
        raise ValueError("its folds are not those of its spectra")
    if not all(table.dtype == np.float64 and table.shape == train.target_values.shape for table in (held_out, fitted)):
        raise ValueError("its predictions are not those of its spectra")
    data = {str(name): str(value)[:500] for name, value in words["data"].items()}
    versions = {str(name): str(value)[:200] for name, value in words["versions"].items()}
    if "generated" in data and "generated_name" not in data:
        raise ValueError("the generated set that was added has no name")
    known = {"fingerprint": data["fingerprint"], "name": data["name"], **data}
    return Calibration(tuple(parts), train, fold, held_out, fitted, usual, known, seed, versions)


def _model(choice: Choice, frame: Frame, state: Arrays) -> "Regressor":
    from spectra_core.regressors.choice import build_regressor

    try:
        return build_regressor(choice).from_arrays(state, frame)
    except RuntimeError as error:  # torch's word for shapes that do not fit
        raise ValueError(str(error)) from error


def _under(prefix: str, arrays: Arrays) -> Arrays:
    """Take out of `arrays` what is named so, without the prefix."""
    return {name.removeprefix(prefix): arrays.pop(name) for name in list(arrays) if name.startswith(prefix)}
