"""Writing that survives a crash, reading that notices damage, and locks between processes.

A file appears complete or not at all: it is written under another name, flushed to the disk, renamed, and the
folder is flushed too. Disk errors become one sentence; what was kept before stays as it was.
"""

import errno
import hashlib
import json
import os
import socket
import stat
import struct
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from filelock import BaseFileLock, FileLock

from spectra_core.errors import StoreError
from spectra_core.json_text import require_text, strict_json

Stamp = tuple[int, int, int]
_HOST = socket.gethostname().replace("~", "-").replace("/", "-")
MOST_OF_A_DOCUMENT = 8 * 2**20
"""Bytes of the largest manifest, job or rules that is read."""
_LOOK_AT_LOCK = 0.01
"""Seconds between looks at a lock that another one holds."""
_ZIP_END = struct.Struct("<4s4H2LH")
"""Where the directory of a zip archive is, and how large (APPNOTE.TXT, 4.3.16)."""
_ZIP64_LOCATOR = 20
"""Bytes before it that would say that another record counts in its place."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}
_MISNAMED = {errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.EILSEQ, errno.EEXIST}


_DATA_FOLDER = "the data folder cannot be written. Ask for write permission, or set SPECTRA_HOME to another folder."
_ELSEWHERE = "it may not be written there. Choose another place, or ask for write permission."


@contextmanager
def disk_errors(doing: str, forbidden: str = _DATA_FOLDER) -> Iterator[None]:
    """Turn an `OSError` into one sentence; `doing` completes "... failed", `forbidden` says why it may not be done.

    Raises
    ------
    StoreError
        Saying what failed, why, and that earlier content is unchanged.
    """
    try:
        yield
    except OSError as error:
        raise StoreError(f"{doing} failed: {_cause(error, forbidden)} What was kept before is unchanged.") from error


def _cause(error: OSError, forbidden: str) -> str:
    if error.errno in _FULL:
        return "the disk is full. Free some space and try again."
    if error.errno in _FORBIDDEN:
        return forbidden
    if error.errno in _MISNAMED:
        return f"the disk reported {error.strerror!r}. Choose another name."
    reason = error.strerror or type(error).__name__
    return f"the disk reported {reason!r}. Check the disk and try again."


def is_there(path: Path, *, file: bool = False) -> bool:
    r"""Whether a file or folder, or only a file, has this name; none has one that the system does not take.

    >>> is_there(Path("n" * 10_000)), is_there(Path("\0")), is_there(Path(".")), is_there(Path("."), file=True)
    (False, False, True, False)
    """
    try:
        return path.is_file() if file else path.exists()
    except (OSError, ValueError):
        return False


def require_place(path: Path, *, folder: bool = False) -> None:
    """Refuse a place where a file, or a folder of files, cannot be written, before the work whose result it is for.

    Raises
    ------
    StoreError
        Saying why not.
    """
    with disk_errors(f"Writing {path}", _ELSEWHERE):
        if path.is_dir():
            if not folder:
                raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
            above = path
        else:
            above = path if path.exists() and folder else next(one for one in path.absolute().parents if one.exists())
        if not above.is_dir():
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not os.access(above, os.W_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))


def write_at(path: Path, content: bytes) -> None:
    """Write a file where a person said, whole or not at all.

    Raises
    ------
    StoreError
        Saying why it could not be written.
    """
    require_place(path)
    with disk_errors(f"Writing {path}", _ELSEWHERE):
        if path.exists() and not path.is_file():  # a pipe or a device is written to, never replaced
            path.write_bytes(content)
        else:
            replace_file(path.resolve(), content)


def flush_folder(folder: Path) -> None:
    """Make renames inside `folder` durable, where the system can (Windows cannot open folders)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_flushed(path: Path, content: bytes) -> None:
    """Write a new file and flush it to the disk."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Put `content` in place of `path` at once: a reader sees the old file or the new one, never a part.

    Parameters
    ----------
    durable
        Also survive a power cut; costs a flush, so progress reports do without.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}~{_HOST}~{os.getpid()}~{uuid.uuid4().hex[:12]}")
    try:
        if durable:
            write_flushed(draft, content)
        else:
            draft.write_bytes(content)
        try:
            os.replace(draft, path)
        except OSError:
            if not path.is_dir():
                raise
            os.rename(path, path.with_name(f"{path.name}.set-aside-{uuid.uuid4().hex[:8]}"))  # a folder in its place
            os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    if durable:
        flush_folder(path.parent)


def read_plain(path: Path, most: int | None = None) -> bytes:
    """Return the content of a file; a pipe or a device in its place, whose end may never come, is not read.

    Parameters
    ----------
    most
        Bytes it may have.

    Raises
    ------
    OSError
        When there is none, or it is no plain file or too large.
    """
    size = size_of_plain(path)
    if most is not None and size > most:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return path.read_bytes()


def size_of_plain(path: Path | str) -> int:
    """Return the bytes of a file; raise `OSError` for what is no plain file."""
    facts = os.stat(path)
    if not stat.S_ISREG(facts.st_mode):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return facts.st_size


def read_document(path: Path) -> dict[str, Any]:
    """Read a file of one JSON object, as `strict_json` does.

    Raises
    ------
    OSError, ValueError
        When it cannot be read, or is larger than any of ours.
    """
    return strict_json(read_plain(path, MOST_OF_A_DOCUMENT))


def directory_size(content: bytes, n_comment: int) -> int:
    """Return the bytes of the directory of a zip archive, before anything in it is looked at; 0 where there is none.

    zipfile reads a directory to its end however many members it counts. Archives of ours are small enough for the plain
    form of its end, which is what is known here.

    Parameters
    ----------
    n_comment
        Bytes of the comment that the archive ends with.
    """
    at = len(content) - n_comment - _ZIP_END.size
    # zipfile takes the last such beginning for the end, and another record before it for the truth.
    other = at >= _ZIP64_LOCATOR and content.startswith(b"PK\x06\x07", at - _ZIP64_LOCATOR)
    if at < 0 or other or content.rfind(b"PK\x05\x06") != at:
        return 0
    *_, size, _, n_told = _ZIP_END.unpack_from(content, at)
    return int(size) if n_told == n_comment else 0


def stamp_of(path: Path) -> Stamp | None:
    """Return what changes when `replace_file` replaces a file; None where there is none."""
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size, facts.st_ino


def sha256(*pieces: bytes) -> str:
    """Return the sha256 of the pieces, one after the other, in hexadecimal."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def sha256_of_file(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal, reading it in parts."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def json_bytes(document: Mapping[str, Any]) -> bytes:
    """Spell a document as JSON in one way only; numbers that are not finite become null.

    Raises
    ------
    StoreError
        When the document holds something that is no JSON value.
    """
    try:
        text = json.dumps(_plain(document), sort_keys=True, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise StoreError("Only text, numbers, lists and mappings can be kept, with finite numbers.") from error
    try:
        require_text(text)
    except ValueError as error:
        raise StoreError(f"This cannot be kept: {error}. Write the text anew.") from error
    return text.encode("ascii")


def _plain(value: Any) -> Any:
    """Turn tuples, numpy scalars and arrays into JSON values, and non-finite numbers into None."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def exclusive(path: Path) -> BaseFileLock:
    """Return a context that holds the lock file `path` alone, among threads and processes; who dies lets go."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path, poll_interval=_LOOK_AT_LOCK)


def sweep_drafts(folder: Path, *, all_of_them: bool = False) -> None:
    """Remove what `replace_file` left in `folder` where its process died in the act.

    Parameters
    ----------
    all_of_them
        Whoever asks knows that nobody writes in this folder now. Otherwise only the drafts of this computer's
        processes that are gone are removed.
    """
    with suppress(OSError):
        for draft in folder.glob(".*~*~*~*"):
            _, host, owner, _ = draft.name.rsplit("~", 3)
            if all_of_them or (host == _HOST and owner.isdecimal() and not psutil.pid_exists(int(owner))):
                with suppress(OSError):
                    draft.unlink()
        for draft in folder.glob(".*.json." + "[0-9a-f]" * 32) if all_of_them else ():  # of earlier versions
            with suppress(OSError):
                draft.unlink()
