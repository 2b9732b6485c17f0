"""Sets, models and results on disk: found by fingerprint, written at once or not at all, never pickled."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from spectra_core.errors import StoreError
from spectra_core.spectra import Frame, SpectraSet
from spectra_core.store.beside import ShelfBeside
from spectra_core.store.calibrations import (
    CALIBRATION_FILE,
    CalibrationRecord,
    calibration_record,
    kept_calibration,
    read_calibration,
    record_of_calibration,
    write_calibration,
)
from spectra_core.store.classroom import is_workspace, rules_of
from spectra_core.store.disk import DiskUse, use_of
from spectra_core.store.drafts import Draft, draft_of, found_draft, remove_draft, surplus_drafts, upload_of
from spectra_core.store.entries import Shelf
from spectra_core.store.entry import Binned, Damaged, Entry, keys_of
from spectra_core.store.files import disk_errors, sha256
from spectra_core.store.memo import StoreCheckpoint, StoreMemo, name_for, trim
from spectra_core.store.models import (
    MODEL_FILE,
    ModelRecord,
    StoredModel,
    kept_frame,
    kept_model,
    model_record,
    read_model,
    write_model,
)
from spectra_core.store.results import DOCUMENT, ResultRecord, StoredResult, result_files, result_from, result_record
from spectra_core.store.sets import SET_FILES, SetRecord, checked_name, kept_set, record_of, set_files, set_record

if TYPE_CHECKING:
    from spectra_core.calibration.calibration import Calibration

_UPLOAD_FILE = "content"
MEMO_BYTES = 4 * 2**30
"""Room for intermediate results: some hundred studies of the published size."""


def home_folder() -> Path:
    """Return where data are kept: the variable SPECTRA_HOME, else the person's data folder of this system."""
    named = os.environ.get("SPECTRA_HOME", "").strip()
    if named:
        return Path(named).expanduser()
    from platformdirs import user_data_path

    return user_data_path("latent-spectra", appauthor=False)


class Store:
    """Everything a person keeps, in one folder; safe among processes.

    Parameters
    ----------
    root
        The folder; by default `home_folder()`. It is made at the first write. A workspace of a class also has what
        lies on the class's shelf, and cannot change that.
    work
        Name of work that may be ended and done again, such as a job: its results get keys that follow from it, so that
        none is kept twice.

    Raises
    ------
    StoreError
        From every method: when something is missing or damaged, or the disk cannot be written.
    """

    def __init__(self, root: Path | None = None, work: str = "") -> None:
        self._keys = keys_of(work)
        self.root = Path(root) if root is not None else home_folder()
        self._class = _opened(self.root.parent.parent) if is_workspace(self.root) else None
        self._sets = self._shelf("sets", set_record, SET_FILES)
        self._models = self._shelf("models", model_record, (MODEL_FILE,))
        self._calibrations = self._shelf("calibrations", calibration_record, (CALIBRATION_FILE,))
        self._results = self._shelf("results", result_record, (DOCUMENT,))
        self._uploads = Shelf(self.root, "uploads", upload_of, (_UPLOAD_FILE,))
        self._drafts = Shelf(self.root, "drafts", draft_of)

    @property
    def of_computer(self) -> "Store":
        """The store for what is true of this computer, whoever asks: a class has one in common."""
        return self._class or self

    def holding(self, key: str) -> "Store":
        """Return the store that something lies in: the class's where the workspace itself has none of this key."""
        shared = self._class is not None and any(self.is_shared(kind, key) for kind in self._listed)
        return self.of_computer if shared else self

    def is_shared(self, kind: str, key: str) -> bool:
        """Whether something lies on the shelf of the class, where only the teacher changes it.

        Parameters
        ----------
        kind
            "sets", "models", "calibrations" or "results".
        """
        shelf = self._listed[kind]
        return isinstance(shelf, ShelfBeside) and shelf.is_shared(key)

    def save_set(self, spectra: SpectraSet) -> str:
        """Keep a set and return its fingerprint; a set that is there already keeps its name."""
        key = spectra.fingerprint
        if key not in self._sets or not self._sets.is_intact(key):
            self._sets.add(key, record_of(spectra), set_files(spectra))
        return key

    def load_set(self, fingerprint: str) -> SpectraSet:
        """Return a set, checked to be the one that was kept."""
        return self._sets.read_as(fingerprint, kept_set)

    def sets(self) -> list[SetRecord]:
        """List the sets in the order they were kept."""
        return [set_record(entry) for entry in self._sets.entries()]

    def rename_set(self, fingerprint: str, name: str) -> None:
        """Give a set another name; its content and fingerprint stay."""
        self._sets.update_record(fingerprint, {"name": checked_name(name)})

    def state_licence(self, fingerprint: str, licence: str) -> None:
        """Note under which licence a set may be used, in the words of who states it; empty takes the note back."""
        self._sets.update_record(fingerprint, {"licence": checked_name(licence) if licence.strip() else ""})

    def delete_set(self, fingerprint: str) -> None:
        """Put a set into the bin; models trained on it stay."""
        self._sets.discard(fingerprint)

    def save_model(
        self,
        model: Any,
        *,
        registry: str,
        member: str,
        train: SpectraSet,
        seed: int,
        extra: Mapping[str, Any] | None = None,
    ) -> str:
        """Keep a fitted model and return its id.

        Parameters
        ----------
        registry, member
            "generator" or "regressor", and the model's name in that registry.
        train
            The kept set the model was trained on, whole.
        seed
            The seed of the training.
        extra
            JSON values to remember; ``held_out_rows`` lists the rows of `train` that the training did not see.
        """
        return self._keep_model(
            write_model(model, registry=registry, member=member, train=train, seed=seed, extra=extra or {})
        )

    def load_model(self, model_id: str) -> StoredModel:
        """Return a model ready for use."""
        return self._models.read_as(model_id, kept_model)

    def load_frame(self, model_id: str) -> Frame:
        """Return what the spectra of a model are like, without building it."""
        return self._models.read_as(model_id, lambda _, files: kept_frame(files))

    def models(self, trained_on: str | None = None) -> list[ModelRecord]:
        """List the models in the order they were kept; only those trained on one set where `trained_on` is given."""
        records = [model_record(entry) for entry in self._models.entries()]
        return [record for record in records if trained_on in (None, record.trained_on)]

    def export_model(self, model_id: str) -> bytes:
        """Return the model as one safetensors file, which `import_model` reads."""
        return self._models.read(model_id)[1][MODEL_FILE]

    def import_model(self, content: bytes) -> str:
        """Check a model file from anywhere, keep it, and return its id.

        Raises
        ------
        ReadError
            In one sentence, when the file is not a model of this program in every detail.
        """
        return self._keep_model(content)

    def delete_model(self, model_id: str) -> None:
        """Put a model into the bin."""
        self._models.discard(model_id)

    def save_calibration(self, calibration: "Calibration") -> str:
        """Keep a calibration and return its id."""
        return self._keep_calibration(calibration, write_calibration(calibration))

    def load_calibration(self, calibration_id: str) -> "Calibration":
        """Return a calibration ready for use."""
        return self._calibrations.read_as(calibration_id, kept_calibration)

    def calibrations(self) -> list[CalibrationRecord]:
        """List the calibrations in the order they were kept."""
        return [calibration_record(entry) for entry in self._calibrations.entries()]

    def export_calibration(self, calibration_id: str) -> bytes:
        """Return the calibration as one file, which `import_calibration` reads."""
        return self._calibrations.read(calibration_id)[1][CALIBRATION_FILE]

    def import_calibration(self, content: bytes) -> str:
        """Check a calibration file from anywhere, keep it, and return its id.

        Raises
        ------
        ReadError
            In one sentence, when the file is not a calibration of this program in every detail.
        """
        return self._keep_calibration(read_calibration(content), content)

    def delete_calibration(self, calibration_id: str) -> None:
        """Put a calibration into the bin."""
        self._calibrations.discard(calibration_id)

    def save_result(
        self,
        kind: str,
        document: Mapping[str, Any],
        tables: Mapping[str, pd.DataFrame],
        name: str = "",
        key: str | None = None,
    ) -> str:
        """Keep the tables of a study or a map with the document that says how they were made; return the id.

        Under a `key` of the caller's, what is there already stays.
        """
        files = result_files(document, tables)
        content = sha256("".join(sha256(part) for part in files.values()).encode())
        record = {"kind": kind, "name": name or kind, "table_names": list(tables), "content": content}
        key = key or next(self._keys)
        self._results.add(key, record, files)
        return key

    def load_result(self, result_id: str) -> StoredResult:
        """Return a result with its document and tables."""
        return self._results.read_as(result_id, lambda entry, files: result_from(result_record(entry), files))

    def loaded_results(self, kind: str) -> Iterator[StoredResult]:
        """Load the results of one kind, the newest first, passing over those that are damaged."""
        for record in reversed(self.results(kind)):
            with suppress(StoreError):
                yield self.load_result(record.id)

    def results(self, kind: str | None = None) -> list[ResultRecord]:
        """List the results in the order they were kept; only those of one kind where `kind` is given."""
        records = [result_record(entry) for entry in self._results.entries()]
        return [record for record in records if kind in (None, record.kind)]

    def delete_result(self, result_id: str) -> None:
        """Put a result into the bin."""
        self._results.discard(result_id)

    def forget_results(self, keys: Sequence[str]) -> None:
        """Remove results for good, as far as they are there: what others have taken the place of."""
        for key in keys:
            if key in self._results and not self.is_shared("results", key):
                self._results.remove(key)

    def save_upload(self, name: str, content: bytes) -> str:
        """Keep an uploaded file as it came, for a job to read, and return its key; `name` is data, never a path."""
        key = sha256(content, b"\0" + name.encode("utf-8", "surrogatepass"))
        name = name.encode("utf-8", "replace").decode()  # half a character, as in names that are no UTF-8
        if key not in self._uploads or not self._uploads.is_intact(key):
            self._uploads.add(key, {"name": name, "size": len(content)}, {_UPLOAD_FILE: content})
        return key

    def upload_files(self, keys: Sequence[str]) -> dict[str, Path]:
        """Return where uploaded files lie, each checked, by name; files of one name are told apart by a number."""
        files: dict[str, Path] = {}
        for key in keys:
            entry, paths = self._uploads.locate(key)
            name = unique = entry.record["name"]
            number = 2
            while unique in files:
                unique, number = f"{name} ({number})", number + 1
            files[unique] = paths[_UPLOAD_FILE]
        return files

    def delete_upload(self, key: str) -> None:
        """Forget an uploaded file, once a set was made of it."""
        self._uploads.remove(key)

    def save_draft(self, uploads: Sequence[str], recipe: str, key: str | None = None) -> str:
        """Keep an import under way, in place of the draft `key` where there is one, and return its key.

        The oldest drafts are forgotten, with their files, beyond a number and a size.
        """
        record = {"uploads": list(uploads), "recipe": recipe}
        if key is not None and key in self._drafts:
            self._drafts.update_record(key, record)
        else:
            key = uuid.uuid4().hex
            self._drafts.add(key, record, {})
        for surplus in surplus_drafts(self._drafts.entries(), self._uploads.entries()):
            self.delete_draft(surplus)
        return key

    def load_draft(self, beginning: str) -> Draft:
        """Return the import under way whose key begins like this."""
        return found_draft(self._drafts, beginning)

    def delete_draft(self, key: str) -> None:
        """Forget an import, and its files unless another one has them too."""
        remove_draft(self._drafts, self._uploads, key)

    def memo(self, namespace: str) -> StoreMemo:
        """Return the memo of one piece of work, named by `namespace` (any text)."""
        return StoreMemo(self.root / "memo" / name_for(namespace))

    def checkpoint(self, key: str) -> StoreCheckpoint:
        """Return the checkpoint of one training, named by `key` (any text)."""
        return StoreCheckpoint(self.root / "checkpoints" / f"{name_for(key)}.safetensors")

    def trim_memo(self, max_bytes: int | None = None) -> None:
        """Forget the intermediate results that were not looked up for longest, until at most `max_bytes` are kept.

        By default 4 GiB; in a workspace what it may take of the disk.
        """
        usual = MEMO_BYTES if self._class is None else rules_of(self._class.root).megabytes * 10**6
        trim(self.root / "memo", usual if max_bytes is None else max_bytes)

    def damaged(self) -> list[Damaged]:
        """List what was set aside as damaged; everything else is listed as usual."""
        return [one for shelf in self._shelves for one in shelf.damaged()]

    def binned(self) -> list[Binned]:
        """List what was deleted in the last 30 days and can be restored: sets, models, calibrations, results."""
        return [one for shelf in self._shelves for one in shelf.binned()]

    def restore(self, kind: str, key: str) -> None:
        """Bring back what was deleted; `kind` and `key` as `binned` tells them."""
        if kind not in self._listed:
            raise StoreError(f"Only {', '.join(self._listed)} are restored, not {kind!r}.")
        self._listed[kind].restore(key)

    def empty_bin(self) -> None:
        """Delete for good what is in the bin, to make room on the disk."""
        with disk_errors("Emptying the bin"):
            if (self.root / "bin").exists():
                shutil.rmtree(self.root / "bin")

    def disk_use(self) -> DiskUse:
        """Return how much of the disk is taken, by what, and how much is free."""
        try:
            return use_of(self.root)
        except OSError as error:
            raise StoreError("The data folder cannot be read. Check its permissions, or set SPECTRA_HOME.") from error

    @property
    def _listed(self) -> dict[str, Shelf]:
        """The shelves that people see, by name."""
        return {
            "sets": self._sets,
            "models": self._models,
            "calibrations": self._calibrations,
            "results": self._results,
        }

    def _shelf(self, kind: str, check: Callable[[Entry], Any], needs: tuple[str, ...]) -> Shelf:
        own = Shelf(self.root, kind, check, needs)
        return own if self._class is None else ShelfBeside(own, self._class._listed[kind])

    @property
    def _shelves(self) -> tuple[Shelf, ...]:
        return *self._listed.values(), self._uploads, self._drafts

    def _keep_calibration(self, calibration: "Calibration", content: bytes) -> str:
        key = sha256(content)
        if key not in self._calibrations or not self._calibrations.is_intact(key):
            self._calibrations.add(key, record_of_calibration(calibration), {CALIBRATION_FILE: content})
        return key

    def _keep_model(self, content: bytes) -> str:
        found = read_model(content)
        key = sha256(content)
        if key not in self._models or not self._models.is_intact(key):
            self._models.add(key, {"name": found.name, **found.record}, {MODEL_FILE: content})
        return key


@lru_cache(maxsize=4)
def _opened(root: Path) -> Store:
    """Open the store of a class once for all its workspaces."""
    return Store(root)
