"""Where entries grow before they are listed, and lie after they were removed."""

import os
import shutil
import time
import uuid
from contextlib import suppress
from pathlib import Path

_ABANDONED_AFTER = 3600.0
"""Seconds after which an unfinished entry of a process that is gone is swept away."""


def unlisted_folder(root: Path) -> Path:
    """Return a name, not yet taken, for a folder that no list shows; it names the process that owns it."""
    staging = root / "staging"
    staging.mkdir(parents=True, exist_ok=True)
    return staging / f"{os.getpid()}-{uuid.uuid4().hex}"


def sweep(root: Path) -> None:
    """Remove what processes that are gone left unfinished."""
    for draft in (root / "staging").glob("*"):
        owner = draft.name.partition("-")[0]
        with suppress(OSError, ValueError):
            if time.time() - draft.stat().st_mtime > _ABANDONED_AFTER and not _is_running(int(owner)):
                shutil.rmtree(draft, ignore_errors=True)


def _is_running(process_id: int) -> bool:
    if os.name == "nt":
        return False  # signal 0 would end the process there; an hour is patience enough
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
