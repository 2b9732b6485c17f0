"""Shelves of entries: one folder per entry, complete or absent, with a manifest that names every file's sha256."""

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from spectra_core.errors import StoreError
from spectra_core.store.classroom import require_room
from spectra_core.store.entry import Binned, Damaged, DamageError, Entry, Manifest
from spectra_core.store.files import (
    Stamp,
    disk_errors,
    exclusive,
    flush_folder,
    json_bytes,
    read_document,
    read_plain,
    replace_file,
    sha256,
    sha256_of_file,
    size_of_plain,
    stamp_of,
    sweep_drafts,
    write_flushed,
)
from spectra_core.store.shapes import MOST_COUNTED, fits, shaped
from spectra_core.store.staging import bin_folder, binned, sweep, unlisted_folder

_MANIFEST = "manifest.json"
Made = TypeVar("Made")


class Shelf:
    """All entries of one kind, each a folder below ``root/kind``.

    Parameters
    ----------
    root
        Folder of the whole store; made at the first write.
    kind
        Name of the shelf; also its folder.
    check
        Reads a record; one that it refuses with a ValueError is of another version and set aside like a damaged one.
    needs
        Files that every entry has.
    """

    def __init__(self, root: Path, kind: str, check: Callable[[Entry], Any], needs: tuple[str, ...] = ()) -> None:
        self._root = root
        self._kind = kind
        self._check = check
        self._needs = needs
        self._folder = root / kind
        self._manifests: dict[Path, tuple[Stamp | None, Manifest]] = {}

    def add(self, key: str, record: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
        """Keep `files` and `record` under the generated `key`; an entry already there is left as it is.

        Raises
        ------
        StoreError
            When the disk is full or cannot be written, or a workspace may hold no more; nothing of the entry is then
            visible.
        """
        require_room(self._root, self._kind, sum(map(len, files.values())))
        with disk_errors(f"Keeping the {_ONE[self._kind]}"):
            sweep(self._root)
            draft = unlisted_folder(self._root)
            draft.mkdir()
            try:
                for name, content in files.items():
                    write_flushed(draft / name, content)
                hashes = {name: {"sha256": sha256(content), "size": len(content)} for name, content in files.items()}
                manifest = {
                    "key": key,
                    "sequence": self._next_sequence(),
                    "created": datetime.now(UTC).isoformat(timespec="seconds"),
                    "record": dict(record),
                    "files": hashes,
                }
                write_flushed(draft / _MANIFEST, _signed(manifest))
                flush_folder(draft)
                self._publish(draft, key)
            finally:
                shutil.rmtree(draft, ignore_errors=True)

    def __contains__(self, key: str) -> bool:
        return _is_key(key) and (self._folder / key / _MANIFEST).is_file()

    def entries(self) -> list[Entry]:
        """List all entries in the order they were kept; damaged ones are set aside, never in the way.

        Manifests and file sizes are checked here; file contents when an entry is read.
        """
        found = []
        for folder in _folders(self._folder):
            try:
                manifest = self._listed(folder)
                _require_sizes(folder, manifest)
            except DamageError as damage:
                self._set_aside(folder, str(damage))
            else:
                found.append(_entry(manifest))
        return sorted(found, key=lambda entry: entry.sequence)

    def read(self, key: str) -> tuple[Entry, dict[str, bytes]]:
        """Return an entry with the contents of its files, every one checked against its sha256.

        Raises
        ------
        StoreError
            When there is no such entry, or it is damaged; a damaged one is set aside.
        """
        folder = self._existing(key)
        try:
            manifest = self._manifest(folder)
            _require_sizes(folder, manifest)
            contents = {name: _checked(folder / name, facts) for name, facts in manifest.files.items()}
        except DamageError as damage:
            raise self._refused(folder, damage) from damage
        return _entry(manifest), contents

    def read_as(self, key: str, build: Callable[[Entry, dict[str, bytes]], Made]) -> Made:
        """Return what `build` makes of an entry; one that it refuses with a DamageError is set aside, too."""
        entry, contents = self.read(key)
        try:
            return build(entry, contents)
        except DamageError as damage:
            raise self._refused(self._folder / key, damage) from damage

    def locate(self, key: str) -> tuple[Entry, dict[str, Path]]:
        """Return an entry with the places of its files, every one checked against its sha256, read in parts.

        Raises
        ------
        StoreError
            When there is no such entry, or it is damaged; a damaged one is set aside.
        """
        folder = self._existing(key)
        try:
            manifest = self._manifest(folder)
            _require_sizes(folder, manifest)
            for name, facts in manifest.files.items():
                if _sha256_at(folder / name) != facts["sha256"]:
                    raise DamageError(f"its file {name} is not what was kept.")
        except DamageError as damage:
            raise self._refused(folder, damage) from damage
        return _entry(manifest), {name: folder / name for name in manifest.files}

    def is_intact(self, key: str) -> bool:
        """Check every file of an entry against its sha256; set it aside when one differs."""
        try:
            self.locate(key)
        except DamageError:
            return False
        return True

    def update_record(self, key: str, changes: Mapping[str, Any]) -> None:
        """Change fields of the record; the files stay as they are."""
        folder = self._existing(key)
        with disk_errors("The change"), exclusive(self._root / "lock"):
            sweep_drafts(folder)
            manifest = self._manifest(folder)
            changed = replace(manifest, record={**manifest.record, **changes})
            replace_file(folder / _MANIFEST, _signed(asdict(changed)))

    def discard(self, key: str) -> None:
        """Put an entry into the bin, from where `restore` brings it back for a while."""
        folder = self._existing(key)
        with disk_errors("Deleting"):
            os.rename(folder, bin_folder(self._root, self._kind, key))
            flush_folder(self._folder)
            sweep(self._root)

    def restore(self, key: str) -> None:
        """Bring back the entry that was put into the bin last under this key.

        Raises
        ------
        StoreError
            When it is not in the bin.
        """
        found = binned(self._root, self._kind, key) if _is_key(key) else []
        if not found:
            raise StoreError(f"This {_ONE[self._kind]} is no longer in the bin. Make it again.")
        require_room(self._root, self._kind, 0)
        with disk_errors("Restoring"):
            self._publish(found[-1][0], key)

    def binned(self) -> list[Binned]:
        """List what is in the bin, the oldest first."""
        return [
            Binned(self._kind, folder.name.partition("-")[2], _name_in(folder), moment.isoformat(timespec="seconds"))
            for folder, moment in binned(self._root, self._kind)
        ]

    def remove(self, key: str) -> None:
        """Remove an entry for good: it disappears at once, its files afterwards."""
        folder = self._existing(key)
        with disk_errors("Deleting"):
            grave = unlisted_folder(self._root)
            os.rename(folder, grave)
            flush_folder(self._folder)
        shutil.rmtree(grave, ignore_errors=True)

    def damaged(self) -> list[Damaged]:
        """List what was set aside from this shelf."""
        self.entries()
        return [self._describe_damage(folder) for folder in [*_folders(self._aside), *self._unmovable()]]

    @property
    def _aside(self) -> Path:
        return self._root / "damaged" / self._kind

    def _existing(self, key: str) -> Path:
        if not _is_key(key) or not (self._folder / key).is_dir():
            known = [one for one in self.damaged() if one.key == key]
            why = f"was set aside as damaged: {known[0].reason}" if known else "is not in the store."
            raise StoreError(f"This {_ONE[self._kind]} {why} Choose another, or make it again.")
        return self._folder / key

    def _publish(self, draft: Path, key: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        target = self._folder / key
        try:
            os.rename(draft, target)
        except OSError:
            # Another process kept the same content first: theirs is as good as ours.
            if not (target / _MANIFEST).is_file():
                raise
        flush_folder(self._folder)

    def _next_sequence(self) -> int:
        counter = self._root / "sequence"
        with exclusive(self._root / "lock"):
            try:
                last = int(read_plain(counter, 100))
            except (OSError, ValueError):
                last = -1
            if not 0 <= last < MOST_COUNTED:
                last = _highest_sequence(self._root)
            replace_file(counter, str(last + 1).encode())
        return last + 1

    def _listed(self, folder: Path) -> Manifest:
        """Return a manifest for a list, read and checked once: it changes by being replaced."""
        stamp = stamp_of(folder / _MANIFEST)
        known = self._manifests.get(folder)
        if known is None or stamp is None or known[0] != stamp:
            known = self._manifests[folder] = stamp, self._manifest(folder)
        return known[1]

    def _manifest(self, folder: Path) -> Manifest:
        try:
            written = read_document(folder / _MANIFEST)
        except FileNotFoundError as error:
            raise DamageError("its manifest is missing.") from error
        except (OSError, ValueError) as error:
            raise DamageError("its manifest cannot be read.") from error
        signature = written.pop("sha256", None)
        try:
            if signature != sha256(json_bytes(written)) or written["key"] != folder.name:
                raise DamageError("its manifest is not what was kept.")
            manifest = shaped(Manifest, written)
            datetime.fromisoformat(manifest.created)
            for name in self._needs:
                if name not in manifest.files:
                    raise ValueError(f"its file {name!r} is missing")
            for name, facts in manifest.files.items():
                if name != Path(name).name or not (fits(facts.get("sha256"), str) and fits(facts.get("size"), int)):
                    raise ValueError(f"its file {name[:60]!r} is described otherwise")
            if not 0 <= manifest.sequence <= MOST_COUNTED:
                raise ValueError("its number is out of range")
            self._check(_entry(manifest))
        except (KeyError, ValueError, StoreError) as error:
            if isinstance(error, DamageError):
                raise
            raise DamageError(f"it was kept by another version, which described it otherwise: {error}.") from error
        return manifest

    def _refused(self, folder: Path, damage: DamageError) -> DamageError:
        """Set an entry aside, and return the sentence that names it."""
        name = _name_in(folder)
        self._set_aside(folder, str(damage))
        called = f"The {_ONE[self._kind]} {name!r}" if name else f"This {_ONE[self._kind]}"
        return DamageError(f"{called} was set aside as damaged: {damage} Choose another, or make it again.")

    def _set_aside(self, folder: Path, reason: str) -> None:
        if not os.path.lexists(folder):
            return  # removed by another process meanwhile
        # On a disk that cannot be written the entry stays where it is and is told of all the same.
        with suppress(OSError):
            self._aside.mkdir(parents=True, exist_ok=True)
            resting = self._aside / folder.name
            if os.path.lexists(resting):
                os.rename(resting, unlisted_folder(self._root))  # swept from there
            os.rename(folder, resting)
            if not resting.is_symlink():
                replace_file(resting / "reason.json", json_bytes({"reason": reason}))

    def _unmovable(self) -> list[Path]:
        """Return damaged folders that are still on the shelf, because the disk cannot be written."""
        left = []
        for folder in _folders(self._folder):
            try:
                _require_sizes(folder, self._manifest(folder))
            except DamageError:
                left.append(folder)
        return left

    def _describe_damage(self, folder: Path) -> Damaged:
        reason = "its files are not what was kept."
        with suppress(OSError, ValueError, KeyError):
            reason = str(read_document(folder / "reason.json")["reason"])
        return Damaged(self._kind, folder.name, _name_in(folder), reason)


_ONE = {
    "sets": "set",
    "models": "model",
    "calibrations": "calibration",
    "results": "result",
    "uploads": "uploaded file",
    "drafts": "import",
}


def _entry(manifest: Manifest) -> Entry:
    return Entry(manifest.key, manifest.sequence, manifest.created, manifest.record)


def _name_in(folder: Path) -> str:
    """Return what people called an entry that is listed no more, where that can be read."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(read_document(folder / _MANIFEST)["record"]["name"])
    return ""


def _signed(manifest: Mapping[str, Any]) -> bytes:
    return json_bytes({**manifest, "sha256": sha256(json_bytes(manifest))})


def _is_key(key: str) -> bool:
    """Tell whether `key` is one that we generate: lower-case hexadecimal, hence never a path."""
    return 16 <= len(key) <= 64 and set(key) <= set("0123456789abcdef")


def _folders(parent: Path) -> list[Path]:
    try:
        with os.scandir(parent) as inside:
            names = sorted(one.name for one in inside if _is_key(one.name))
        return [parent / name for name in names]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError("The data folder cannot be read. Check its permissions, or set SPECTRA_HOME.") from error


def _require_sizes(folder: Path, manifest: Manifest) -> None:
    for name, facts in manifest.files.items():
        try:
            size = size_of_plain(f"{folder}/{name}")
        except OSError as error:
            raise DamageError(f"its file {name} is missing.") from error
        if size != facts["size"]:
            raise DamageError(f"its file {name} has {size} bytes instead of {facts['size']}.")


def _sha256_at(path: Path) -> str:
    try:
        return sha256_of_file(path)
    except OSError as error:
        raise DamageError(f"its file {path.name} cannot be read.") from error


def _checked(path: Path, facts: Mapping[str, Any]) -> bytes:
    try:
        content = read_plain(path)
    except OSError as error:
        raise DamageError(f"its file {path.name} cannot be read.") from error
    if sha256(content) != facts["sha256"]:
        raise DamageError(f"its file {path.name} is not what was kept.")
    return content


def _highest_sequence(root: Path) -> int:
    highest = 0
    for manifest in root.glob(f"*/*/{_MANIFEST}"):
        with suppress(OSError, ValueError, KeyError):
            sequence = read_document(manifest)["sequence"]
            highest = max(highest, sequence if fits(sequence, int) and sequence < MOST_COUNTED else 0)
    return highest
