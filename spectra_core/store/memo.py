"""Results looked up by key, and unfinished training: single files, each led by the sha256 of its place and content."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from spectra_core.contracts import Arrays
from spectra_core.errors import StoreError
from spectra_core.store.files import disk_errors, read_plain, replace_file, sweep_drafts
from spectra_core.store.frames import dense

_DIGEST_SIZE = 32


class StoreMemo:
    """Keeps results by key on disk, so that a study that was stopped goes on where it was.

    Parameters
    ----------
    folder
        Where the results lie, one file per key; the file's name is the sha256 of the key.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def arrays(self, key: str, compute: Callable[[], Arrays]) -> Arrays:
        """Return what is kept under `key`; compute and keep it where nothing is, or where it is damaged."""
        path = self._folder / f"{name_for(key)}.safetensors"
        kept = load_arrays(path)
        if kept is None:
            kept = compute()
            with disk_errors("Keeping an intermediate result"):
                save_arrays(path, kept, durable=False)  # what a power cut takes is computed anew
        else:
            with suppress(OSError):
                path.touch()  # `trim` forgets what was not looked up for longest
        return kept


class StoreCheckpoint:
    """Keeps the last state of one training on disk.

    Parameters
    ----------
    path
        The file that holds it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Arrays | None:
        """Return the last kept state; None where there is none or it is damaged."""
        return load_arrays(self._path)

    def save(self, state: Arrays) -> None:
        """Keep `state` in place of the last one; durable when it returns."""
        with disk_errors("Keeping the state of the training"):
            save_arrays(self._path, state)

    def clear(self) -> None:
        """Forget the state, once the training is finished."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def trim(folder: Path, max_bytes: int) -> None:
    """Remove the files looked up least recently until the others fit into `max_bytes`; a lost one is recomputed."""
    kept = []
    with suppress(OSError):
        for namespace in folder.iterdir():
            sweep_drafts(namespace)
        for path in folder.glob("*/*.safetensors"):
            with suppress(OSError):
                facts = path.stat()
                kept.append((facts.st_mtime, facts.st_size, path))
    room = max_bytes
    for _, size, path in sorted(kept, reverse=True):
        room -= size
        if room < 0:
            with suppress(OSError):
                path.unlink()


def name_for(key: str) -> str:
    """Return a file name for any text.

    >>> name_for("../../etc/passwd")[:12]
    '3754d6cb3a38'
    """
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def save_arrays(path: Path, arrays: Arrays, *, durable: bool = True) -> None:
    """Write named arrays with the sha256 of their place and themselves in front; `durable` as in `replace_file`."""
    from safetensors.numpy import save

    for name, values in arrays.items():
        if np.asarray(values).dtype.kind not in "fiub":
            raise StoreError(f"Only numbers can be kept, but {name!r} holds {np.asarray(values).dtype}.")
    content = save(dense(arrays))
    if path.parent.is_file():
        path.parent.unlink()  # no folder of ours; what it stood for is computed anew
    replace_file(path, _digest(path, content) + content, durable=durable)


def load_arrays(path: Path) -> Arrays | None:
    """Read named arrays; None where there are none, or where they are not what was written in this place."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        raw = read_plain(path)
    except OSError:
        return None
    digest, content = raw[:_DIGEST_SIZE], raw[_DIGEST_SIZE:]
    if _digest(path, content) != digest:
        return None
    try:
        arrays = load(content)
    except (SafetensorError, ValueError, KeyError, TypeError):
        return None  # kept by a version that wrote another form
    # Copies: callers may write into what they get, and views of the file's bytes are read-only.
    return {name: values.copy() for name, values in arrays.items()}


def _digest(path: Path, content: bytes) -> bytes:
    """Return what only this content in this place has: a file that was moved or copied there is not taken for it."""
    return hashlib.sha256(f"{path.parent.name}/{path.name}\0".encode() + content).digest()
